"""Fair queueing: what waits for a lane leaves org by org in turns, so that nobody's backlog is everybody's delay.

Deficit round robin with two lists, after "FlowQueue-CoDel" (RFC 8290, section 4): an org that had nothing waiting
goes before those that have a backlog, once, and then takes its turn like they do.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from intake.tickets import Ticket

TURN_WEIGHT = 32  # what one org sends before the next has its turn: a few milliseconds of a worker


class FairQueue:
    """Commands that wait, the first in of each org the first out. Not for several threads at once."""

    def __init__(self) -> None:
        self._new: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._old: OrderedDict[str, deque[Ticket]] = OrderedDict()  # an org whose turn is over stays, perhaps empty
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, tickets: Sequence[Ticket]) -> None:
        """Have commands wait, each behind those of its org."""
        for ticket in tickets:
            self._line(ticket.org).append(ticket)
        self._count += len(tickets)

    def put_back(self, tickets: Sequence[Ticket]) -> None:
        """Have commands wait that were taken, each before those of its org."""
        for ticket in reversed(tickets):
            self._line(ticket.org).appendleft(ticket)
        self._count += len(tickets)

    def take(self, commands_max: int, weight_max: int) -> list[Ticket]:
        """Take out the next commands: so many, and no more weight than that unless one alone has more.

        Behind newcomers a backlog gets a quarter of the room: they are answered when the whole message is done.
        """
        taken: list[Ticket] = []
        weight = 0
        newcomers = set(self._new)
        while len(taken) < commands_max and (line := self._new or self._old):
            org, waiting = next(iter(line.items()))
            if newcomers and org not in newcomers:
                weight_max, newcomers = min(weight_max, weight + weight_max // 4), set()
            turn = 0
            while waiting and turn < TURN_WEIGHT and len(taken) < commands_max:
                if taken and weight + waiting[0].weight > weight_max:
                    break
                taken.append(waiting.popleft())
                turn += taken[-1].weight
                weight += taken[-1].weight
            is_full = bool(waiting) and turn < TURN_WEIGHT
            if turn or not waiting:
                self._end_turn(line, org)
            if is_full:
                break
        self._count -= len(taken)
        return taken

    def remove(self, unwanted: Callable[[Ticket], bool]) -> list[Ticket]:
        """Take out every command that is unwanted."""
        removed: list[Ticket] = []
        for line in (self._new, self._old):
            for org, waiting in line.items():
                removed += [ticket for ticket in waiting if unwanted(ticket)]
                line[org] = deque(ticket for ticket in waiting if not unwanted(ticket))
        self._count -= len(removed)
        return removed

    def _line(self, org: str) -> deque[Ticket]:
        found = self._old.get(org)
        return self._new.setdefault(org, deque()) if found is None else found

    def _end_turn(self, line: OrderedDict[str, deque[Ticket]], org: str) -> None:
        waiting = line.pop(org)
        if waiting or (line is self._new and self._old):
            self._old[org] = waiting
