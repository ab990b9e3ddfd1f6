"""Lanes as intake sees them: what waits for one, what is under way, and when its next message may go."""

import threading
from collections.abc import Sequence
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


class Sent(NamedTuple):
    """A message under way. Ids rise, and a lane answers in the order of its messages."""

    message_id: int
    tickets: Sequence[Ticket]
    sent_at_s: float


class Lane:
    """A lane: commands that wait for it, and messages on it. Its methods are called with its lock held."""

    __slots__ = (
        "answered_at_s",
        "answered_id",
        "lock",
        "losses",
        "message_s",
        "number",
        "sent",
        "waiting",
        "weight_max",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.lock = threading.Lock()
        self.waiting = FairQueue()
        self.sent: dict[int, Sent] = {}  # the oldest first
        self.answered_id = 0
        self.answered_at_s = 0.0
        self.losses = 0  # since it last answered
        self.message_s = 0.0  # what its messages take of late
        self.weight_max = WEIGHT_MAX

    def is_free(self, now_s: float) -> bool:
        """Tell whether the next message may go."""
        if not self.sent:
            return True
        if self.losses > 1:
            return False
        if len(self.sent) < AHEAD_MAX and len(self.waiting) >= self.weight_max:
            return True
        last = self.sent[next(reversed(self.sent))]
        late_s = min(max(LATE_S, LATE_TIMES * self.message_s), LATE_S_MAX)
        return now_s - last.sent_at_s >= late_s and len(self.sent) < UNANSWERED_MAX

    def take_batch(self) -> list[Ticket]:
        """Take out what the next message carries: so many commands, and no more entries than a worker does in time."""
        commands_max = PROBE_COMMANDS if self.losses > 1 else COMMANDS_PER_MESSAGE_MAX
        return self.waiting.take(commands_max, self.weight_max)

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

    def answered(self, message_id: int, now_s: float, worked_s: float | None = None) -> None:
        """Note that a message was answered, and how long its worker had to do with it, if that is known."""
        sent = self.sent.pop(message_id, None)
        if sent is not None:
            took_s = now_s - max(sent.sent_at_s, self.answered_at_s)
            self.message_s += (took_s - self.message_s) / 8
            self._fit(sent, took_s if worked_s is None else worked_s)
        self.answered_id = max(self.answered_id, message_id)
        self.answered_at_s = now_s
        self.losses = 0

    def _fit(self, sent: Sent, took_s: float) -> None:
        """Have full messages take as long as they should, whatever the worker, its disk and the commands are like."""
        weight = sum(ticket.weight for ticket in sent.tickets)
        if took_s > MESSAGE_S and weight > WEIGHT_MIN and len(sent.tickets) > 1:
            fitting = weight * max(MESSAGE_S / took_s, SHRINK_MAX)
            self.weight_max = max(min(self.weight_max, int(fitting)), WEIGHT_MIN)
        elif took_s < MESSAGE_S and weight * 2 > self.weight_max:
            self.weight_max = min(int(self.weight_max * GROW), WEIGHT_MAX)
