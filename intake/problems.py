"""The problems that intake itself finds in a request, before any book is asked."""

from collections.abc import Mapping

from ledger_core.errors import Fact
from wire import problems
from wire.problems import Problem


class Rejected(Exception):
    """A request that is answered with a problem: nothing was queued, no key was used up."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.headers = headers or {}


def malformed_request(what: str) -> Rejected:
    """The HTTP server can't read the request, or can't tell where it ends."""
    return Rejected(Problem(400, "malformed_request", f"{what}; the connection is closed."))


def headers_too_large(bytes_max: int) -> Rejected:
    """The request line and the headers are too long. Facts: `bytes_max`."""
    detail = f"Request line and headers have fewer than {bytes_max} bytes; the connection is closed."
    return Rejected(Problem(431, "headers_too_large", detail, {"bytes_max": bytes_max}))


def unsupported_transfer_encoding() -> Rejected:
    """The body comes in a transfer coding that the HTTP server does not know."""
    detail = "Of the transfer codings only chunked is known; the connection is closed."
    return Rejected(Problem(501, "unsupported_transfer_encoding", detail))


def malformed_json(detail: str) -> Rejected:
    """The body is not JSON."""
    return Rejected(Problem(400, "malformed_json", detail))


def idempotency_key_mismatch() -> Rejected:
    """Header and body name different keys."""
    detail = "The header Idempotency-Key and the body's idempotency_key differ; send one of them."
    return Rejected(Problem(400, "idempotency_key_mismatch", detail))


def invalid_header(name: str, detail: str) -> Rejected:
    """A header that matters can't be understood. Facts: `header`."""
    return Rejected(Problem(400, "invalid_header", detail, {"header": name}))


def unauthorized() -> Rejected:
    """Who is calling is not known; the answer is the same whatever the reason."""
    detail = "Send the headers X-Org-Slug and X-Api-Key with an org and a key of it that works."
    return Rejected(Problem(401, "unauthorized", detail), {"WWW-Authenticate": 'ApiKey realm="ff-ledger"'})


def forbidden() -> Rejected:
    """A key that may only read was used to write."""
    return Rejected(Problem(403, "forbidden", "This key may only read."))


def not_found() -> Rejected:
    """No such route."""
    return Rejected(Problem(404, "not_found", "There is nothing at this address."))


def thing_not_found(noun: str) -> Rejected:
    """The path names an account, entry, hold or operation that can't exist."""
    return Rejected(Problem(404, f"{noun}_not_found", f"There is no such {noun}."))


def method_not_allowed(allowed: str) -> Rejected:
    """The route has no such method. `allowed` is the value of the header `Allow`."""
    detail = f"This address takes {allowed}."
    return Rejected(Problem(405, "method_not_allowed", detail), {"Allow": allowed})


def body_too_large(bytes_max: int) -> Rejected:
    """The body is too long. Facts: `bytes_max`."""
    return Rejected(problems.body_too_large(bytes_max))


def unsupported_media_type() -> Rejected:
    """The body is not JSON by its header."""
    return Rejected(Problem(415, "unsupported_media_type", "Send the body with Content-Type: application/json."))


def too_many_pending(pending_max: int) -> Rejected:
    """The org's backlog is full. Facts: `pending_max`."""
    detail = f"This org has {pending_max} writes waiting already, or as many bytes of them as may; try again later."
    return Rejected(Problem(429, "too_many_pending", detail, {"pending_max": pending_max}), {"Retry-After": "1"})


def queue_unavailable() -> Rejected:
    """Nothing can be queued. The write was not accepted."""
    return _unavailable(Problem(503, "queue_unavailable", "Writes can't be queued now; this one was not accepted."))


def storage_unavailable() -> Rejected:
    """The files can't be used. A write that is told this was not accepted."""
    return _unavailable(Problem(503, "storage_unavailable", "This org's book can't be reached now; try again later."))


def internal_error() -> Rejected:
    """A bug. What exactly is in the log, under the request's id."""
    facts: Mapping[str, Fact] = {}
    return Rejected(Problem(500, "internal_error", "Something went wrong; it is in our log under this id.", facts))


def _unavailable(problem: Problem) -> Rejected:
    return Rejected(problem, {"Retry-After": "1"})
