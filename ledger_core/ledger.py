"""`apply`: the only way to write to a book. It loads, lets the rules decide, and saves, in one transaction."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple, cast

from ledger_core import instants, reads
from ledger_core.chain import GENESIS
from ledger_core.commands import (
    CaptureHold,
    CloseAccount,
    OpenAccount,
    PlaceHold,
    PostBulk,
    PostEntry,
    ReleaseHold,
    ReverseEntry,
)
from ledger_core.errors import GivenUp, Refusal, RefusedInBulk, TooLate
from ledger_core.model import Account, Bulk, BulkItem, Entry, Hold, Outcome, Resource, Submission
from ledger_core.operations import operation_id_in_bulk
from ledger_core.rules.accounts import close_account, open_account
from ledger_core.rules.entries import Posting, Slot, post_entry, reverse_entry
from ledger_core.rules.holds import Held, capture_hold, expire_hold, place_hold, release_hold
from ledger_core.store import load, save
from ledger_core.store.book import Book

HOLDS_AT_ONCE = 500  # are loaded to be expired: all may be very many
SMALL_ENTRIES_MAX = 64  # so many change fewer pages than a connection keeps, and are quicker done without room for more


class Applied(NamedTuple):
    """What became of commands, once they are committed. Any thread may call `commit`, which waits for the disk."""

    outcomes: list[Outcome]
    commit: Callable[[], None]


def apply(
    book: Book,
    submissions: Sequence[Submission],
    clock: Callable[[], int] = instants.now_us,
    too_late: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """Apply commands to a book, in their order, in one transaction with one reading of the clock.

    A command whose operation was decided before gets that outcome again and changes nothing.
    A refusal is an outcome, kept for ever like any other. When this returns, all of it is on disk.

    `too_late` is asked once the book is ours, and again when all that is left is to commit.

    Returns:
        One outcome for each submission, in the same order.

    Raises:
        StorageUnavailable: the book can't be written, or, as TooLate, it is too late; nothing of this call was.
        Exception: a bug in one of them; nothing of this call was written, and each may be tried alone.
    """
    with applied(book, submissions, clock, too_late) as turn:
        turn.commit()
    return turn.outcomes


@contextmanager
def applied(
    book: Book,
    submissions: Sequence[Submission],
    clock: Callable[[], int] = instants.now_us,
    too_late: Callable[[], bool] = lambda: False,
) -> Iterator[Applied]:
    """Apply commands as `apply` does, for a block that commits them itself; else nothing of it is written."""

    def commit_in_time() -> None:
        _check_time(book, too_late)
        commit()

    wanted = _wanted(submissions)
    with book.begun(is_large=wanted.entries > SMALL_ENTRIES_MAX) as commit:
        _check_time(book, too_late)
        turn = _Turn(book, clock(), wanted)
        outcomes = [turn.outcome(submission) for submission in submissions]
        turn.finish()
        yield Applied(outcomes, commit_in_time)


# The types of commands below are exact: `isinstance` would ask pydantic, which takes longer than the rest.


class _Wanted(NamedTuple):
    """What commands ask for, found in one pass: most transactions have one command, and are many."""

    operation_ids: list[bytes]
    accounts: set[int]  # that entries, holds and captures name, but for those of which only a hold knows
    holds: set[int]
    entries: int


def _wanted(submissions: Iterable[Submission]) -> _Wanted:
    operation_ids: list[bytes] = []
    accounts: set[int | None] = set()
    holds: set[int] = set()
    entries = 0
    for submission in submissions:
        operation_ids.append(submission.operation_id)
        entries += 1
        command = submission.command
        if type(command) is PostEntry:
            for line in command.lines:
                accounts.add(line.account_id)
        elif type(command) is PlaceHold:
            accounts.update((command.account_id, command.counter_account_id))
        elif type(command) is CaptureHold:
            accounts.add(command.counter_account_id)
            holds.add(command.hold_id)
        elif type(command) is ReleaseHold:
            holds.add(command.hold_id)
        elif type(command) is PostBulk:
            entries += len(command.entries) - 1
    accounts.discard(None)
    return _Wanted(operation_ids, cast("set[int]", accounts), holds, entries)


def _check_time(book: Book, too_late: Callable[[], bool]) -> None:
    if too_late():
        raise TooLate(f"{book.org}: came to its turn too late")


def give_up(book: Book, submission: Submission, clock: Callable[[], int] = instants.now_us) -> Outcome:
    """Record that a command is not carried out, for ever, unless it was decided before; return what became of it.

    Raises:
        StorageUnavailable: the book can't be written; nothing was.
    """
    with book.transaction():
        turn = _Turn(book, clock(), _wanted([submission]))
        outcome = turn.given_up(submission)
        turn.finish()
        return outcome


class _Turn:
    """One transaction's work: what it has loaded and decided so far."""

    def __init__(self, book: Book, clock_at: int, wanted: _Wanted) -> None:
        self._book = book
        self._statements = book.connection.statements
        start = load.start(self._statements, clock_at, wanted.accounts, wanted.operation_ids)
        self._currency = start.currency
        self._last_at = start.last_at
        self._now = max(clock_at, start.last_at)  # a machine's clock may go back; a book's does not
        self._slot = self._first_slot = Slot((start.entry_id or 0) + 1, self._now, start.entry_hash or GENESIS)
        self._is_changed = False  # by anything that is of now
        self._accounts = {account.id: account for account in start.accounts}
        self._new = set(wanted.operation_ids).difference(start.decided)  # operations that surely were not decided
        self._holds: dict[int, Hold] = {}  # those that were loaded or changed, as they stand at this point
        self._next_hold_id: int | None = None  # None: the book was not asked yet
        self._unwritten = save.Unwritten(self._statements)
        if start.has_due_holds:
            self._expire_holds()
        if wanted.holds:
            self._load_holds(wanted.holds)

    def expect(self, submissions: Sequence[Submission]) -> None:
        """Load at once what they would ask for one by one: whether they were decided, and the accounts of entries."""
        wanted = _wanted(submissions)
        self._new.update(wanted.operation_ids)
        self._new.difference_update(load.decided(self._statements, wanted.operation_ids))
        self._known(wanted.accounts)

    def finish(self) -> None:
        """Write what is yet to be written, and the book's clock, unless an entry of now says what it is."""
        self.write()
        if self._is_changed and self._now > self._last_at and self._slot is self._first_slot:
            save.last_at(self._statements, self._now)

    def write(self) -> None:
        """Write what is yet to be written."""
        self._unwritten.write()

    def outcome(self, submission: Submission) -> Outcome:
        """Decide one command, unless it was decided before, and record the outcome with what it changes."""
        command = submission.command
        fingerprint = command.fingerprint()
        before = self._decided(submission, fingerprint)
        if before is not None:
            return before
        resource: Resource | None = None
        refusal = None
        try:
            resource = self._decide(submission)
        except Refusal as refused:
            refusal = refused
        return self._recorded(submission, fingerprint, resource, refusal)

    def given_up(self, submission: Submission) -> Outcome:
        """Record that a command is given up, unless it was decided before."""
        fingerprint = submission.command.fingerprint()
        before = self._decided(submission, fingerprint)
        return before or self._recorded(submission, fingerprint, None, GivenUp())

    def _decided(self, submission: Submission, fingerprint: bytes) -> Outcome | None:
        if submission.operation_id in self._new:
            return None
        self.write()
        return reads.decided(self._book, submission, fingerprint)

    def _recorded(
        self, submission: Submission, fingerprint: bytes, resource: Resource | None, refusal: Refusal | None
    ) -> Outcome:
        outcome = Outcome(
            submission.operation_id,
            submission.command.kind,
            submission.submitted_at,
            self._now,
            False,
            resource,
            None if refusal is None else refusal.record(submission.request_id, submission.command.address),
        )
        self._is_changed = True
        self._new.discard(submission.operation_id)
        self._unwritten.operation(outcome, fingerprint, submission.submission)
        if isinstance(resource, Bulk):
            self.write()
            save.bulk(self._statements, submission.operation_id, resource)
        return outcome

    def _decide(self, submission: Submission) -> Resource:
        command = submission.command
        if isinstance(command, PostEntry):  # all of its accounts that exist were loaded, or opened since
            return self._save_posting(post_entry(command, accounts=self._accounts, slot=self._slot))
        match command:
            case PostBulk() as command:
                return self._post_bulk(submission, command)
            case ReverseEntry() as command:
                self._unwritten.write_journal()
                entry = load.entry(self._statements, command.entry_id)
                accounts = self._known(line.account_id for line in entry.lines) if entry else {}
                return self._save_posting(reverse_entry(command, entry=entry, accounts=accounts, slot=self._slot))
            case PlaceHold() as command:
                accounts = self._known([command.account_id, command.counter_account_id])
                hold_id = self._next_hold_id or load.last_hold_id(self._statements) + 1
                return self._save_held(place_hold(command, accounts=accounts, hold_id=hold_id, now=self._now))
            case CaptureHold() as command:
                hold = self._hold(command.hold_id)
                ids = [hold.account_id, command.counter_account_id or hold.counter_account_id] if hold else []
                return self._save_held(capture_hold(command, hold=hold, accounts=self._known(ids), slot=self._slot))
            case ReleaseHold() as command:
                hold = self._hold(command.hold_id)
                account = self._known([hold.account_id])[hold.account_id] if hold else None
                return self._save_held(release_hold(command, hold=hold, account=account, now=self._now))
            case OpenAccount() as command:
                return self._open(command)
            case CloseAccount() as command:
                self._unwritten.write_journal()
                account = self._known([command.account_id]).get(command.account_id)
                closed = close_account(command, account=account, now=self._now)
                save.account_closed(self._statements, closed)
                self._accounts[closed.id] = closed
                return closed

    def _post_bulk(self, submission: Submission, command: PostBulk) -> Bulk:
        """Post the entries of a bulk, each a write of its own with its own outcome, or none of them."""
        self.write()
        entries = self._entries_of(submission, command)
        self.expect(entries)
        before = dict(self._accounts), self._slot
        try:
            with self._undone_if_refused(entries):
                bulk = Bulk(tuple(self._bulk_items(entries)))
                self.write()
                return bulk
        except Refusal:
            self._unwritten.forget()
            self._accounts, self._slot = before
            raise

    def _undone_if_refused(self, entries: Sequence[Submission]) -> AbstractContextManager[None]:
        """Undo what is written for a bulk in a block that a refusal ends.

        Where each entry is a new write, nothing is before all are decided. A savepoint would keep, of each page that is
        changed, what it was, and SQLite goes through all of that once for each statement.
        """
        operation_ids = {entry.operation_id for entry in entries}
        is_new = len(operation_ids) == len(entries) and operation_ids <= self._new
        return nullcontext() if is_new else self._book.savepoint()

    def _entries_of(self, submission: Submission, command: PostBulk) -> list[Submission]:
        bulk_id, sending, _, request_id, submitted_at = submission
        org = self._book.org
        return [
            Submission(operation_id_in_bulk(org, bulk_id, position, entry), sending, entry, request_id, submitted_at)
            for position, entry in enumerate(command.entries)
        ]

    def _bulk_items(self, entries: Sequence[Submission]) -> Iterator[BulkItem]:
        for position, entry in enumerate(entries):
            outcome = self.outcome(entry)
            if outcome.refusal is not None:
                raise RefusedInBulk(position, outcome.refusal)
            assert isinstance(outcome.resource, Entry), "what is applied has its resource"
            yield BulkItem(entry.operation_id, outcome.resource)

    def _open(self, command: OpenAccount) -> Account:
        owner = None if command.code is None else load.code_owner(self._statements, command.code)
        opened = open_account(
            command,
            account_id=load.last_account_id(self._statements) + 1,
            book_currency=self._currency,
            code_owner=owner,
            now=self._now,
        )
        save.account(self._statements, opened)
        self._accounts[opened.id] = opened
        return opened

    def _save_posting(self, posting: Posting) -> Entry:
        self._unwritten.entry(posting.entry)
        self._accounts.update(posting.accounts)
        self._slot = Slot(posting.entry.id + 1, self._now, posting.entry.hash)
        return posting.entry

    def _save_held(self, held: Held) -> Hold:
        if held.entry is not None:
            self._save_posting(Posting(held.entry, held.accounts))
        if held.event.version == 1:
            self._unwritten.hold(held.hold)
            self._next_hold_id = held.hold.id + 1
        self._unwritten.hold_event(held.event)
        self._holds[held.hold.id] = held.hold
        self._accounts.update(held.accounts)
        self._is_changed = True
        return held.hold

    def _expire_holds(self) -> None:
        due = load.due_holds(self._statements, self._now)
        for first in range(0, len(due), HOLDS_AT_ONCE):
            for hold in self._load_holds(due[first : first + HOLDS_AT_ONCE]):
                self._save_held(expire_hold(hold, self._accounts[hold.account_id]))
            self._unwritten.write_journal()
            self._holds.clear()

    def _load_holds(self, hold_ids: Collection[int]) -> Sequence[Hold]:
        """Load at once those of the holds that exist, and the accounts that they name."""
        holds = load.holds(self._statements, hold_ids)
        self._holds.update((hold.id, hold) for hold in holds)
        self._known([account_id for hold in holds for account_id in (hold.account_id, hold.counter_account_id)])
        return holds

    def _hold(self, hold_id: int) -> Hold | None:
        """Return a hold as it stands at this point of the transaction; None when there is none."""
        return self._holds.get(hold_id) or load.hold(self._statements, hold_id)

    def _known(self, account_ids: Iterable[int | None]) -> Mapping[int, Account]:
        """Return the accounts as they stand at this point of the transaction; those of them that exist are in it."""
        known = self._accounts
        missing = {each for each in account_ids if each is not None and each not in known}
        if missing:
            known.update((account.id, account) for account in load.accounts(self._statements, missing))
        return known
