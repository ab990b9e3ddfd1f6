"""What all writes share: parse, submit, render."""

from collections.abc import Sequence

import falcon

from intake import parse, render
from intake.begun import Accepting, Waiting, Withdrawing, Written
from intake.parking import CAN_PARK, PARKED, Told, park
from intake.prefer import parse_prefer
from intake.writes import Writes
from ledger_core.commands import Command, Kind, PostBulk

ATOMIC = "ledger.atomic"  # in the environ: a bulk's choice, for when its request is taken up again


def write(
    writes: Writes, req: falcon.Request, resp: falcon.Response, kind: Kind, noun: str = "", address: str | None = None
) -> None:
    """Carry out a write, on the thing of that noun which the URL names, if it names one.

    While it waits for its answer, the request is parked; this is called for it once more only if that is not plain.
    """
    begun = req.env.get(PARKED)
    if begun is None:
        begun = _begin(writes, req, resp, [parse.command(req, kind, noun, address)])
    render.written(resp, _finished(writes, req, begun))


def write_bulk(writes: Writes, req: falcon.Request, resp: falcon.Response) -> None:
    """Post many entries: in one write if it is atomic, else each in one of its own. Parked like any write."""
    begun = req.env.get(PARKED)
    if begun is None:
        bulk = parse.command(req, Kind.BULK)
        assert isinstance(bulk, PostBulk), "the kind says so"
        req.env[ATOMIC] = bulk.atomic
        begun = _begin(writes, req, resp, [bulk] if bulk.atomic else bulk.entries)
    finished = _finished(writes, req, begun)
    if req.env[ATOMIC]:
        render.written(resp, finished)
    else:
        render.written_each(resp, finished)


def _begin(
    writes: Writes, req: falcon.Request, resp: falcon.Response, commands: Sequence[Command]
) -> Accepting | Waiting:
    preference = parse_prefer(req.get_header("Prefer"))
    begun = writes.begin(req.context.caller.org, commands, req.context.request_id, preference)

    def told() -> Told | None:
        written = writes.answered(begun) if len(commands) == 1 else None  # many take their time to write
        if written is None:
            return None
        render.written(resp, written)
        return render.told(resp)

    if req.env.get(CAN_PARK):
        park(req.env, begun, begun.when_ready, told)
    begun.wait()
    return begun


def _finished(writes: Writes, req: falcon.Request, begun: Accepting | Waiting | Withdrawing) -> Written:
    finished = writes.finish(begun)
    while isinstance(finished, Withdrawing):
        if req.env.get(CAN_PARK):
            park(req.env, finished, finished.when_ready)
        finished.wait()
        finished = writes.finish(finished)
    return finished
