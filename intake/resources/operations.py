"""Operations: what became of a write."""

import time

import falcon

from intake import parse, problems, render
from intake.operations import Operations, Watch
from intake.parking import CAN_PARK, PARKED, park
from intake.prefer import parse_prefer
from ledger_core.operations import parse_operation_id


class Operation:
    """/v1/operations/{operation_id}"""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def on_get(self, req: falcon.Request, resp: falcon.Response, operation_id: str) -> None:
        """Read what became of a write, waiting for it if asked to. Parked while it waits, like a write."""
        parse.query(req, {})
        wanted = parse_operation_id(operation_id)
        if wanted is None:
            raise problems.thing_not_found("operation")
        wait_s = parse_prefer(req.get_header("Prefer")).wait_s
        parked: Watch | None = req.env.get(PARKED)
        until_s = parked.until_s if parked else time.monotonic() + (wait_s or 0)
        found = self._operations.read(req.context.caller.org, wanted, until_s)
        while isinstance(found, Watch):
            if req.env.get(CAN_PARK):
                park(req.env, found, found.when_ready)
            found.wait()
            found = self._operations.read(req.context.caller.org, wanted, until_s)
        render.resource(resp, found)
        if wait_s is not None:
            resp.set_header("Preference-Applied", f"wait={wait_s}")
