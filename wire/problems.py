"""Problems (RFC 9457): the one table of every code, with its status and title, and how a problem is written."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # below Python 3.12 pydantic can't read the one of `typing`

from ledger_core.commands import Kind
from ledger_core.errors import Fact, RefusalKind, RefusalRecord

TYPE_PREFIX = "urn:ff-ledger:problem:"

STATUS_OF_KIND = {
    RefusalKind.NOT_FOUND: 404,
    RefusalKind.CONFLICT: 409,
    RefusalKind.UNPROCESSABLE: 422,
    RefusalKind.GIVEN_UP: 500,
}

TITLES = {
    "malformed_request": "The request is not HTTP that can be read",
    "malformed_json": "The body is not JSON that can be read",
    "idempotency_key_mismatch": "Header and body name different idempotency keys",
    "invalid_header": "A header can't be understood",
    "unauthorized": "The org or the key is not known",
    "forbidden": "The key may not do this",
    "not_found": "There is nothing at this address",
    "account_not_found": "There is no such account",
    "entry_not_found": "There is no such entry",
    "hold_not_found": "There is no such hold",
    "operation_not_found": "There is no such operation",
    "org_not_found": "There is no such org",
    "method_not_allowed": "The method does not go with this address",
    "body_too_large": "The body is too large",
    "unsupported_media_type": "The body is not JSON",
    "hold_not_active": "The hold is not active",
    "account_code_taken": "Another account has this code",
    "account_closed": "The account is closed",
    "account_not_empty": "The account is not empty",
    "entry_already_reversed": "The entry was already reversed",
    "invalid_request": "The request is not valid",
    "unbalanced_entry": "Debits and credits are not equal",
    "currency_mismatch": "The accounts are not in one currency",
    "insufficient_funds": "The account has not got the funds",
    "capture_exceeds_hold": "The capture exceeds the hold",
    "balance_overflow": "A balance would grow too large",
    "idempotency_key_reused": "The idempotency key belongs to another request",
    "too_many_pending": "This org has too many writes waiting",
    "queue_unavailable": "Writes can't be queued now",
    "storage_unavailable": "The books can't be reached now",
    "headers_too_large": "The headers are too large",
    "unsupported_transfer_encoding": "The transfer coding is not known",
    "internal_error": "Something is wrong on our side",
}


class ComplaintJson(TypedDict):
    """One thing that is wrong with a request: where (a JSON pointer, RFC 6901), and what."""

    pointer: str
    message: str


class ProblemJson(TypedDict):
    """Why a request was not carried out (RFC 9457). Read `code`; the facts of each code are further members."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: Annotated[str, Field(json_schema_extra={"enum": [*TITLES]})]
    request_id: str
    errors: NotRequired[list[ComplaintJson]]


class Problem(NamedTuple):
    """A problem, before it is written."""

    status: int
    code: str
    detail: str
    facts: Mapping[str, Fact] = {}


def document(problem: Problem, *, instance: str, request_id: str) -> dict[str, Fact]:
    """Write a problem as the members of its JSON object. `instance` is the path of the request."""
    return {
        "type": TYPE_PREFIX + problem.code,
        "title": TITLES[problem.code],
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        "code": problem.code,
        "request_id": request_id,
        **problem.facts,
    }


def of_refusal(refusal: RefusalRecord) -> Problem:
    """Return the problem that a refusal is told as."""
    return Problem(STATUS_OF_KIND[refusal.kind], refusal.code, refusal.detail, refusal.facts)


def body_too_large(bytes_max: int) -> Problem:
    """Return the problem of a body that is too long. Facts: `bytes_max`."""
    return Problem(413, "body_too_large", f"A body has at most {bytes_max} bytes.", {"bytes_max": bytes_max})


_PATHS = {
    Kind.ACCOUNT: "/v1/accounts",
    Kind.CLOSURE: "/v1/accounts/{}/close",
    Kind.ENTRY: "/v1/entries",
    Kind.BULK: "/v1/entries/bulk",
    Kind.REVERSAL: "/v1/entries/{}/reverse",
    Kind.HOLD: "/v1/holds",
    Kind.CAPTURE: "/v1/holds/{}/capture",
    Kind.RELEASE: "/v1/holds/{}/release",
}


def path_of(kind: Kind, address: int | None) -> str:
    """Return the path under which a write is made over HTTP, whichever way it came."""
    return _PATHS[kind].format(address)
