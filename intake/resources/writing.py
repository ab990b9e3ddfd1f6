"""What all writes share: parse, submit, render."""

import time

import falcon

from intake import parse, render
from intake.parking import CAN_PARK, PARKED, park
from intake.prefer import parse_prefer
from intake.writes import Waiting, Writes, Written
from ledger_core.commands import Kind


def write(
    writes: Writes, req: falcon.Request, resp: falcon.Response, kind: Kind, noun: str = "", address: str | None = None
) -> None:
    """Carry out a write, on the thing of that noun which the URL names, if it names one.

    While it waits for its answer, the request is parked; this is then called for it once more, to finish.
    """
    result: Written | Waiting | None = req.env.get(PARKED)
    if result is None:
        command = parse.command(req, kind, noun, address)
        preference = parse_prefer(req.get_header("Prefer"))
        result = writes.begin(req.context.caller.org, command, req.context.request_id, preference)
        if isinstance(result, Waiting):
            _wait(req, result)
    if isinstance(result, Waiting):
        result = writes.finish(result)
    render.written(resp, result)


def _wait(req: falcon.Request, waiting: Waiting) -> None:
    if req.env.get(CAN_PARK):
        park(req.env, waiting, waiting.ticket.when_ready)
    waiting.ticket.wait(waiting.until_s - time.monotonic())
