"""What every request passes first: its id, its method, and who is calling."""

import secrets
from typing import Any

import falcon

from intake import problems
from intake.auth import Doorkeeper
from ledger_core.orgs import Scope

METHODS = ("GET", "POST")


class Gate:
    """Falcon middleware, in the order of checks that callers are promised."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._doorkeeper = doorkeeper

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give the request its id: the caller's, if it is a sound one."""
        given = req.get_header("X-Request-Id")
        sound = given is not None and 1 <= len(given) <= 128 and given.isascii() and given.isprintable()
        req.context.request_id = given if sound else secrets.token_hex(16)
        resp.set_header("X-Request-Id", req.context.request_id)

    def process_resource(self, req: falcon.Request, resp: falcon.Response, resource: Any, params: object) -> None:
        """Check method, key and scope."""
        if not hasattr(resource, f"on_{req.method.lower()}"):
            raise problems.method_not_allowed(
                ", ".join(method for method in METHODS if hasattr(resource, f"on_{method.lower()}"))
            )
        if getattr(resource, "PUBLIC", False):
            return
        caller = self._doorkeeper.caller(req.get_header("X-Org-Slug"), req.get_header("X-Api-Key"))
        if req.method == "POST" and caller.scope is not Scope.FULL:
            raise problems.forbidden()
        req.context.caller = caller
