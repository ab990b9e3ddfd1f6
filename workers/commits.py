"""Commits wait for the disk in threads of their own, so that those of several orgs are under way at once."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import NamedTuple

logger = logging.getLogger("ledger.workers")

COMMITS_MAX = 8  # at once: beyond it a disk gains little, and each that is under way keeps a book busy


class Ended(NamedTuple):
    """A commit that has ended, with its error if it failed."""

    org: str
    error: BaseException | None


class Commits:
    """The commits of a worker that are under way. One thread at a time may use it."""

    def __init__(self, threads: int = COMMITS_MAX) -> None:
        self._threads = threads
        self._begun: SimpleQueue[tuple[str, Callable[[], None]]] = SimpleQueue()
        self._ended: SimpleQueue[Ended] = SimpleQueue()
        self._running = 0
        self.under_way = 0

    @property
    def is_full(self) -> bool:
        """Tell whether one must end before another one may begin."""
        return self.under_way >= max(self._running, 1)

    def begin(self, org: str, commit: Callable[[], None]) -> None:
        """Have an org's commit run in one of the threads; in this one if there is none."""
        self.under_way += 1
        if self._running < self._threads:
            self._start()
        if self._running:
            self._begun.put((org, commit))
        else:
            self._ended.put(run(org, commit))

    def wait_for_one(self) -> Ended:
        """Wait until one of those that are under way has ended."""
        ended = self._ended.get()
        self.under_way -= 1
        return ended

    def wait_for_all(self) -> None:
        """Wait until none is under way any more."""
        while self.under_way:
            self.wait_for_one()

    def _start(self) -> None:
        try:
            while self._running < self._threads:
                name = f"commits {self._running}"
                threading.Thread(target=_keep_running, args=(self._begun, self._ended), name=name, daemon=True).start()
                self._running += 1
        except RuntimeError as error:  # the system gives no more
            logger.warning("%d commits at once, not %d: %s", self._running, self._threads, error)
            self._threads = self._running


def _keep_running(begun: "SimpleQueue[tuple[str, Callable[[], None]]]", ended: "SimpleQueue[Ended]") -> None:
    while True:
        ended.put(run(*begun.get()))


def run(org: str, commit: Callable[[], None]) -> Ended:
    """Run a commit to its end, in this thread."""
    try:
        commit()
    except BaseException as error:
        return Ended(org, error)
    return Ended(org, None)
