"""A driver of one book: commands go in as plain fields, outcomes come out, and time moves only when told to."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import apsw

from ledger_core import ledger, reads
from ledger_core.commands import ADDRESS_FIELD, Kind, parse_body, parse_command
from ledger_core.errors import InvalidRequest
from ledger_core.model import Account, Balance, Entry, Hold, Outcome, RefusalRecord, Submission
from ledger_core.operations import operation_id_of
from ledger_core.store.book import Book, book_path
from ledger_core.verify import Finding, verify
from wire.answers import of_outcome

ORG = "acme-corp"
CASH, CUSTOMERS, FEES = 1, 2, 3  # the accounts of the fixture `chart`
SECOND = 1_000_000  # microseconds
NOON = 1_773_835_200 * SECOND  # 2026-03-18T12:00:00Z, when every book here begins

TABLES: Mapping[str, str] = {
    "book": "select org, currency, created_at from book",
    "accounts": "select * from accounts order by id",
    "entries": "select * from entries order by id",
    "lines": "select * from lines order by entry_id, position",
    "holds": "select * from holds order by id",
    "hold_events": "select * from hold_events order by id",
}

LineFields = tuple[int, int, str]


class Ledger:
    """A book under test."""

    def __init__(self, folder: Path, org: str = ORG, currency: str = "USD") -> None:
        self.folder, self.org = folder, org
        self.now = NOON
        self._submissions = count(1)
        Book.create(folder, org, currency, self.now)
        self.book = Book.open_writer(folder, org)
        self.reader = Book.open_reader(folder, org)

    @property
    def path(self) -> Path:
        return book_path(self.folder, self.org)

    def close(self) -> None:
        self.reader.close()
        self.book.close()

    def reopen(self) -> None:
        """Close the book and open it again, as a restart does."""
        self.close()
        self.book = Book.open_writer(self.folder, self.org)
        self.reader = Book.open_reader(self.folder, self.org)

    def pass_s(self, seconds: float) -> None:
        """Let the clock go forward, or backward."""
        self.now += round(seconds * SECOND)

    def clock(self) -> int:
        return self.now

    # Writing

    def submission(
        self,
        kind: str,
        fields: Mapping[str, Any],
        *,
        operation: bytes | None = None,
        submission: int | None = None,
        request: str = "request",
    ) -> Submission:
        """Return a command on its way: a fresh sending of it, unless told which."""
        command = parse_command(Kind(kind), dict(fields))
        return Submission(
            operation or operation_id_of(self.org, command),
            next(self._submissions) if submission is None else submission,
            command,
            request,
            self.now,
        )

    def apply(self, *submissions: Submission) -> list[Outcome]:
        """Apply submissions in one transaction."""
        return ledger.apply(self.book, submissions, self.clock)

    def write(
        self,
        kind: str,
        *,
        operation: bytes | None = None,
        submission: int | None = None,
        request: str = "request",
        **fields: Any,
    ) -> Outcome:
        """Apply one command in a transaction of its own."""
        sent = self.submission(kind, fields, operation=operation, submission=submission, request=request)
        return self.apply(sent)[0]

    def account(self, type: str = "asset", name: str = "An account", **fields: Any) -> int:
        """Open an account that must open; return its id."""
        return resource(self.write("account", type=type, name=name, **fields)).id

    def entry(self, *sides: LineFields, **fields: Any) -> Outcome:
        """Post an entry, which may be refused."""
        return self.write("entry", lines=lines(*sides), **fields)

    def post(self, *sides: LineFields, **fields: Any) -> Entry:
        """Post an entry that must be posted."""
        posted = resource(self.entry(*sides, **fields))
        assert isinstance(posted, Entry)
        return posted

    def hold(self, account_id: int, amount: int, **fields: Any) -> Hold:
        """Place a hold that must be placed."""
        return self._held(self.write("hold", account_id=account_id, amount=amount, **fields))

    def capture(self, hold_id: int, **fields: Any) -> Hold:
        """Capture what must be there to capture."""
        return self._held(self.write("capture", hold_id=hold_id, **fields))

    def release(self, hold_id: int, **fields: Any) -> Hold:
        """Release a hold that must be active."""
        return self._held(self.write("release", hold_id=hold_id, **fields))

    def reverse(self, entry_id: int, **fields: Any) -> Entry:
        """Reverse an entry that can be reversed."""
        posted = resource(self.write("reversal", entry_id=entry_id, **fields))
        assert isinstance(posted, Entry)
        return posted

    @staticmethod
    def _held(outcome: Outcome) -> Hold:
        held = resource(outcome)
        assert isinstance(held, Hold)
        return held

    # Reading, on a connection of its own

    def balance(self, account_id: int, at: int | None = None) -> Balance:
        return reads.balance(self.reader, account_id, self.now, at)

    def figures(self, account_id: int, at: int | None = None) -> tuple[int, int, int]:
        """Return total, held and available."""
        balance = self.balance(account_id, at)
        return balance.total, balance.held, balance.available

    def read_account(self, account_id: int) -> Account:
        return reads.account(self.reader, account_id)

    def read_entry(self, entry_id: int) -> Entry:
        return reads.entry(self.reader, entry_id)

    def read_hold(self, hold_id: int) -> Hold:
        return reads.hold(self.reader, hold_id, self.now)

    def findings(self) -> list[Finding]:
        return verify(self.reader).findings

    def raw(self, *, foreign_keys: bool = True) -> apsw.Connection:
        """Open the file with plain SQLite, as a shell would."""
        connection = apsw.Connection(str(self.path))
        connection.pragma("foreign_keys", foreign_keys)
        return connection

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return everything that the book holds, except outcomes and its clock."""
        return {table: list(self.reader.connection.execute(sql)) for table, sql in TABLES.items()}


def lines(*sides: LineFields) -> list[dict[str, Any]]:
    """Return the lines of an entry, each given as account, amount and direction."""
    return [{"account_id": id_, "amount": amount, "direction": direction} for id_, amount, direction in sides]


def posting(*sides: LineFields) -> dict[str, Any]:
    """Return the fields of an entry with these lines."""
    return {"lines": lines(*sides)}


def resource(outcome: Outcome) -> Any:
    """Return what a write made, which must not have been refused."""
    assert outcome.refusal is None, outcome.refusal
    assert outcome.resource is not None
    return outcome.resource


def refusal(outcome: Outcome) -> RefusalRecord:
    """Return why a write was refused, which it must have been."""
    assert outcome.resource is None, outcome.resource
    assert outcome.refusal is not None
    return outcome.refusal


def answer(outcome: Outcome) -> tuple[int, bytes]:
    """Return an outcome as its caller gets it, byte for byte."""
    told = of_outcome(outcome)
    return told.http_status, told.body


def complaints(kind: str, fields: object, *, address: int | None = None) -> dict[str, str]:
    """Return every complaint about a request, by JSON pointer; empty when there is none."""
    try:
        if address is None:
            parse_command(Kind(kind), fields)
        else:
            parse_body(Kind(kind), fields, address)
    except InvalidRequest as invalid:
        errors: Any = invalid.facts["errors"]
        return {error["pointer"]: error["message"] for error in errors}
    return {}


def request(kind: str, **changes: Any) -> dict[str, Any]:
    """Return the least that a command of a kind must say, with changes; a field changed to `...` is left out."""
    least: dict[str, dict[str, Any]] = {
        "account": {"name": "Cash", "type": "asset"},
        "entry": {"lines": lines((1, 5, "debit"), (2, 5, "credit"))},
        "bulk": {"entries": [posting((1, 5, "debit"), (2, 5, "credit"))]},
        "hold": {"account_id": 1, "amount": 5},
    }
    fields = least.get(kind) or {ADDRESS_FIELD[Kind(kind)]: 1}
    return {name: value for name, value in {**fields, **changes}.items() if value is not ...}
