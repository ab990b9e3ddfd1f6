"""Lanes as intake sees them: what waits for one, what is under way, and when its next message may go."""

import threading
from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from intake.fair import FairQueue
from intake.tickets import Ticket
from wire.envelope import COMMANDS_PER_MESSAGE_MAX

LATE_S = 0.05  # after this the next message goes even though the one before it is unanswered,
LATE_TIMES = 4  # or after so many times what a message takes of late: on a busy machine that is no sign of a loss,
LATE_S_MAX = 0.5  # but no later than this
AHEAD_MAX = 2  # whole messages: of a backlog the next one lies ready when its worker is done with the one before
UNANSWERED_MAX = 8  # but no more than these: what a slow lane can't take waits here, not in the broker
LOST_S = 2.0  # a lane that answered nothing for so long has lost its messages, or its worker
LOST_S_MAX = 8.0  # while it stays silent, it is tried less and less often,
PROBE_COMMANDS = 50  # with one small message at a time: what a dead worker left must not fill the broker

WEIGHT_MAX = 1_000  # entries in a message: more would take its worker longer than a message may be unanswered
WEIGHT_MIN = 14  # fewer would cost more in messages than in entries
MESSAGE_S = 0.0025  # what a full message should take its worker: whoever comes next waits for it
SHRINK_MAX = 0.5  # one slow answer may be a pause of the machine
GROW = 1.25

HOLD_ORGS = 4  # in a message: its worker has a transaction for each, and does not wait long for the next message
HOLD_PART = 0.75  # of what such a message takes, in which no other lane sends its worker another

HEAVY_MAX = 2  # of a lane under way: one lies ready when its worker is done with the one before
CROWD_WEIGHT = WEIGHT_MIN // 2  # so much of one org in a message, and half of it, is a crowd: newcomers pass it


class Way(Enum):
    """How a message goes: behind those that lie on the lane; before them; or behind, to be carried out beside others.

    An express message has commands of orgs alone that have nothing on the lane, a heavy one has a single command.
    """

    PLAIN = auto()
    EXPRESS = auto()
    HEAVY = auto()


class Sent(NamedTuple):
    """A message under way. Ids rise, and a lane answers in the order of its messages, but for express and heavy ones.

    Heavy ones are answered in their own order.
    """

    message_id: int
    tickets: Sequence[Ticket]
    sent_at_s: float
    way: Way = Way.PLAIN
    orgs: frozenset[str] = frozenset()
    is_crowd: bool = False  # most of it is of one org

    @classmethod
    def of(cls, message_id: int, tickets: Sequence[Ticket], sent_at_s: float, way: Way) -> "Sent":
        """Return a message under way."""
        weights: Counter[str] = Counter()
        for ticket in tickets:
            weights[ticket.org] += ticket.weight
        most = max(weights.values())
        is_crowd = most >= CROWD_WEIGHT and most * 2 >= sum(weights.values())
        return cls(message_id, tickets, sent_at_s, way, frozenset(weights), is_crowd)


class Track:
    """Messages under way that are answered in the order in which they were sent, the oldest first."""

    __slots__ = ("answered_at_s", "answered_id", "losses", "sent")

    def __init__(self) -> None:
        self.sent: dict[int, Sent] = {}
        self.answered_id = 0
        self.answered_at_s = 0.0
        self.losses = 0  # since one was last answered

    def take_lost(self, now_s: float) -> list[Sent]:
        """Take out the messages that will not be answered.

        A lane that goes on answering is only slow: sending again would make it slower.
        """
        patience_s = min(LOST_S * 2 ** max(self.losses - 1, 0), LOST_S_MAX)
        oldest = next(iter(self.sent.values()), None)
        if oldest is not None and now_s - max(oldest.sent_at_s, self.answered_at_s) > patience_s:
            self.losses += 1  # the lane is silent: whatever became of one of them became of all
            lost = list(self.sent.values())
        else:
            lost = [sent for sent in self.sent.values() if sent.message_id < self.answered_id]
        for sent in lost:
            del self.sent[sent.message_id]
        return lost

    def was_answered(self, message_id: int, now_s: float) -> Sent | None:
        """Note that a message was answered, and return it if it was waited for."""
        sent = self.sent.pop(message_id, None)
        if sent is None or sent.way is not Way.EXPRESS:  # of those that an express message passed none is lost
            self.answered_id = max(self.answered_id, message_id)
        self.answered_at_s = now_s
        self.losses = 0
        return sent


class Lane(Track):
    """A lane: commands that wait for it, and messages on it. Its methods are called with its lock held.

    `heavy` messages have one command each, which its worker carries out beside the others.
    """

    __slots__ = ("alone", "heavy", "lock", "mates", "message_s", "number", "waiting", "weight_max", "worker")

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.lock = threading.Lock()
        self.waiting = FairQueue()
        self.heavy = Track()
        self.message_s = 0.0  # what its messages take of late
        self.weight_max = WEIGHT_MAX
        self.worker: str | None = None  # which process answered last, where that is known
        self.mates: Sequence[Lane] = ()  # the other lanes of its worker
        self.alone: Sent | None = None  # what it has under way, if that is one message, and one of many orgs

    def is_free(self, now_s: float) -> bool:
        """Tell whether the next message may go, behind those that are under way."""
        if self.mates and self._is_held(now_s):
            return False
        if not self.sent:
            return True
        if self.losses > 1:
            return False
        last, count = None, 0
        for sent in self.sent.values():
            if sent.way is Way.PLAIN:
                last, count = sent, count + 1
        if last is None or (count < AHEAD_MAX and self.waiting.light >= self.weight_max):
            return True
        late_s = min(max(LATE_S, LATE_TIMES * self.message_s), LATE_S_MAX)
        return now_s - last.sent_at_s >= late_s and len(self.sent) < UNANSWERED_MAX

    def is_free_for_heavy(self) -> bool:
        """Tell whether a heavy message may go: not to a lane that is silent."""
        silent = any(track.losses > 1 and track.sent for track in (self, self.heavy))
        return not silent and len(self.heavy.sent) < HEAVY_MAX

    def is_free_for_newcomers(self) -> bool:
        """Tell whether an express message may go: there are newcomers, and what they would wait behind is a crowd."""
        if self.losses:
            return False
        is_crowd = False
        for sent in self.sent.values():
            if sent.way is Way.EXPRESS:
                return False
            is_crowd = is_crowd or sent.is_crowd
        return is_crowd and self.waiting.has_newcomer(self._orgs_under_way())

    def may_send(self, now_s: float) -> bool:
        """Tell whether there is a message that may go."""
        waiting = self.waiting
        if not waiting:
            return False
        if waiting.has_heavy and self.is_free_for_heavy():
            return True
        return bool(waiting.light) and (self.is_free(now_s) or self.is_free_for_newcomers())

    def take(self, now_s: float) -> tuple[Way, list[Ticket]]:
        """Take out what the next message carries, and tell how it goes; nothing if none may go."""
        if self.is_free_for_heavy():
            ticket = self.waiting.take_heavy()
            if ticket is not None:
                return Way.HEAVY, [ticket]
        if self.is_free(now_s):
            return Way.PLAIN, self._take_batch()
        if self.is_free_for_newcomers():
            return Way.EXPRESS, self.waiting.take_newcomers(self._orgs_under_way(), self.weight_max)
        return Way.PLAIN, []

    def was_sent(self, sent: Sent) -> None:
        """Note that a message is under way."""
        track = self.heavy if sent.way is Way.HEAVY else self
        track.sent[sent.message_id] = sent
        self._note_alone()

    def find(self, message_id: int) -> Sent | None:
        """Return a message that is under way."""
        return self.sent.get(message_id) or self.heavy.sent.get(message_id)

    def take_back(self, sent: Sent, tickets: Sequence[Ticket]) -> None:
        """Note that a message is not under way after all, and have those of its commands wait again that shall.

        One that was answered, or taken for lost, before that was known is none of the lane's any more.
        """
        track = self.heavy if sent.way is Way.HEAVY else self
        if track.sent.pop(sent.message_id, None) is not None:
            self.waiting.put_back(tickets)
            self.is_done(sent)
            self._note_alone()

    def take_lost(self, now_s: float) -> list[Sent]:
        """Take out the messages that will not be answered."""
        lost = self.heavy.take_lost(now_s)
        for sent in lost:
            self.is_done(sent)
        lost = super().take_lost(now_s) + lost
        self._note_alone()
        return lost

    def is_done(self, sent: Sent) -> None:
        """Let those go on that waited for a heavy message, if it is one."""
        if sent.way is Way.HEAVY:
            self.waiting.heavy_done(sent.tickets[0].org)

    def answered(self, message_id: int, now_s: float, worked_s: float | None = None) -> None:
        """Note that a message was answered, and how long its worker had to do with it, if that is known."""
        heavy = self.heavy.sent.get(message_id)
        if heavy is not None:
            self.heavy.was_answered(message_id, now_s)
            self.is_done(heavy)
            return
        answered_at_s = self.answered_at_s
        sent = self.was_answered(message_id, now_s)
        self._note_alone()
        if sent is not None:
            took_s = now_s - max(sent.sent_at_s, answered_at_s)
            self.message_s += (took_s - self.message_s) / 8
            self._fit(sent, took_s if worked_s is None else worked_s)

    def _is_held(self, now_s: float) -> bool:
        """Tell whether its worker still has to do with a message of another lane, so that more may join the next one.

        Each message costs three processes as much as some of its commands. A full one gains nothing by waiting.
        """
        if self.waiting.light >= self.weight_max:
            return False
        for mate in self.mates:
            alone = mate.alone  # another thread may take it away meanwhile
            if alone is not None and now_s - alone.sent_at_s < mate.message_s * HOLD_PART:
                return True
        return False

    def _note_alone(self) -> None:
        self.alone = None
        if len(self.sent) == 1:
            (sent,) = self.sent.values()
            if sent.way is Way.PLAIN and len(sent.orgs) >= HOLD_ORGS:
                self.alone = sent

    def _take_batch(self) -> list[Ticket]:
        """Take out so many commands, and no more entries than a worker does in time."""
        commands_max = PROBE_COMMANDS if self.losses > 1 else COMMANDS_PER_MESSAGE_MAX
        return self.waiting.take(commands_max, self.weight_max)

    def _orgs_under_way(self) -> set[str]:
        return set().union(*[sent.orgs for track in (self, self.heavy) for sent in track.sent.values()])

    def _fit(self, sent: Sent, took_s: float) -> None:
        """Have full messages take as long as they should, whatever the worker, its disk and the commands are like."""
        weight = sum(ticket.weight for ticket in sent.tickets)
        if took_s > MESSAGE_S and weight > WEIGHT_MIN and len(sent.tickets) > 1:
            fitting = weight * max(MESSAGE_S / took_s, SHRINK_MAX)
            self.weight_max = max(min(self.weight_max, int(fitting)), WEIGHT_MIN)
        elif took_s < MESSAGE_S and weight * 2 > self.weight_max:
            self.weight_max = min(int(self.weight_max * GROW), WEIGHT_MAX)


def note_worker(lanes: Sequence[Lane], lane: Lane, worker: str | None) -> None:
    """Note which process answered for a lane: those of one worker are each other's mates, the next ones first."""
    if worker == lane.worker:
        return
    lane.worker = worker
    for each in lanes:
        others = (*lanes[each.number + 1 :], *lanes[: each.number])
        each.mates = [other for other in others if other.worker is not None and other.worker == each.worker]
