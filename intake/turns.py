"""Turns among callers: requests that wait for a thread are taken org by org, so that a flood of one delays no other.

A request is of the org that its key was seen to be of. All whose key was not seen yet, or is wrong, wait as if they
were of one org: else whoever names many of them, or another one's, would get their turns.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Each = TypeVar("Each")


class Turns:
    """Connections with a request to be served, in the form of waitress's own queue; its dispatcher locks it."""

    def __init__(self) -> None:
        self._by_org: OrderedDict[str, deque[Any]] = OrderedDict()  # the org whose turn is next first
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, channel: Any) -> None:
        """Have a connection wait: behind those of its org, or before them if its request waits to be finished."""
        request = channel.requests[0]
        waiting = self._by_org.setdefault(request.org, deque())
        if request.parked is not None:
            waiting.appendleft(channel)
        else:
            waiting.append(channel)
        self._count += 1

    def popleft(self) -> Any:
        """Take the connection whose turn it is."""
        org, waiting = next(iter(self._by_org.items()))
        channel = waiting.popleft()
        if waiting:
            self._by_org.move_to_end(org)
        else:
            del self._by_org[org]
        self._count -= 1
        return channel


def in_turns(ready: Sequence[Each], org_of: Callable[[Each], str | None], most: int) -> tuple[list[Each], list[Each]]:
    """Return those whose turn it is, so many of each org, the first of each first; and those who are left.

    Those of no org come before all others.
    """
    before: Counter[str | None] = Counter()
    turns: list[tuple[int, int]] = []
    left: list[Each] = []
    for place, each in enumerate(ready):
        org = org_of(each)
        if org is None:
            turns.append((-1, place))
        elif before[org] < most:
            turns.append((before[org], place))
        else:
            left.append(each)
        before[org] += 1
    return [ready[place] for _, place in sorted(turns)], left
