"""Operations: what became of a write."""

import falcon

from intake import parse, problems, render
from intake.operations import Operations
from intake.prefer import parse_prefer
from ledger_core.operations import parse_operation_id


class Operation:
    """/v1/operations/{operation_id}"""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def on_get(self, req: falcon.Request, resp: falcon.Response, operation_id: str) -> None:
        """Read what became of a write, waiting for it if asked to."""
        parse.query(req, {})
        wanted = parse_operation_id(operation_id)
        if wanted is None:
            raise problems.thing_not_found("operation")
        wait_s = parse_prefer(req.get_header("Prefer")).wait_s
        render.resource(resp, self._operations.read(req.context.caller.org, wanted, wait_s or 0))
        if wait_s is not None:
            resp.set_header("Preference-Applied", f"wait={wait_s}")
