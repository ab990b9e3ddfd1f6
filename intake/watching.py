"""Watching descriptors: each is looked at when something happened to it, and not in every turn of the server's loop.

waitress asks every connection in every turn what it waits for, which with many of them costs more than serving them.
"""

import itertools
import select
import selectors
from collections.abc import Callable
from typing import Any, TypeAlias

from waitress import wasyncore

from intake.turns import in_turns

Ready: TypeAlias = tuple[selectors.SelectorKey, int]


class Watched(dict[int, Any]):
    """waitress's map of descriptors to what reads and writes them. It belongs to the thread of the loop."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = selectors.DefaultSelector()
        self._wanted: dict[int, int] = {}  # what each is watched for; none that waits for nothing
        self._changed: set[int] = set()  # what they wait for may be another thing now
        self._numbers = itertools.count(1)
        self._last_turn: dict[int, int] = {}  # the number of the last one of each, while several orgs called

    def __setitem__(self, descriptor: int, item: Any) -> None:
        super().__setitem__(descriptor, item)
        self._changed.add(descriptor)

    def __delitem__(self, descriptor: int) -> None:
        super().__delitem__(descriptor)
        self._last_turn.pop(descriptor, None)
        if self._wanted.pop(descriptor, 0):
            self._selector.unregister(descriptor)

    def look_at(self, descriptor: int) -> None:
        """Have it asked again what it waits for."""
        self._changed.add(descriptor)

    def look_at_all(self) -> None:
        """Have all of them asked again what they wait for."""
        self._changed.update(self)

    def turn(self, timeout_s: float, then: Callable[[], None] = lambda: None, of_each_org: int | None = None) -> None:
        """Wait for something to happen, so long at most, and have it dealt with by whom it happened to.

        `then` is called after each of them. Of each org no more are dealt with than is said, those first whose last
        turn was the longest ago; the others come again.
        """
        changed, self._changed = self._changed, set()
        for descriptor in changed:
            item = self.get(descriptor)
            if item is not None:
                self._watch(descriptor, item)
        happened = self._selector.select(timeout_s)
        if of_each_org is not None:
            happened = self._next_of(happened, of_each_org)
        for key, events in happened:
            descriptor = key.fd
            item = self.get(descriptor)
            if item is not None:
                self._changed.add(descriptor)
                readable = select.POLLIN if events & selectors.EVENT_READ else 0
                wasyncore.readwrite(item, readable | (select.POLLOUT if events & selectors.EVENT_WRITE else 0))
                then()

    def _next_of(self, ready: list[Ready], of_each_org: int) -> list[Ready]:
        """Return those whose turn it is: the system names the same ones first each time that they are ready."""
        ready.sort(key=lambda each: self._last_turn.get(each[0].fd, 0))
        chosen, _ = in_turns(ready, self._org_of, of_each_org)
        self._last_turn.update((key.fd, next(self._numbers)) for key, _ in chosen)
        return chosen

    def _org_of(self, ready: Ready) -> str | None:
        """Return whose connection is ready, as far as its last request told; None if it is no caller's."""
        org: str | None = getattr(self.get(ready[0].fd), "org", None)
        return org

    def close(self) -> None:
        """Watch nothing any more."""
        self._selector.close()

    def _watch(self, descriptor: int, item: Any) -> None:
        wants = selectors.EVENT_READ if item.readable() else 0
        if item.writable() and not item.accepting:
            wants |= selectors.EVENT_WRITE
        wanted = self._wanted.get(descriptor, 0)
        if wants == wanted or descriptor not in self:  # asking may have closed it
            return
        self._wanted.pop(descriptor, None)  # the system may refuse, and then it is not watched
        if not wants:
            self._selector.unregister(descriptor)
            return
        if wanted:
            self._selector.modify(descriptor, wants)
        else:
            self._selector.register(descriptor, wants)
        self._wanted[descriptor] = wants
