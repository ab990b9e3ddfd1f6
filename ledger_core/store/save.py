"""Saving what was decided. The tables' own triggers move the running totals, and refuse what does not follow."""

import json
from typing import Any

from pydantic_core import to_json

from ledger_core.errors import RefusalRecord
from ledger_core.model import Account, Bulk, Entry, Hold, HoldEvent, Metadata, Outcome
from ledger_core.money import Side
from ledger_core.store.connection import Runner
from ledger_core.store.inserting import Insert

_ACCOUNT = """insert into accounts (id, name, code, type, currency, overdraft_limit, metadata, created_at)
    values (?, ?, ?, ?, ?, ?, ?, ?)"""
_CLOSED = "update accounts set closed_at = ? where id = ?"
_LINES = Insert("lines", "entry_id, position, account_id, debit, credit, version, debits, credits")
_ENTRIES = Insert("entries", "id, posted_at, description, idempotency_key, metadata, reverses, hold_id, hash")
_HOLDS = Insert(
    "holds",
    "id, account_id, counter_account_id, amount, description, metadata, idempotency_key, expires_at, created_at",
)
_HOLD_EVENTS = Insert("hold_events", "hold_id, version, account_id, kind, captured, released, held, at, entry_id")
_OPERATIONS = Insert(
    "operations",
    "id, kind, fingerprint, submission, submitted_at, finished_at, subject_id, subject_version, refusal",
)
_BULK_ENTRIES = Insert("bulk_entries", "bulk, position, operation_id, entry_id")
_LAST_AT = "update book set last_at = ?"


class Unwritten:
    """Entries, holds and outcomes that were decided and are yet to be written: many together take less than each alone.

    Whoever reads any of them, or changes an account otherwise, wants them written first.
    """

    __slots__ = ("_connection", "_entries", "_hold_events", "_holds", "_lines", "_operations")

    def __init__(self, connection: Runner) -> None:
        self._connection = connection
        self._lines: list[tuple[int, ...]] = []
        self._entries: list[tuple[Any, ...]] = []
        self._holds: list[tuple[Any, ...]] = []
        self._hold_events: list[HoldEvent] = []
        self._operations: list[tuple[Any, ...]] = []

    def entry(self, posted: Entry) -> None:
        """Save an entry."""
        entry_id, posted_at, description, key, metadata, reverses, hold_id, lines, digest, _ = posted
        debit = Side.DEBIT
        for position, (account_id, side, amount, *after) in enumerate(lines):
            sides = (amount, 0) if side is debit else (0, amount)
            self._lines.append((entry_id, position, account_id, *sides, *after))
        self._entries.append(
            (entry_id, posted_at, description, key, _metadata(metadata), reverses, hold_id, digest),
        )

    def hold(self, placed: Hold) -> None:
        """Save a newly placed hold; its first event follows it."""
        self._holds.append(
            (
                placed.id,
                placed.account_id,
                placed.counter_account_id,
                placed.amount,
                placed.description,
                _metadata(placed.metadata),
                placed.idempotency_key,
                placed.expires_at,
                placed.created_at,
            )
        )

    def hold_event(self, event: HoldEvent) -> None:
        """Save what happened to a hold; the tables move the hold and its account."""
        self._hold_events.append(event)

    def operation(self, outcome: Outcome, fingerprint: bytes, submission: int) -> None:
        """Save what was decided about a write, for ever. What was applied is kept as a reference to its resource."""
        operation_id, kind, submitted_at, finished_at, _, resource, refusal = outcome
        subject = None if resource is None else len(resource.items) if isinstance(resource, Bulk) else resource.id
        version = resource.version if isinstance(resource, Hold) else None
        self._operations.append(
            (
                operation_id,
                kind,
                fingerprint,
                submission,
                submitted_at,
                finished_at,
                subject,
                version,
                _refusal(refusal),
            )
        )

    def write(self) -> None:
        """Write them."""
        self.write_journal()
        if self._operations:
            _OPERATIONS.all(self._connection, self._operations)
            self._operations.clear()

    def write_journal(self) -> None:
        """Write the entries and holds, in an order in which each refers to what is there.

        Of an entry all lines come first, then what seals them and moves their accounts.
        """
        if self._holds:
            _HOLDS.all(self._connection, self._holds)
            self._holds.clear()
        if self._lines:
            _LINES.all(self._connection, self._lines)
            _ENTRIES.all(self._connection, self._entries)
            self._lines.clear()
            self._entries.clear()
        if self._hold_events:
            _HOLD_EVENTS.all(self._connection, self._hold_events)
            self._hold_events.clear()

    def forget(self) -> None:
        """Write none of them."""
        self._holds.clear()
        self._lines.clear()
        self._entries.clear()
        self._hold_events.clear()
        self._operations.clear()


def account(connection: Runner, opened: Account) -> None:
    """Save a newly opened account."""
    connection.execute(_ACCOUNT, (*opened[:6], _metadata(opened.metadata), opened.created_at))


def account_closed(connection: Runner, closed: Account) -> None:
    """Save that an account was closed."""
    connection.execute(_CLOSED, (closed.closed_at, closed.id))


def bulk(connection: Runner, operation_id: bytes, posted: Bulk) -> None:
    """Save which entries a bulk posted."""
    rows = [(operation_id, n, item.operation_id, item.entry.id) for n, item in enumerate(posted.items)]
    _BULK_ENTRIES.all(connection, rows)


def last_at(connection: Runner, now: int) -> None:
    """Save the latest instant written, behind which this book's clock never goes."""
    connection.execute(_LAST_AT, (now,))


def _metadata(pairs: Metadata) -> str | None:
    return to_json(pairs).decode() if pairs else None


def _refusal(record: RefusalRecord | None) -> str | None:
    return None if record is None else json.dumps(record, ensure_ascii=False, separators=(",", ":"))
