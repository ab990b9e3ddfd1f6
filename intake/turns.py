"""Turns among callers: requests that wait for a thread are taken org by org, so that a flood of one delays no other.

A request is of the org that its key was seen to be of. All whose key was not seen yet, or is wrong, are strangers and
have the turns of one org: else whoever names many of them, or another one's, would get theirs. Among themselves they
take turns by the org that they name, since most of them are honest. Who names none is nobody's, as are probes.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

Each = TypeVar("Each")


class Whose(NamedTuple):
    """Whose a request is: the org in whose turn it is served, the one that it names, and whether that would be let in.

    That is without looking into the registry.
    """

    org: str
    named: str
    is_let_in: bool


NOBODY = Whose("", "", is_let_in=False)
STRANGERS = "?"  # which no org is called


class _Groups:
    """Connections that wait in groups, each with a name. Groups take turns, the one whose turn is next first."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Any] | _Groups] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, names: Sequence[str], channel: Any, *, first: bool) -> None:
        """Have a connection wait in the group of a name, and in that in the one of the next name."""
        name, *more = names
        if more:
            inner = self._waiting.setdefault(name, _Groups())
            assert isinstance(inner, _Groups), "a group that is parted is always so"
            inner.put(more, channel, first=first)
            return
        waiting = self._waiting.setdefault(name, deque())
        assert isinstance(waiting, deque), "a group that is not parted never is"
        if first:
            waiting.appendleft(channel)
        else:
            waiting.append(channel)

    def popleft(self) -> Any:
        """Take the connection whose turn it is."""
        name, waiting = next(iter(self._waiting.items()))
        channel = waiting.popleft()
        if waiting:
            self._waiting.move_to_end(name)
        else:
            del self._waiting[name]
        return channel


class Turns:
    """Connections with a request to be served, in the form of waitress's own queue; its dispatcher locks it."""

    def __init__(self) -> None:
        self._groups = _Groups()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, channel: Any) -> None:
        """Have a connection wait: behind those of its org, or before them if its request waits to be finished."""
        request = channel.requests[0]
        whose: Whose = request.whose
        names = [whose.org, whose.named] if whose.org == STRANGERS else [whose.org]
        self._groups.put(names, channel, first=request.parked is not None)
        self._count += 1

    def popleft(self) -> Any:
        """Take the connection whose turn it is."""
        self._count -= 1
        return self._groups.popleft()


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
