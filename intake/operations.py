"""Looking up operations: in the book when they are decided, in the inbox or on their way before."""

import threading
import time

from intake import problems
from intake.acceptance import Acceptance
from intake.aside import Aside
from intake.dispatch import Dispatch
from intake.readers import Readers
from intake.tickets import Readiness
from ledger_core import reads
from ledger_core.model import Submission
from wire.answers import operation_json, pending_json
from wire.resources import OperationJson

LOOK_EVERY_S = 0.5  # at an operation that another process may have under way


class Watch(Readiness):
    """Somebody waits for an operation's outcome, until an instant of the monotonic clock; ready: look again."""

    def __init__(self, org: str, operation_id: bytes, until_s: float) -> None:
        super().__init__()
        self.org = org
        self.operation_id = operation_id
        self.until_s = until_s
        self.look_at_s = time.monotonic() + LOOK_EVERY_S

    def wait(self) -> None:
        """Wait in this thread."""
        ready = threading.Event()
        self.when_ready(ready.set)
        ready.wait(max(self.until_s - time.monotonic(), 0.0))


class Operations:
    """Reads operations, and tells who waits for one. Any thread may use it."""

    def __init__(self, dispatch: Dispatch, acceptance: Acceptance, readers: Readers, aside: Aside) -> None:
        self._aside = aside
        self._dispatch = dispatch
        self._acceptance = acceptance
        self._readers = readers
        self._watches: list[Watch] = []
        self._lock = threading.Lock()

    def read(self, org: str, operation_id: bytes, until_s: float) -> OperationJson | Watch:
        """Read an operation of an org; while it is pending and `until_s` is not past, something to wait for.

        `until_s` is on the monotonic clock. Whoever has waited reads again.

        Raises:
            Rejected: operation_not_found.
            StorageUnavailable: the book or the inbox can't be read.
        """
        watch = Watch(org, operation_id, until_s)
        waits = time.monotonic() < until_s
        if waits:
            with self._lock:  # before it looks, so that what is settled meanwhile is not missed
                self._watches.append(watch)
        found = self._look(org, operation_id)
        if waits and found["status"] == "pending":
            return watch
        watch.until_s = 0.0
        return found

    def settled(self, operation_id: bytes) -> None:
        """Tell who waits for an operation that its outcome is there."""
        for watch in list(self._watches):
            if watch.operation_id == operation_id:
                watch.release()

    def end_waits(self, now_s: float) -> None:
        """Let those go on whose wait has run out, or who should look again; forget those who went on."""
        for watch in list(self._watches):
            if min(watch.until_s, watch.look_at_s) <= now_s:
                watch.release()
        with self._lock:
            self._watches = [watch for watch in self._watches if not watch.ready]

    def drain(self) -> None:
        """Have nobody wait any more: whoever does is told what there is, before this process ends."""
        for watch in list(self._watches):
            watch.until_s = 0.0
            watch.release()

    def _look(self, org: str, operation_id: bytes) -> OperationJson:
        pending = self._pending(org, operation_id)  # first, so that one decided in between is not missed
        with self._readers.book(org) as book:
            outcome = reads.operation(book, operation_id)
        if outcome is not None:
            return operation_json(outcome)
        if pending is not None:
            return pending_json(operation_id, pending.command.kind, pending.submitted_at)
        set_aside = self._aside.waiting(org, operation_id)
        if set_aside is None:
            raise problems.thing_not_found("operation")
        return pending_json(operation_id, *set_aside)

    def _pending(self, org: str, operation_id: bytes) -> Submission | None:
        ticket = self._dispatch.pending(operation_id)
        if ticket is not None and ticket.org == org:
            return ticket.submission
        accepted = self._acceptance.find(operation_id)
        return accepted.submission if accepted is not None and accepted.org == org else None
