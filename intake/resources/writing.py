"""What all writes share: parse, submit, render."""

import falcon

from intake import parse, render
from intake.prefer import parse_prefer
from intake.writes import Writes
from ledger_core.commands import Kind


def write(
    writes: Writes, req: falcon.Request, resp: falcon.Response, kind: Kind, noun: str = "", address: str | None = None
) -> None:
    """Carry out a write, on the thing of that noun which the URL names, if it names one."""
    command = parse.command(req, kind, noun, address)
    preference = parse_prefer(req.get_header("Prefer"))
    result = writes.write(req.context.caller.org, command, req.context.request_id, preference)
    render.written(resp, result, preference)
