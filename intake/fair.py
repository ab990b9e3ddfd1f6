"""Fair queueing: what waits for a lane leaves org by org in turns, so that nobody's backlog is everybody's delay.

Deficit round robin with two lists, after "FlowQueue-CoDel" (RFC 8290, section 4): an org that had nothing waiting
goes before those that have a backlog, once, and then takes its turn like they do. Heavy commands leave by themselves,
and what its org sent after them waits until they are done.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Container, Sequence

from intake.tickets import Ticket

TURN_WEIGHT = 32  # what one org sends before the next has its turn: a few milliseconds of a worker


class FairQueue:
    """Commands that wait, the first in of each org the first out. Not for several threads at once."""

    def __init__(self) -> None:
        self._new: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._old: OrderedDict[str, deque[Ticket]] = OrderedDict()  # an org whose turn is over stays, perhaps empty
        self._aside: OrderedDict[str, deque[Ticket]] = OrderedDict()  # behind a heavy one, which waits or is under way
        self._heavy: Counter[str] = Counter()  # those under way
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def light(self) -> int:
        """How many wait that are neither heavy nor behind a heavy one."""
        return self._count - sum(map(len, self._aside.values())) if self._aside else self._count

    @property
    def has_heavy(self) -> bool:
        """Tell whether a heavy one may go."""
        return bool(self._aside) and any(waiting and waiting[0].is_heavy for waiting in self._aside.values())

    def add(self, tickets: Sequence[Ticket]) -> None:
        """Have commands wait, each behind those of its org."""
        for ticket in tickets:
            waiting = self._line(ticket.org)
            waiting.append(ticket)
            if ticket.is_heavy and len(waiting) == 1:
                self._settle(ticket.org)
        self._count += len(tickets)

    def put_back(self, tickets: Sequence[Ticket]) -> None:
        """Have commands wait that were taken, each before those of its org."""
        for ticket in reversed(tickets):
            self._line(ticket.org).appendleft(ticket)
            if ticket.is_heavy:
                self._settle(ticket.org)
        self._count += len(tickets)

    def take(self, commands_max: int, weight_max: int) -> list[Ticket]:
        """Take out the next commands: so many, no more weight than that unless one alone has more, and no heavy ones.

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
            while waiting and not waiting[0].is_heavy and turn < TURN_WEIGHT and len(taken) < commands_max:
                if taken and weight + waiting[0].weight > weight_max:
                    break
                taken.append(waiting.popleft())
                turn += taken[-1].weight
                weight += taken[-1].weight
            is_full = bool(waiting) and not waiting[0].is_heavy and turn < TURN_WEIGHT
            if turn or not waiting:
                self._end_turn(line, org)
            if is_full:
                break
        self._count -= len(taken)
        return taken

    def has_newcomer(self, but_for: Container[str]) -> bool:
        """Tell whether an org that had nothing waiting has now, one that is not left out."""
        return any(org not in but_for for org in self._new)

    def take_newcomers(self, but_for: Container[str], weight_max: int) -> list[Ticket]:
        """Take out what newcomers have waiting, without those that are left out, and no more weight than that."""
        taken: list[Ticket] = []
        weight = 0
        for org in [each for each in self._new if each not in but_for]:
            waiting, turn = self._new[org], 0
            while waiting and turn < TURN_WEIGHT and weight + waiting[0].weight <= weight_max:
                if waiting[0].is_heavy:
                    break
                taken.append(waiting.popleft())
                turn += taken[-1].weight
                weight += taken[-1].weight
            if turn:
                self._end_turn(self._new, org)
        self._count -= len(taken)
        return taken

    def take_heavy(self) -> Ticket | None:
        """Take out the next heavy command, if there is one; its org's others wait until `heavy_done`."""
        for org, waiting in self._aside.items():
            if waiting and waiting[0].is_heavy:
                self._aside.move_to_end(org)
                self._heavy[org] += 1
                self._count -= 1
                return waiting.popleft()
        return None

    def heavy_done(self, org: str) -> None:
        """Note that a heavy command of an org is not under way any more."""
        self._heavy[org] -= 1
        if not self._heavy[org]:
            del self._heavy[org]
            self._settle(org)

    def remove(self, unwanted: Callable[[Ticket], bool]) -> list[Ticket]:
        """Take out every command that is unwanted."""
        removed: list[Ticket] = []
        for line in (self._new, self._old, self._aside):
            for org, waiting in line.items():
                removed += [ticket for ticket in waiting if unwanted(ticket)]
                line[org] = deque(ticket for ticket in waiting if not unwanted(ticket))
        self._count -= len(removed)
        for org in {ticket.org for ticket in removed}:
            self._settle(org)
        return removed

    def _line(self, org: str) -> deque[Ticket]:
        for line in (self._old, self._aside):
            if org in line:
                return line[org]
        return self._new.setdefault(org, deque())

    def _end_turn(self, line: OrderedDict[str, deque[Ticket]], org: str) -> None:
        waiting = line.pop(org)
        if waiting or (line is self._new and self._old):
            self._old[org] = waiting
            self._settle(org)

    def _settle(self, org: str) -> None:
        """Have an org's commands wait where they belong, by its first one and by what is under way."""
        line = next(line for line in (self._new, self._old, self._aside) if org in line)
        waiting = line[org]
        is_aside = org in self._heavy or bool(waiting and waiting[0].is_heavy)
        if is_aside is not (line is self._aside):
            del line[org]
            if is_aside:
                self._aside[org] = waiting
            elif waiting:
                self._old[org] = waiting
