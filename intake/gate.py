"""What every request passes first: its id, its method, and who is calling."""

from functools import cache
from typing import Any

import falcon

from intake import metrics, problems
from intake.auth import Caller, Doorkeeper
from intake.problems import Rejected
from ledger_core.operations import new_request_id
from ledger_core.orgs import Scope

METHODS = ("GET", "POST")
REQUEST_ID = "ledger.request_id"  # in the environ
CALLER = "ledger.caller"  # in the environ
ALWAYS = (  # what every answer says
    ("X-Content-Type-Options", "nosniff"),  # nobody guesses at its type,
    ("Cache-Control", "no-store"),  # and nobody on the way keeps it, unless it says that it may be
)


class Gate:
    """Falcon middleware, in the order of checks that callers are promised."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._doorkeeper = doorkeeper

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give the request its id: the caller's, if it is a sound one. A request that was parked has one."""
        request_id = req.env.get(REQUEST_ID) or request_id_of(req.env.get("HTTP_X_REQUEST_ID"))
        req.env[REQUEST_ID] = req.context.request_id = request_id
        resp.set_header("X-Request-Id", request_id)
        for name, value in ALWAYS:
            resp.set_header(name, value)

    def process_resource(self, req: falcon.Request, resp: falcon.Response, resource: Any, params: object) -> None:
        """Check method, key and scope."""
        allowed, is_public = _taken(resource.__class__)
        if req.method not in allowed:
            raise problems.method_not_allowed(", ".join(allowed))
        if is_public:
            return
        caller = req.env.get(CALLER)
        # A write that was parked was let in, and may be done by now; a read that waits is let in anew each time.
        if caller is None or req.method != "POST":
            caller = req.env[CALLER] = self._let_in(req)
        req.context.caller = caller

    def _let_in(self, req: falcon.Request) -> Caller:
        try:
            caller = self._doorkeeper.caller(req.env.get("HTTP_X_ORG_SLUG"), req.env.get("HTTP_X_API_KEY"))
            if req.method == "POST" and caller.scope is not Scope.FULL:
                raise problems.forbidden()
        except Rejected as turned_away:
            metrics.TURNED_AWAY.labels(turned_away.problem.code).inc()  # not logged: that would fill the disk
            raise
        return caller


@cache
def _taken(resource: Any) -> tuple[tuple[str, ...], bool]:
    """Return the methods that a kind of resource takes, and whether it does so from anybody."""
    allowed = tuple(method for method in METHODS if hasattr(resource, f"on_{method.lower()}"))
    return allowed, getattr(resource, "PUBLIC", False)


def request_id_of(given: str | None) -> str:
    """Return the id that a request is given: the caller's, if it is a sound one, else a fresh one."""
    sound = given and len(given) <= 128 and given.isascii() and given.isprintable()
    return given if given and sound else new_request_id()
