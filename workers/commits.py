"""Commits wait for the disk in threads of their own, so that those of several orgs are under way at once."""

import logging
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import NamedTuple

logger = logging.getLogger("ledger.workers")

COMMITS_MAX = 8  # at once: beyond it a disk gains little, and each that is under way keeps a book busy


class _Begun(NamedTuple):
    number: int
    commit: Callable[[], None]
    ended: "SimpleQueue[tuple[int, BaseException | None]]"


class Commits:
    """Runs the commits of a worker, several at once. One thread at a time may use it."""

    def __init__(self, at_once: int = COMMITS_MAX) -> None:
        self.at_once = at_once
        self._threads_max = at_once - 1  # and the one that calls
        self._threads = 0
        self._begun: SimpleQueue[_Begun] = SimpleQueue()

    def run(self, commits: Sequence[Callable[[], None]]) -> list[BaseException | None]:
        """Run commits to their end, and return for each, in their order, with what error it failed, if it did."""
        if len(commits) > 1 and self._threads < self._threads_max:
            self._start()
        ended: SimpleQueue[tuple[int, BaseException | None]] = SimpleQueue()
        errors: list[BaseException | None] = [None] * len(commits)
        by_others = max(len(commits) - 1, 0) if self._threads else 0
        for number in range(by_others):
            self._begun.put(_Begun(number, commits[number], ended))
        try:
            for number in range(by_others, len(commits)):
                errors[number] = error_of(commits[number])
        finally:  # also when something ends this process: none is left half done
            for _ in range(by_others):
                number, error = ended.get()
                errors[number] = error
        return errors

    def _start(self) -> None:
        try:
            while self._threads < self._threads_max:
                name = f"commits {self._threads}"
                threading.Thread(target=_keep_running, args=(self._begun,), name=name, daemon=True).start()
                self._threads += 1
        except RuntimeError as error:  # the system gives no more
            logger.warning("%d commits at once, not %d: %s", self._threads + 1, self._threads_max + 1, error)
            self._threads_max = self._threads


def _keep_running(begun: "SimpleQueue[_Begun]") -> None:
    while True:
        number, commit, ended = begun.get()
        ended.put((number, error_of(commit)))


def error_of(commit: Callable[[], None]) -> BaseException | None:
    """Run a commit to its end, in this thread, and return with what error it failed, if it did."""
    try:
        commit()
    except BaseException as error:
        return error
    return None
