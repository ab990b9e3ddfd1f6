"""Callers as threads: many that all start together, and such as write one thing after the other."""

import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

import httpx

from tests.system.orgs import Org
from tests.waiting import eventually

Result = TypeVar("Result")


def at_once(count: int, call: Callable[[int], Result]) -> list[Result]:
    """Call that many times at once, each with its number from 0, and return what each came to, in their order."""
    start = threading.Barrier(count)
    results: dict[int, Result] = {}
    errors: list[BaseException] = []

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = call(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [results[number] for number in range(count)]


class Caller(threading.Thread):
    """Writes one thing after the other on one connection, each under its own key, until it was enough."""

    def __init__(self, org: Org, number: int) -> None:
        super().__init__(daemon=True)
        self._org = org
        self._number = number
        self.enough = threading.Event()
        self.answered: dict[str, httpx.Response] = {}  # by key

    def run(self) -> None:
        """Write."""
        with httpx.Client(base_url=self._org.stack.base_url, headers=self._org.headers, timeout=60) as http:
            while not self.enough.is_set():
                self.write(http, f"{self._number}-{len(self.answered)}")

    @abstractmethod
    def write(self, http: httpx.Client, key: str) -> None:
        """Make one write, and note its answer."""


def set_to_work(callers: Sequence[Caller]) -> None:
    """Start callers, and wait until all of them are at work."""
    for caller in callers:
        caller.start()
    go_on(callers)


def go_on(callers: Sequence[Caller], answers: int = 10) -> None:
    """Wait until each of some callers was answered so many times more."""
    before = {caller: len(caller.answered) for caller in callers}
    eventually(lambda: all(len(caller.answered) > before[caller] + answers for caller in callers), "all callers go on")


def send_home(callers: Sequence[Caller]) -> None:
    """Have callers end after what they are at."""
    for caller in callers:
        caller.enough.set()
    for caller in callers:
        caller.join(60)
