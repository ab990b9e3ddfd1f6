"""Accepting writes: what is answered `202` is on disk first, many in one commit, and reaches an outcome."""

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

from intake import metrics
from intake.aside import Aside
from intake.dispatch import Dispatch
from intake.known import Answers, Known
from intake.readers import Readers
from ledger_core import reads
from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Accepted, Inbox
from ledger_core.model import Submission
from ledger_core.store.inbox import AcceptedRow
from wire.log import about

logger = logging.getLogger("ledger.intake")

REST_S = 1.0  # how long a turn waits for something to accept, before it forgets what has its outcome

Told: TypeAlias = Callable[[StorageUnavailable | None, Answers], None]


class _Bid:
    """The writes of one request that are to be accepted. `known` is None until it was looked up."""

    __slots__ = ("items", "known", "org", "told")

    def __init__(self, org: str, items: Sequence[Accepted], told: Told, known: Answers | None) -> None:
        self.org = org
        self.items = items
        self.told = told
        self.known = known

    def new(self) -> list[Accepted]:
        """Return those that are not known."""
        known = self.known or {}
        return [item for item in self.items if item.submission.submission not in known]

    def tell(self, error: StorageUnavailable | None) -> None:
        """Tell whoever asked; a fault in what follows must not keep the others from hearing of theirs."""
        try:
            self.told(error, self.known or {})
        except Exception:
            logger.exception("a bug in what follows an acceptance")


class Acceptance:
    """The inbox, as many requests at once use it: what comes while a commit runs shares the next one.

    `on_told` is called when those of one commit were told. `on_bid` is called for each request, and sees to it that
    `go_on` is called: at once, or when more may have come. Those of one commit are told in a block of `gathered`.
    """

    def __init__(self, inbox: Inbox, known: Known) -> None:
        self._inbox = inbox
        self._known = known
        self._changed = threading.Condition()
        self._bids: list[_Bid] = []
        self._settled: list[Submission] = []
        self._far: SimpleQueue[list[_Bid]] = SimpleQueue()  # of one org each, whose book is not at hand
        self._error: StorageUnavailable | None = None  # of the last commit
        self.on_told: Callable[[], None] = lambda: None
        self.on_bid: Callable[[], None] = self.go_on
        self.gathered: Callable[[], AbstractContextManager[None]] = nullcontext

    def accept_soon(self, org: str, items: Sequence[Accepted], told: Told, *, look_up: bool = True) -> None:
        """Have writes of one org put on disk, and something told, once: why not, or None when they are on it.

        They will then reach an outcome. With `look_up`, those of which an answer is known already are told with it,
        and not accepted.
        """
        with self._changed:
            self._bids.append(_Bid(org, items, told, None if look_up else {}))
        self.on_bid()

    def go_on(self) -> None:
        """Have the next commit begin."""
        with self._changed:
            self._changed.notify()

    def accept(self, items: Sequence[Accepted]) -> None:
        """Put writes on disk that are under way. When this returns, they will reach an outcome.

        Raises:
            StorageUnavailable: none of them was accepted.
        """
        done = threading.Event()
        errors: list[StorageUnavailable] = []

        def told(error: StorageUnavailable | None, known: Answers) -> None:
            if error is not None:
                errors.append(error)
            done.set()

        self.accept_soon(items[0].org, items, told, look_up=False)
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
            if not self._bids:
                self._changed.wait(REST_S)
            bids, self._bids = self._bids, []
            settled, self._settled = self._settled, []
        bids = self._looked_up(bids)
        new = [item for bid in bids for item in bid.new()]
        if not bids and not settled:
            return
        error = self._commit(new, settled) if new or settled else None
        with self.gathered():
            for bid in bids:
                bid.tell(error if bid.new() else None)
        self.on_told()

    def look_up_once(self) -> None:
        """Wait a moment for writes whose book is not at hand, and look up what is known of them."""
        try:
            bids = self._far.get(timeout=REST_S)
        except Empty:
            return
        if bids:
            self._look_up(bids)

    def _look_up(self, bids: Sequence[_Bid]) -> None:
        try:
            known = self._known.of(bids[0].org, _keyed(bids))
        except Exception as fault:
            if len(bids) > 1 and not isinstance(fault, StorageUnavailable):
                for bid in bids:
                    self._look_up([bid])  # a fault in one of them is no other's
                return
            error = _as_unavailable(fault)
            for bid in bids:
                bid.tell(error)
            return
        for bid in bids:
            bid.known = known
        with self._changed:
            self._bids.extend(bids)
            self._changed.notify()

    def _looked_up(self, bids: Sequence[_Bid]) -> list[_Bid]:
        """Return those of which it is known, now, what is known of them; the others come again."""
        by_org: dict[str, list[_Bid]] = {}
        for bid in bids:
            if bid.known is None:
                by_org.setdefault(bid.org, []).append(bid)
        for org, of_org in by_org.items():
            known = self._known.at_hand(org, _keyed(of_org))
            for bid in of_org:
                bid.known = known
            if known is None:
                self._far.put(of_org)
        return [bid for bid in bids if bid.known is not None]

    def _commit(self, new: Sequence[Accepted], settled: Sequence[Submission]) -> StorageUnavailable | None:
        self._error = None
        try:
            self._inbox.accept(new, settled)
        except Exception as fault:  # whatever it is, whoever waits must hear of it
            self._error = _as_unavailable(fault)
        return self._error


def _keyed(bids: Sequence[_Bid]) -> list[Accepted]:
    """Return those of which something can be known: without a key a write is another one each time it is asked for."""
    return [item for bid in bids for item in bid.items if item.submission.command.idempotency_key is not None]


def _as_unavailable(fault: Exception) -> StorageUnavailable:
    logger.error("inbox: %s", fault, exc_info=None if isinstance(fault, StorageUnavailable) else fault)
    return fault if isinstance(fault, StorageUnavailable) else StorageUnavailable(f"inbox: {fault}")


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

        for item in self._inbox.waiting(unreadable, skip=self._is_under_way):
            if item.submission.operation_id not in set_aside and not self._aside.is_out(item.org):
                self._sweep_one(item)
        metrics.INBOX_SWEEPS.inc()

    def _is_under_way(self, operation_id: bytes) -> bool:
        """Tell whether this process has an operation under way, as nearly all are while there is a backlog."""
        return self._dispatch.pending(operation_id) is not None or self._dispatch.is_set_aside(operation_id)

    def _sweep_one(self, item: Accepted) -> None:
        submission = item.submission
        operation_id = submission.operation_id
        try:
            with self._readers.book(item.org) as book:
                outcome = reads.operation(book, operation_id)
            if outcome is not None:
                self._inbox.drop(operation_id)
            else:
                self._dispatch.send(self._dispatch.tickets(item.org, [submission], accepted=True))
        except StorageUnavailable as error:
            logger.warning("can't sweep for %s: %s", item.org, error, extra=about(submission.request_id))
