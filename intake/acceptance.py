"""Accepting writes: what is answered `202` is on disk first, many in one commit, and reaches an outcome."""

import fcntl
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from intake.dispatch import Dispatch
from intake.readers import Readers
from ledger_core import reads
from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Accepted, Inbox
from ledger_core.model import Submission
from wire.log import about

logger = logging.getLogger("ledger.intake")


class _Commit:
    """Writes that go to disk together, and how that went."""

    def __init__(self) -> None:
        self.items: list[Accepted] = []
        self.done = False
        self.error: StorageUnavailable | None = None


class Acceptance:
    """The inbox, as many threads at once use it: who comes while a commit runs shares the next one."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._lock = threading.Lock()
        self._committing = threading.Lock()
        self._next = _Commit()
        self._settled: list[Submission] = []

    def accept(self, items: Sequence[Accepted]) -> None:
        """Put writes on disk. When this returns, they will reach an outcome.

        Raises:
            StorageUnavailable: none of them was accepted.
        """
        with self._lock:
            commit = self._next
            commit.items.extend(items)
        with self._committing:
            if not commit.done:
                self._run(commit)
        if commit.error is not None:
            raise commit.error

    def find(self, operation_id: bytes) -> Accepted | None:
        """Return the write that first took an operation's id, while it waits.

        Raises:
            StorageUnavailable: the inbox can't be read.
        """
        return self._inbox.find(operation_id)

    def settle(self, submission: Submission) -> None:
        """Note that a write has its outcome; it is forgotten with one of the next commits."""
        self._settled.append(submission)

    def flush(self) -> None:
        """Forget what has its outcome.

        Raises:
            StorageUnavailable: the inbox can't be written.
        """
        if self._settled:
            with self._committing, self._lock:
                settled, self._settled = self._settled, []
            self._inbox.accept([], settled)

    def _run(self, commit: _Commit) -> None:
        with self._lock:
            self._next = _Commit()
            settled, self._settled = self._settled, []
        try:
            self._inbox.accept(commit.items, settled)
        except StorageUnavailable as error:
            commit.error = error
        commit.done = True


class Sweeper:
    """Sends accepted writes on their way that nobody has under way, such as those of a process that ended.

    Of several intakes on one data folder one sweeps; another one takes over when it ends.
    """

    def __init__(self, folder: Path, inbox: Inbox, readers: Readers, dispatch: Dispatch) -> None:
        self._inbox = inbox
        self._readers = readers
        self._dispatch = dispatch
        self._lock = os.open(folder / "sweeper.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def sweep(self) -> None:
        """Go through the inbox once: forget what has its outcome, and send the rest.

        Raises:
            StorageUnavailable: the inbox can't be read.
        """
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for item in self._inbox.waiting():
            self._sweep_one(item)

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
