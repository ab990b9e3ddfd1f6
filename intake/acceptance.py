"""Accepting writes: what is answered `202` is on disk first, many in one commit, and reaches an outcome."""

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from intake import metrics
from intake.aside import Aside
from intake.dispatch import Dispatch
from intake.readers import Readers
from ledger_core import reads
from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Accepted, Inbox
from ledger_core.model import Submission
from ledger_core.store.inbox import AcceptedRow
from wire.log import about

logger = logging.getLogger("ledger.intake")

REST_S = 1.0  # how long a turn waits for something to accept, before it forgets what has its outcome

Told = Callable[[StorageUnavailable | None], None]


class Acceptance:
    """The inbox, as many requests at once use it: what comes while a commit runs shares the next one."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._changed = threading.Condition()
        self._items: list[Accepted] = []
        self._told: list[Told] = []
        self._settled: list[Submission] = []
        self._error: StorageUnavailable | None = None  # of the last commit

    def accept_soon(self, items: Sequence[Accepted], told: Told) -> None:
        """Have writes put on disk, and something told, once: None when they are, and will reach an outcome."""
        with self._changed:
            self._items.extend(items)
            self._told.append(told)
            self._changed.notify()

    def accept(self, items: Sequence[Accepted]) -> None:
        """Put writes on disk. When this returns, they will reach an outcome.

        Raises:
            StorageUnavailable: none of them was accepted.
        """
        done = threading.Event()
        errors: list[StorageUnavailable] = []

        def told(error: StorageUnavailable | None) -> None:
            if error is not None:
                errors.append(error)
            done.set()

        self.accept_soon(items, told)
        done.wait()
        if errors:
            raise errors[0]

    def find(self, operation_id: bytes) -> Accepted | None:
        """Return the write that first took an operation's id, while it waits.

        Raises:
            StorageUnavailable: the inbox can't be read.
        """
        return self._inbox.find(operation_id)

    def check(self) -> None:
        """Check that the inbox can be used.

        Raises:
            StorageUnavailable: it can't, or the last write to it failed.
        """
        self._inbox.find(bytes(16))
        if self._error is not None:
            raise self._error

    def settle(self, submission: Submission) -> None:
        """Note that a write has its outcome; it is forgotten with one of the next commits."""
        with self._changed:
            self._settled.append(submission)

    def commit_once(self) -> None:
        """Wait a moment for something to accept, and put all that there is on disk in one commit."""
        with self._changed:
            if not self._items:
                self._changed.wait(REST_S)
            items, self._items = self._items, []
            told, self._told = self._told, []
            settled, self._settled = self._settled, []
        if not items and not settled:
            return
        error = None
        try:
            self._inbox.accept(items, settled)
        except Exception as fault:  # whatever it is, whoever waits must hear of it
            logger.exception("inbox")
            error = fault if isinstance(fault, StorageUnavailable) else StorageUnavailable(f"inbox: {fault}")
        self._error = error
        for tell in told:
            try:
                tell(error)
            except Exception:
                logger.exception("a bug in what follows an acceptance")  # the others must hear of theirs


class Sweeper:
    """Sends accepted writes on their way that nobody has under way, such as those of a process that ended.

    Of several intakes on one data folder one sweeps; another one takes over when it ends.
    """

    def __init__(self, folder: Path, inbox: Inbox, readers: Readers, dispatch: Dispatch, aside: Aside) -> None:
        self._inbox = inbox
        self._aside = aside
        self._readers = readers
        self._dispatch = dispatch
        self._lock = os.open(folder / "sweeper.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def sweep(self) -> None:
        """Go through the inbox once: forget what has its outcome, and send the rest.

        What was set aside waits for an operator, and what is for an org whose book can't be used for the book.

        Raises:
            StorageUnavailable: the inbox can't be read.
        """
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        set_aside = self._aside.operation_ids()

        def unreadable(row: AcceptedRow, error: Exception) -> None:
            if row.operation_id not in set_aside:
                self._aside.keep_unreadable(row, error)

        for item in self._inbox.waiting(unreadable):
            if item.submission.operation_id not in set_aside and not self._aside.is_out(item.org):
                self._sweep_one(item)
        metrics.INBOX_SWEEPS.inc()

    def _sweep_one(self, item: Accepted) -> None:
        submission = item.submission
        operation_id = submission.operation_id
        if self._dispatch.pending(operation_id) is not None or self._dispatch.is_set_aside(operation_id):
            return
        try:
            with self._readers.book(item.org) as book:
                outcome = reads.operation(book, operation_id)
            if outcome is not None:
                self._inbox.drop(operation_id)
            else:
                self._dispatch.send(self._dispatch.tickets(item.org, [submission], accepted=True))
        except StorageUnavailable as error:
            logger.warning("can't sweep for %s: %s", item.org, error, extra=about(submission.request_id))
