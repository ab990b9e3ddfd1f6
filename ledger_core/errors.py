"""The refusals, in the order in which they win when several apply; each with its code and its facts.

A refusal is an outcome, not a failure: nothing moved, and the caller is told why.
A bug is no refusal: it crashes. What is merely unavailable stands at the end: it may work later.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, NamedTuple, TypeAlias

from ledger_core.limits import COMPLAINTS_MAX


class RefusalKind(StrEnum):
    """What sort of refusal it is. The transport maps each sort to its own status, once."""

    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    UNPROCESSABLE = "unprocessable"
    GIVEN_UP = "given_up"


Fact: TypeAlias = int | str | list[dict[str, str]]


class RefusalRecord(NamedTuple):
    """A refusal as it is kept for ever: what the caller was told, in which request, about which id if it had one."""

    code: str
    kind: RefusalKind
    detail: str
    facts: Mapping[str, Fact]
    request_id: str
    address: int | None


class Complaint(NamedTuple):
    """One thing that is wrong with a request: where (a JSON pointer, RFC 6901), and what."""

    pointer: str
    message: str


class Refusal(Exception):
    """A command that the ledger does not carry out.

    `code` never changes its meaning; `detail` is a sentence for people; `facts` are its numbers and names.
    """

    code: ClassVar[str]
    kind: ClassVar[RefusalKind]

    def __init__(self, detail: str, **facts: Fact) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts: Mapping[str, Fact] = facts

    def record(self, request_id: str, address: int | None) -> RefusalRecord:
        """Return what is kept of it, with the request in which it was decided and the id that it was addressed to."""
        return RefusalRecord(self.code, self.kind, self.detail, self.facts, request_id, address)


class InvalidRequest(Refusal):
    """The request does not say what a command must say. Facts: `errors`, each with `pointer` and `message`.

    Of very many complaints the first ones are told.
    """

    code = "invalid_request"
    kind = RefusalKind.UNPROCESSABLE

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        errors = [complaint._asdict() for complaint in complaints[:COMPLAINTS_MAX]]
        first = complaints[0]
        where = f"{first.pointer}: " if first.pointer else ""
        least = "at least " if len(complaints) >= COMPLAINTS_MAX else ""
        more = f" (and {least}{len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{where}{first.message}{more}", errors=errors)


class IdempotencyKeyReused(Refusal):
    """The key already names another request."""

    code = "idempotency_key_reused"
    kind = RefusalKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("This idempotency key was first used with a different request; send a new key.")


class OrgNotFound(Refusal):
    """No such org. Only callers on the queue meet it: over HTTP an unknown org is unauthorized."""

    code = "org_not_found"
    kind = RefusalKind.NOT_FOUND

    def __init__(self, org: str) -> None:
        super().__init__("There is no such org.", org=org)


class AccountNotFound(Refusal):
    """No such account, where the request was addressed to it."""

    code = "account_not_found"
    kind = RefusalKind.NOT_FOUND

    def __init__(self, account_id: int) -> None:
        super().__init__(f"There is no account {account_id}.", account_id=account_id)


class AccountUnknown(AccountNotFound):
    """No such account, where a body named it."""

    kind = RefusalKind.UNPROCESSABLE


class EntryNotFound(Refusal):
    """No such entry."""

    code = "entry_not_found"
    kind = RefusalKind.NOT_FOUND

    def __init__(self, entry_id: int) -> None:
        super().__init__(f"There is no entry {entry_id}.", entry_id=entry_id)


class HoldNotFound(Refusal):
    """No such hold."""

    code = "hold_not_found"
    kind = RefusalKind.NOT_FOUND

    def __init__(self, hold_id: int) -> None:
        super().__init__(f"There is no hold {hold_id}.", hold_id=hold_id)


class AccountCodeTaken(Refusal):
    """Another account of this org has the code. Facts: `account_code`, and that account's `account_id`."""

    code = "account_code_taken"
    kind = RefusalKind.CONFLICT

    def __init__(self, account_code: str, account_id: int) -> None:
        detail = f"The code {account_code} already belongs to account {account_id}."
        super().__init__(detail, account_code=account_code, account_id=account_id)


class AccountClosed(Refusal):
    """The account is closed, for good."""

    code = "account_closed"
    kind = RefusalKind.CONFLICT

    def __init__(self, account_id: int) -> None:
        super().__init__(f"Account {account_id} is closed.", account_id=account_id)


class AccountNotEmpty(Refusal):
    """The account can't be closed. Facts: `account_id`, `total`, `held`."""

    code = "account_not_empty"
    kind = RefusalKind.CONFLICT

    def __init__(self, account_id: int, total: int, held: int) -> None:
        detail = f"Account {account_id} has a balance of {total} and {held} on hold; both must be zero to close it."
        super().__init__(detail, account_id=account_id, total=total, held=held)


class HoldNotActive(Refusal):
    """The hold is captured, released or expired. Facts: `hold_id`, `hold_status`."""

    code = "hold_not_active"
    kind = RefusalKind.CONFLICT

    def __init__(self, hold_id: int, hold_status: str) -> None:
        super().__init__(f"Hold {hold_id} is {hold_status}.", hold_id=hold_id, hold_status=hold_status)


class EntryAlreadyReversed(Refusal):
    """The entry was reversed before. Facts: `entry_id`, `reversed_by`."""

    code = "entry_already_reversed"
    kind = RefusalKind.CONFLICT

    def __init__(self, entry_id: int, reversed_by: int) -> None:
        detail = f"Entry {entry_id} was already reversed, by entry {reversed_by}."
        super().__init__(detail, entry_id=entry_id, reversed_by=reversed_by)


class CurrencyMismatch(Refusal):
    """Two accounts that must share a currency do not. Facts: `account_id`, `currency`, `expected`."""

    code = "currency_mismatch"
    kind = RefusalKind.UNPROCESSABLE

    def __init__(self, account_id: int, currency: str, expected: str) -> None:
        detail = f"Account {account_id} is in {currency}, not in {expected}."
        super().__init__(detail, account_id=account_id, currency=currency, expected=expected)


class UnbalancedEntry(Refusal):
    """Debits and credits of an entry differ in a currency. Facts: `currency`, `debits`, `credits`."""

    code = "unbalanced_entry"
    kind = RefusalKind.UNPROCESSABLE

    def __init__(self, currency: str, debits: int, credits: int) -> None:
        detail = f"Debits of {debits} and credits of {credits} in {currency} are not equal."
        super().__init__(detail, currency=currency, debits=debits, credits=credits)


class CaptureExceedsHold(Refusal):
    """More is captured than the hold still reserves. Facts: `hold_id`, `requested`, `remaining`."""

    code = "capture_exceeds_hold"
    kind = RefusalKind.UNPROCESSABLE

    def __init__(self, hold_id: int, requested: int, remaining: int) -> None:
        detail = f"Hold {hold_id} has {remaining} left, less than the {requested} to be captured."
        super().__init__(detail, hold_id=hold_id, requested=requested, remaining=remaining)


class BalanceOverflow(Refusal):
    """A total of the account would pass 2^63 - 1. Facts: `account_id`."""

    code = "balance_overflow"
    kind = RefusalKind.UNPROCESSABLE

    def __init__(self, account_id: int) -> None:
        super().__init__(f"Account {account_id} can't total more than 2^63 - 1.", account_id=account_id)


class InsufficientFunds(Refusal):
    """The account has not got it. Facts: `account_id`, `required`, `available`, `held`, `total`, in minor units.

    `required` is what the write would take from the account, net; the other figures are those before it.
    """

    code = "insufficient_funds"
    kind = RefusalKind.UNPROCESSABLE

    def __init__(self, account_id: int, *, required: int, total: int, held: int) -> None:
        detail = f"Account {account_id} has {total - held} available, and this would take {required}."
        super().__init__(
            detail, account_id=account_id, required=required, available=total - held, held=held, total=total
        )


class RefusedInBulk(Refusal):
    """An entry of a bulk is refused, and with it the bulk. It has that refusal's code and facts, and `position`."""

    def __init__(self, position: int, refusal: RefusalRecord) -> None:
        detail = f"The entry at position {position} is refused, and nothing was posted: {refusal.detail}"
        super().__init__(detail, **{**refusal.facts, "position": position})
        self._refusal = refusal

    def record(self, request_id: str, address: int | None) -> RefusalRecord:
        """Return what is kept of it."""
        return RefusalRecord(self._refusal.code, self._refusal.kind, self.detail, self.facts, request_id, address)


class GivenUp(Refusal):
    """An operator gave up a command that was accepted and met a fault of ours."""

    code = "internal_error"
    kind = RefusalKind.GIVEN_UP

    def __init__(self) -> None:
        super().__init__("This write met a fault of ours and was given up by an operator; it changed nothing.")


class Unavailable(Exception):
    """Something that the ledger stands on does not answer. Nothing was decided; the same command may work later."""


class StorageUnavailable(Unavailable):
    """A file can't be read or written: a full disk, a read-only folder, a damaged or missing or foreign file."""


class OutcomeUnknown(StorageUnavailable):
    """A commit failed in such a way that it may be on disk all the same. Whoever waits for it can't be told yet."""


class OtherSchema(StorageUnavailable):
    """A file has the schema of another version of this program: a newer one, or an older one that can't be migrated."""


class SchemaOutdated(OtherSchema):
    """A file has the schema of an older program, and must be migrated before this one can read it."""


class TooLate(StorageUnavailable):
    """The book came free too late for a command whose caller may have been told otherwise. The book is well."""
