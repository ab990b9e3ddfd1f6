"""A book that is written and loses its power: what was answered is in it, whole, and it goes on."""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from ledger_core import ledger
from ledger_core.errors import StorageUnavailable
from ledger_core.model import Submission
from ledger_core.store.book import Book
from ledger_core.verify import verify
from tests.crash.disk import Answered, Submitted
from tests.crash.explore import State
from tests.crash.recording import Recording, recording
from tests.crash.turns import Turns
from tests.ledger_core.builders import NOON, ORG, SECOND, Ledger, answer

TABLES = ["book", "accounts", "entries", "lines", "holds", "hold_events", "operations", "bulk_entries"]

SENT_AGAIN = 15

Prepare = Callable[[apsw.Connection], object]


class BusyBook:
    """Runs turns on a book, and knows what each left in it and was answered. Step 0 is the empty book."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.states: list[bytes] = []
        self.answers: list[list[tuple[Submission, tuple[int, bytes]]]] = []
        self.now = NOON

    def run(self, record: Recording, turns: int, prepare: Prepare, fail_every: int | None = None) -> None:
        """Make a book in the folder of a recording and run turns on it, with restarts and checkpoints in between.

        Of the turns each that `fail_every` divides fails in the last sync of its commit, and is told so.
        """
        record.note(Submitted(0))
        driver = Ledger(record.root)
        source = Turns(driver, self._seed)
        prepare(driver.book.connection)
        self._answered(record, driver, [], [])
        for step in range(1, turns + 1):
            if step % 17 == 0:
                driver.reopen()
                prepare(driver.book.connection)
            if step % 23 == 0:
                driver.book.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
            driver.pass_s(5)
            sent = source.next()
            record.note(Submitted(step))
            if fail_every and step % fail_every == 0:
                self._failed(record, driver, sent)
                continue
            outcomes = driver.apply(*sent)
            self._answered(record, driver, sent, [answer(outcome) for outcome in outcomes])
            source.learn(sent, outcomes)
        driver.close()
        self.now = driver.now

    def check(self, folder: Path, answered: int, submitted: int) -> None:
        """Check what power loss left of the book: it opens, it is whole, nothing answered is lost, and it goes on."""
        book = Book.open_writer(folder, ORG)
        try:
            self.check_open(book, answered, submitted)
        finally:
            book.close()

    def check_open(self, book: Book, answered: int, submitted: int) -> None:
        """Check a book that is open."""
        found = verify(book).findings
        assert not found, found[:3]
        self._is_one_of(book.connection, answered, submitted)
        self._still_answered(book, answered)
        self.goes_on(book)

    def goes_on(self, book: Book) -> None:
        """Check that a book takes one more command."""
        before = book.connection.execute("select coalesce(max(id), 0) from accounts").fetchone()
        driver = _Driver(book, self.now + SECOND)
        assert driver.account() == before[0] + 1

    def _answered(
        self, record: Recording, driver: Ledger, sent: list[Submission], told: list[tuple[int, bytes]]
    ) -> None:
        self.states.append(fingerprint(driver.book.connection))
        self.answers.append(list(zip(sent, told, strict=True)))
        record.note(Answered(len(self.states) - 1))

    def _failed(self, record: Recording, driver: Ledger, sent: list[Submission]) -> None:
        """Apply a turn on a disk that fails, as a worker does while intake reads: it drops the book, and opens it."""
        record.failing = 1
        with pytest.raises(StorageUnavailable) as failed:
            driver.apply(*sent)
        assert failed.type is StorageUnavailable
        driver.book.close()
        driver.book = Book.open_writer(driver.folder, ORG)
        self._answered(record, driver, [], [])

    def _is_one_of(self, connection: apsw.Connection, answered: int, submitted: int) -> None:
        at = fingerprint(connection)
        assert at in self.states, "the book is as it never was"
        step = self.states.index(at)  # a turn of retries alone leaves it as it was
        last = len(self.states) - 1 - self.states[::-1].index(at)
        assert last >= answered, f"the book is as after step {last}, and step {answered} was answered"
        assert step <= submitted, f"the book is as after step {step}, and step {submitted} was the last submitted"

    def _still_answered(self, book: Book, answered: int) -> None:
        """Send again the last commands that were answered, and some before them. All rows were compared already."""
        told = [pair for step in self.answers[: answered + 1] for pair in step]
        dice = random.Random(len(told))
        told = dice.sample(told[:-SENT_AGAIN], min(SENT_AGAIN, len(told[:-SENT_AGAIN]))) + told[-SENT_AGAIN:]
        again = [submission._replace(submission=-number) for number, (submission, _) in enumerate(told, start=1)]
        for outcome, (submission, first) in zip(ledger.apply(book, again, lambda: self.now), told, strict=True):
            assert outcome.replayed, f"an answered {submission.command.kind} is lost"
            assert answer(outcome) == first, f"an answered {submission.command.kind} has another answer"


class Recovery:
    """What a book does after power loss: it is opened, made whole, and goes on. Step 0: as it was left; 1: gone on."""

    def __init__(self, book: BusyBook, left: State) -> None:
        self._book = book
        self._left = left
        self._gone_on = b""

    def run(self, record: Recording) -> None:
        """Do it."""
        record.note(Answered(0))
        record.note(Submitted(1))
        book = Book.open_writer(record.root, ORG)
        self._book.goes_on(book)
        self._gone_on = fingerprint(book.connection)
        record.note(Answered(1))
        book.close()

    def check(self, folder: Path, answered: int, submitted: int) -> None:
        """Check what a second power loss left: the same as the first, or more."""
        book = Book.open_writer(folder, ORG)
        try:
            if fingerprint(book.connection) != self._gone_on:
                assert not answered, "what was answered after the first power loss is lost"
                self._book.check_open(book, self._left.answered, self._left.submitted)
            else:
                assert not verify(book).findings
        finally:
            book.close()


class _Driver(Ledger):
    """A driver of a book that is open."""

    def __init__(self, book: Book, now: int) -> None:
        self.folder, self.org, self.book, self.now = Path(), book.org, book, now
        self._submissions = iter(range(1 << 40, 1 << 41))


def fingerprint(connection: apsw.Connection) -> bytes:
    """Return what tells one state of a book from another: every row of every table."""
    whole = hashlib.blake2b(digest_size=16)
    for table in TABLES:
        for row in connection.execute(f"select * from {table}"):
            whole.update(repr(row).encode())
    return whole.digest()


def as_it_is(connection: apsw.Connection) -> None:
    """Leave the settings of a book as the product has them."""


def busy(connection: apsw.Connection) -> None:
    """Have a book do often what a large one does seldom: fold its WAL in, and write before it commits."""
    connection.pragma("wal_autocheckpoint", 40)
    connection.pragma("cache_size", 12)


def recorded(
    root: Path, *, turns: int, seed: int, prepare: Prepare = busy, lying: bool = False, fail_every: int | None = None
):
    """Return a recording of a book, and the book's scenario, which checks what is left of it."""
    scenario = BusyBook(seed)
    with recording(root, lying=lying) as record:
        scenario.run(record, turns, prepare, fail_every)
    return record, scenario
