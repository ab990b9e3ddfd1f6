"""The proof: everything that a book says of itself, worked out again from its lines and hold events."""

from collections.abc import Iterator
from itertools import groupby, islice
from operator import attrgetter
from typing import NamedTuple

from ledger_core.chain import GENESIS, entry_hash
from ledger_core.instants import format_instant
from ledger_core.limits import LINES_PER_ENTRY_MIN
from ledger_core.model import Account, Line
from ledger_core.money import Side
from ledger_core.store import load, scan
from ledger_core.store.book import Book


class Finding(NamedTuple):
    """One thing that does not add up: which record, and what is wrong with it."""

    subject: str
    problem: str


class Report(NamedTuple):
    """What a proof went through and what it found. The books are right when `findings` is empty.

    `head` is the hash of the last entry: whoever noted it down can tell later that nothing before it was changed.
    """

    org: str
    accounts: int
    entries: int
    lines: int
    holds: int
    operations: int
    last_at: str
    head: str
    findings: list[Finding]


FINDINGS_MAX = 1_000  # a broken book is broken; more would only hide the first cause


def verify(book: Book) -> Report:
    """Work out the whole book again, on one state of it, and compare.

    Checked: the file and its references; its guards; numbers without gaps and times that never go back; each entry's
    lines, balance and hash; each line's running totals and version; each account's totals, version and held funds;
    each hold's figures and status; each outcome's resource.

    Raises:
        StorageUnavailable: the book can't be read.
    """
    proof = _Proof(book)
    with book.snapshot():
        findings: list[Finding] = []
        try:
            findings.extend(islice(proof.findings(), FINDINGS_MAX))
        except ValueError as error:
            findings.append(Finding("file", f"has a record that can't be read: {error}"))
        last_at = load.book(book.connection).last_at
    return Report(
        org=book.org,
        accounts=len(proof.accounts),
        entries=proof.entries,
        lines=proof.lines,
        holds=len(proof.holds),
        operations=proof.operations,
        last_at=format_instant(last_at),
        head=proof.head.hex(),
        findings=findings,
    )


class _Sums:
    """What an account stands at, worked out line by line."""

    __slots__ = ("credits", "debits", "held", "version")

    def __init__(self) -> None:
        self.debits = self.credits = self.held = self.version = 0


class _HoldSums:
    """What a hold stands at, worked out event by event."""

    __slots__ = ("account_id", "amount", "captured", "released", "status", "version")

    def __init__(self, account_id: int, amount: int) -> None:
        self.account_id, self.amount = account_id, amount
        self.captured = self.released = self.version = 0
        self.status = "active"


class _Proof:
    def __init__(self, book: Book) -> None:
        self._connection = book.connection
        self.accounts: dict[int, Account] = {}
        self.sums: dict[int, _Sums] = {}
        self.holds: dict[int, _HoldSums] = {}
        self.entries = self.lines = self.operations = self.last_at = 0
        self.head = GENESIS

    def findings(self) -> Iterator[Finding]:
        yield from (Finding("file", fault) for fault in scan.file_faults(self._connection))
        yield from self._guards()
        for number, account in enumerate(scan.accounts(self._connection), start=1):
            self.accounts[account.id] = account
            self.sums[account.id] = _Sums()
            if account.id != number:
                yield Finding(f"account {account.id}", f"should be number {number}")
            if account.metadata is scan.UNREADABLE:
                yield Finding(f"account {account.id}", "has metadata that can't be read")
        yield from self._entries()
        yield from self._holds()
        yield from self._accounts()
        yield from self._operations()
        if self.last_at > load.book(self._connection).last_at:
            yield Finding("book", "its clock stands before what was written")

    def _guards(self) -> Iterator[Finding]:
        found = scan.guards(self._connection)
        for name, sql in GUARDS.items():
            if name not in found:
                yield Finding("schema", f"the guard {name} is gone")
            elif found[name] != sql:
                yield Finding("schema", f"the guard {name} is not as this program made it")

    def _entries(self) -> Iterator[Finding]:
        posted_at = 0
        for number, (entry_id, entry, rows) in enumerate(self._entries_with_lines(), start=1):
            subject = f"entry {entry_id}"
            self.lines += len(rows)
            if entry is None:
                yield Finding(subject, "has lines but was never posted")
                continue
            self.entries += 1
            if entry_id != number:
                yield Finding(subject, f"should be number {number}")
            if entry.posted_at < posted_at:
                yield Finding(subject, "was posted at an earlier time than the entry before it")
            posted_at = self.last_at = entry.posted_at
            yield from self._lines(subject, rows)
            yield from self._chain(subject, entry, tuple(row.line for row in rows))

    def _entries_with_lines(self) -> Iterator[tuple[int, scan.EntryRow | None, list[scan.LineRow]]]:
        """Yield each entry with its lines, and each set of lines that has no entry, by rising ids."""
        lines = groupby(scan.lines(self._connection), key=attrgetter("entry_id"))
        batches = ((entry_id, list(rows)) for entry_id, rows in lines)
        ahead = next(batches, None)
        for entry in scan.entries(self._connection):
            while ahead is not None and ahead[0] < entry.id:
                yield ahead[0], None, ahead[1]
                ahead = next(batches, None)
            if ahead is not None and ahead[0] == entry.id:
                yield entry.id, entry, ahead[1]
                ahead = next(batches, None)
            else:
                yield entry.id, entry, []
        while ahead is not None:
            yield ahead[0], None, ahead[1]
            ahead = next(batches, None)

    def _lines(self, subject: str, rows: list[scan.LineRow]) -> Iterator[Finding]:
        if len(rows) < LINES_PER_ENTRY_MIN:
            yield Finding(subject, f"has {len(rows)} lines")
        if [row.position for row in rows] != list(range(len(rows))):
            yield Finding(subject, "has lines missing")
        differences: dict[str, int] = {}
        for row in rows:
            line = row.line
            account = self.accounts.get(line.account_id)
            if account is None:
                yield Finding(subject, f"names account {line.account_id}, which does not exist")
                continue
            signed = line.amount if line.side is Side.DEBIT else -line.amount
            differences[account.currency] = differences.get(account.currency, 0) + signed
            yield from self._running(subject, line)
        for currency, difference in differences.items():
            if difference:
                yield Finding(subject, f"is out of balance by {difference} {currency}")

    def _running(self, subject: str, line: Line) -> Iterator[Finding]:
        sums = self.sums[line.account_id]
        sums.version += 1
        if line.side is Side.DEBIT:
            sums.debits += line.amount
        else:
            sums.credits += line.amount
        if (line.version, line.debits, line.credits) != (sums.version, sums.debits, sums.credits):
            yield Finding(subject, f"its line on account {line.account_id} carries other running totals than its lines")

    def _chain(self, subject: str, entry: scan.EntryRow, lines: tuple[Line, ...]) -> Iterator[Finding]:
        expected = entry_hash(
            self.head,
            entry.id,
            entry.posted_at,
            entry.description,
            entry.idempotency_key,
            entry.metadata,
            entry.reverses,
            entry.hold_id,
            lines,
        )
        if entry.hash != expected:
            yield Finding(subject, "does not carry the hash of its content and of the entry before it")
        self.head = entry.hash

    def _holds(self) -> Iterator[Finding]:
        written = {}
        for number, row in enumerate(scan.holds(self._connection), start=1):
            written[row.id] = row
            self.holds[row.id] = _HoldSums(row.account_id, row.amount)
            if row.id != number:
                yield Finding(f"hold {row.id}", f"should be number {number}")
        at = 0
        for event in scan.hold_events(self._connection):
            if event.at < at:
                yield Finding(f"hold {event.hold_id}", "has an event at an earlier time than the event before it")
            at = event.at
            self.last_at = max(self.last_at, at)
            yield from self._hold_event(event)
        for hold_id, sums in self.holds.items():
            row = written[hold_id]
            if not sums.version:
                yield Finding(f"hold {hold_id}", "was never placed")
            figures = (sums.captured, sums.released, sums.status, sums.version)
            if (row.captured, row.released, row.status, row.version) != figures:
                yield Finding(f"hold {hold_id}", "shows other figures than its events")

    def _hold_event(self, event: scan.HoldEventRow) -> Iterator[Finding]:
        subject = f"hold {event.hold_id}"
        hold, account = self.holds.get(event.hold_id), self.sums.get(event.account_id)
        if hold is None or account is None or hold.account_id != event.account_id:
            yield Finding(subject, "has an event of a hold or an account that does not exist")
            return
        hold.version += 1
        hold.captured += event.captured
        hold.released += event.released
        done = hold.captured + hold.released == hold.amount
        hold.status = event.kind if done else "active"
        account.held += (hold.amount if event.kind == "placed" else 0) - event.captured - event.released
        if event.version != hold.version:
            yield Finding(subject, "has events missing")
        if event.held != account.held:
            yield Finding(subject, f"its event {event.version} carries another held total than its account's events")
        if event.kind == "captured":
            yield from self._captured_entry(subject, event)

    def _captured_entry(self, subject: str, event: scan.HoldEventRow) -> Iterator[Finding]:
        assert event.entry_id is not None
        entry = load.entry(self._connection, event.entry_id)
        if entry is None or entry.hold_id != event.hold_id:
            yield Finding(subject, f"was captured by entry {event.entry_id}, which does not say so")
        elif sum(line.amount for line in entry.lines if line.account_id == event.account_id) != event.captured:
            yield Finding(subject, f"was captured by entry {event.entry_id}, which moved another amount")

    def _accounts(self) -> Iterator[Finding]:
        for account in self.accounts.values():
            subject, sums = f"account {account.id}", self.sums[account.id]
            if (account.debits, account.credits, account.version) != (sums.debits, sums.credits, sums.version):
                yield Finding(subject, "stands at other totals than its lines")
            if account.held != sums.held:
                yield Finding(subject, f"holds {account.held}, and its hold events come to {sums.held}")
            if account.closed_at is not None and (account.total or account.held):
                yield Finding(subject, "is closed but not empty")

    def _operations(self) -> Iterator[Finding]:
        for operation in scan.operations(self._connection):
            self.operations += 1
            self.last_at = max(self.last_at, operation.finished_at)
            subject_id = operation.subject_id
            if subject_id is not None and not self._exists(operation.id, operation.kind, subject_id):
                subject = f"operation {operation.id.hex()}"
                yield Finding(subject, f"answered with {operation.kind} {subject_id}, which does not exist")

    def _exists(self, operation_id: bytes, kind: str, subject_id: int) -> bool:
        if kind == "bulk":
            items = load.bulk_entries(self._connection, operation_id)
            return len(items) == subject_id and all(1 <= entry_id <= self.entries for _, entry_id in items)
        if kind in ("entry", "reversal"):
            return 1 <= subject_id <= self.entries
        return subject_id in (self.accounts if kind in ("account", "closure") else self.holds)


GUARDS = scan.guards_of_new()
