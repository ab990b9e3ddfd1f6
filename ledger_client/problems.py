"""What a call can raise: problems that the ledger answered with, and what happens when it does not answer."""

from collections.abc import Mapping
from typing import Any

import httpx

_MEMBERS = ("type", "title", "status", "detail", "instance", "code", "request_id")
UNEXPECTED = "unexpected_answer"


class LedgerError(Exception):
    """Whatever goes wrong with a call."""


class LedgerUnreachable(LedgerError):
    """No answer came that settles it, however often we tried. What became of a write is open: the same key can tell.

    `idempotency_key` is the one it was sent with; None for a read.
    """

    def __init__(self, detail: str, idempotency_key: str | None) -> None:
        super().__init__(detail)
        self.idempotency_key = idempotency_key


class OperationPending(LedgerError):
    """The write was accepted and will reach an outcome, but not within the time that we waited."""

    def __init__(self, operation_id: str) -> None:
        super().__init__(f"operation {operation_id} is pending")
        self.operation_id = operation_id


class LedgerProblem(LedgerError):
    """The ledger said no (RFC 9457): nothing moved. Tell problems apart by `code`; `facts` are its other members."""

    def __init__(self, status: int, members: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(members.get("code", UNEXPECTED))
        self.detail = str(members.get("detail", ""))
        self.request_id: str | None = members.get("request_id")
        self.facts = {name: value for name, value in members.items() if name not in _MEMBERS}
        super().__init__(f"{self.code}: {self.detail}")


class NotFound(LedgerProblem):
    """There is no such account, entry, hold or operation."""


class Unauthorized(LedgerProblem):
    """The org or the key is not known."""


class Forbidden(LedgerProblem):
    """The key may only read."""


class InvalidRequest(LedgerProblem):
    """The request is not what the contract says."""

    @property
    def errors(self) -> list[Mapping[str, str]]:
        """Every complaint, each with `pointer` and `message`."""
        found: list[Mapping[str, str]] = self.facts["errors"]
        return found


class IdempotencyKeyReused(LedgerProblem):
    """The key already names another request."""


class InsufficientFunds(LedgerProblem):
    """The account has not got it. Amounts in minor units, as they were before the write."""

    @property
    def account_id(self) -> int:
        """The account that lacks it."""
        return int(self.facts["account_id"])

    @property
    def required(self) -> int:
        """What the write would have taken from it, net."""
        return int(self.facts["required"])

    @property
    def available(self) -> int:
        """What it has and no hold reserves."""
        return int(self.facts["available"])


class HoldNotActive(LedgerProblem):
    """The hold is captured, released or expired."""

    @property
    def hold_status(self) -> str:
        """Which of them."""
        return str(self.facts["hold_status"])


class CaptureExceedsHold(LedgerProblem):
    """The hold has less left than was to be captured: `facts` has `requested` and `remaining`."""


class EntryAlreadyReversed(LedgerProblem):
    """The entry was reversed before: `facts` has `reversed_by`."""


class AccountCodeTaken(LedgerProblem):
    """Another account has the code: `facts` has its `account_id`."""


class TryAgainLater(LedgerProblem):
    """The ledger could not take the request, however often we tried. It was not accepted."""


_CLASSES: Mapping[str, type[LedgerProblem]] = {
    "not_found": NotFound,
    "account_not_found": NotFound,
    "entry_not_found": NotFound,
    "hold_not_found": NotFound,
    "operation_not_found": NotFound,
    "org_not_found": NotFound,
    "unauthorized": Unauthorized,
    "forbidden": Forbidden,
    "invalid_request": InvalidRequest,
    "idempotency_key_reused": IdempotencyKeyReused,
    "insufficient_funds": InsufficientFunds,
    "hold_not_active": HoldNotActive,
    "capture_exceeds_hold": CaptureExceedsHold,
    "entry_already_reversed": EntryAlreadyReversed,
    "account_code_taken": AccountCodeTaken,
    "too_many_pending": TryAgainLater,
    "queue_unavailable": TryAgainLater,
    "storage_unavailable": TryAgainLater,
}


def problem_of(status: int, members: object) -> LedgerProblem:
    """Return the exception that a problem is raised as. What is no problem by its form is `unexpected_answer`."""
    if not (isinstance(members, dict) and isinstance(members.get("code"), str)):
        return LedgerProblem(status, {"detail": f"HTTP {status}, and not the ledger's own answer"})
    return _CLASSES.get(members["code"], LedgerProblem)(status, members)


def problem_of_response(response: httpx.Response) -> LedgerProblem:
    """Return the exception that an answer with an error status is raised as."""
    try:
        return problem_of(response.status_code, response.json())
    except ValueError:
        return problem_of(response.status_code, None)
