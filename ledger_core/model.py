"""The records of a book: what it holds, as plain facts. How they change is in `rules`.

They are named tuples, the cheapest frozen record there is: a busy book makes tens of thousands a second.
Amounts are minor units; instants (`_at`) are microseconds since 1970-01-01T00:00:00Z.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from ledger_core.commands import Command, Kind
from ledger_core.errors import RefusalRecord
from ledger_core.money import NORMAL_SIDE, AccountType, Side, net

Metadata: TypeAlias = Mapping[str, str]


class AccountStatus(StrEnum):
    """Whether an account takes entries and holds."""

    OPEN = "open"
    CLOSED = "closed"


class HoldStatus(StrEnum):
    """What became of a hold."""

    ACTIVE = "active"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


class HoldEventKind(StrEnum):
    """What happened to a hold."""

    PLACED = "placed"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


class Account(NamedTuple):
    """An account and what it stands at. `version` counts its lines; `held` is what its active holds reserve."""

    id: int
    name: str
    code: str | None
    type: AccountType
    currency: str
    overdraft_limit: int | None
    metadata: Metadata
    created_at: int
    closed_at: int | None
    debits: int
    credits: int
    held: int
    version: int

    @property
    def normal_side(self) -> Side:
        """The side on which this type of account grows."""
        return NORMAL_SIDE[self.type]

    @property
    def total(self) -> int:
        """The balance, signed towards the normal side."""
        return net(self.normal_side, self.debits, self.credits)

    @property
    def status(self) -> AccountStatus:
        """Open, or closed for good."""
        return AccountStatus.OPEN if self.closed_at is None else AccountStatus.CLOSED


class Line(NamedTuple):
    """One side of an entry, and what its account stands at after it."""

    account_id: int
    side: Side
    amount: int
    version: int
    debits: int
    credits: int


class Entry(NamedTuple):
    """A balanced set of lines. `hash` is SHA-256 over the hash of the entry before it and its own content."""

    id: int
    posted_at: int
    description: str | None
    idempotency_key: str | None
    metadata: Metadata
    reverses: int | None
    hold_id: int | None
    lines: tuple[Line, ...]
    hash: bytes
    reversed_by: int | None = None


class ListedEntry(NamedTuple):
    """An entry as a list shows it, without what proves it: it is made in half the time.

    A line is its account, its debit and its credit, one of which is 0.
    """

    id: int
    posted_at: int
    description: str | None
    idempotency_key: str | None
    metadata: Metadata
    reverses: int | None
    hold_id: int | None
    lines: Sequence[tuple[int, int, int]]
    reversed_by: int | None


class HoldEvent(NamedTuple):
    """One thing that happened to a hold. `held` is what its account has on hold after it."""

    hold_id: int
    version: int
    account_id: int
    kind: HoldEventKind
    captured: int
    released: int
    held: int
    at: int
    entry_id: int | None


class Capture(NamedTuple):
    """One capture of a hold, and the entry that it posted."""

    entry_id: int
    amount: int
    captured_at: int


class Hold(NamedTuple):
    """Funds reserved on an account. `version` counts what happened to it: 1 is its placing."""

    id: int
    account_id: int
    counter_account_id: int | None
    amount: int
    currency: str
    description: str | None
    metadata: Metadata
    idempotency_key: str | None
    expires_at: int | None
    created_at: int
    captured: int
    released: int
    status: HoldStatus
    version: int
    captures: tuple[Capture, ...]

    @property
    def remaining(self) -> int:
        """What it still reserves."""
        return self.amount - self.captured - self.released


class Balance(NamedTuple):
    """What an account stands at, at an instant."""

    account_id: int
    currency: str
    normal_side: Side
    debits: int
    credits: int
    held: int
    version: int
    as_of: int

    @property
    def total(self) -> int:
        """The balance, signed towards the normal side."""
        return net(self.normal_side, self.debits, self.credits)

    @property
    def available(self) -> int:
        """What may be spent: the balance less what is held."""
        return self.total - self.held


class Submission(NamedTuple):
    """A command on its way into a book.

    `operation_id` (16 bytes) names the write; `submission` (a 63-bit number) names this sending of it,
    which tells a message that the broker delivered twice from a caller who tried again.
    """

    operation_id: bytes
    submission: int
    command: Command
    request_id: str
    submitted_at: int


class BulkItem(NamedTuple):
    """One entry of a bulk, and the operation that posted it."""

    operation_id: bytes
    entry: Entry


class Bulk(NamedTuple):
    """The entries of a bulk that was posted whole, in its order."""

    items: tuple[BulkItem, ...]


Resource: TypeAlias = Account | Entry | Bulk | Hold


class Outcome(NamedTuple):
    """What a book decided about a write: a resource, or a refusal. It never flips.

    `replayed`: it had been decided before, for somebody else's sending of it.
    """

    operation_id: bytes
    kind: Kind
    submitted_at: int
    finished_at: int
    replayed: bool
    resource: Resource | None
    refusal: RefusalRecord | None
