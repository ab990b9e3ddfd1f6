"""Dispatch: commands leave in messages, one unanswered message for each lane, and answers find who waits for them.

While a message is unanswered, what arrives meanwhile goes out together as the next one: a lone command leaves at once,
and under load messages grow by themselves. A late answer holds nobody up, and a command whose message seems lost is
sent again under its operation id, which makes it harmless.
"""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from intake import metrics, problems
from intake.tickets import Ticket
from ledger_core.model import Submission
from wire.answers import SET_ASIDE, Answer
from wire.envelope import COMMANDS_PER_MESSAGE_MAX, MESSAGE_VALID_S, Deadline, Item, Message, Reply, encode_message
from wire.lanes import lane_of
from wire.publisher import NotSent, PerhapsSent

LATE_S = 0.05  # after this the next message goes even though the one before it is unanswered
UNANSWERED_MAX = 8  # but no more than these: what a slow lane can't take waits here, not in the broker
WEIGHT_MAX = 1_000  # entries in a message: more would take its worker longer than a message may be unanswered
LOST_S = 2.0  # a lane that answered nothing for so long has lost its messages, or its worker
LOST_S_MAX = 8.0  # while it stays silent, it is tried less and less often,
PROBE_COMMANDS = 50  # with one small message at a time: what a dead worker left must not fill the broker
APPLY_S_MAX = 10.0  # a message that a worker began in time is surely done, or rolled back, this long after its deadline


class Publishes(Protocol):
    """What dispatch needs of a broker: `wire.publisher.Publisher`."""

    def publish(self, lane: int, text: str) -> None:
        """Put a message on a lane."""

    def reachable(self) -> bool:
        """Tell whether the broker answers."""


class _Sent(NamedTuple):
    """A message under way. Ids rise, and a lane answers in the order of its messages."""

    message_id: int
    tickets: Sequence[Ticket]
    sent_at_s: float


class _Lane:
    __slots__ = ("answered_at_s", "answered_id", "lock", "losses", "number", "sent", "waiting")

    def __init__(self, number: int) -> None:
        self.number = number
        self.lock = threading.Lock()
        self.waiting: list[Ticket] = []
        self.sent: dict[int, _Sent] = {}  # the oldest first
        self.answered_id = 0
        self.answered_at_s = 0.0
        self.losses = 0  # since it last answered

    def is_free(self, now_s: float) -> bool:
        """Tell whether the next message may go. Called with the lock held."""
        if not self.sent:
            return True
        if self.losses > 1:
            return False
        last = self.sent[next(reversed(self.sent))]
        return now_s - last.sent_at_s >= LATE_S and len(self.sent) < UNANSWERED_MAX

    def take_batch(self) -> list[Ticket]:
        """Take out what the next message carries: so many commands, and no more entries than a worker does in time."""
        weight = taken = 0
        for ticket in self.waiting[: PROBE_COMMANDS if self.losses > 1 else COMMANDS_PER_MESSAGE_MAX]:
            weight += ticket.weight
            if taken and weight > WEIGHT_MAX:
                break
            taken += 1
        batch = self.waiting[:taken]
        del self.waiting[:taken]
        return batch

    def take_lost(self, now_s: float) -> list[_Sent]:
        """Take out the messages that will not be answered. Called with the lock held.

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


class Dispatch:
    """Sends commands on their lanes and hands their answers back. Any thread may use it.

    `on_settled` is told of each accepted command that has its outcome.
    """

    def __init__(
        self,
        broker: Publishes,
        reply_to: str,
        *,
        lanes: int,
        pending_per_org_max: int,
        pending_max: int,
        on_settled: Callable[[Submission], None],
    ) -> None:
        self._broker = broker
        self._broker_down = False
        self._reply_to = reply_to
        self._lanes = [_Lane(number) for number in range(lanes)]
        self._pending_per_org_max = pending_per_org_max
        self._pending_max = pending_max
        self._on_settled = on_settled
        self._ticket_numbers = itertools.count(1)
        self._message_ids = itertools.count(1)
        self._tickets: dict[int, Ticket] = {}
        self._by_operation: dict[bytes, Ticket] = {}
        self._pending: dict[str, int] = {}
        self._pending_lock = threading.Lock()
        self._later: deque[tuple[float, Ticket]] = deque()
        self._set_aside: set[bytes] = set()

    def tickets(self, org: str, submissions: Sequence[Submission], *, accepted: bool = False) -> list[Ticket]:
        """Take a place in the backlog for each of an org's commands, or for none.

        `accepted`: they are in the inbox already, so there is always a place.

        Raises:
            Rejected: too_many_pending, this org's backlog is full; queue_unavailable, the backlog of all orgs is.
        """
        with self._pending_lock:
            pending = self._pending.get(org, 0) + len(submissions)
            if not accepted and pending > self._pending_per_org_max:
                raise problems.too_many_pending(self._pending_per_org_max)
            if not accepted and len(self._tickets) + len(submissions) > self._pending_max:
                raise problems.queue_unavailable()
            self._pending[org] = pending
            taken = [Ticket(next(self._ticket_numbers), org, item, accepted=accepted) for item in submissions]
            for ticket in taken:
                self._tickets[ticket.number] = ticket
                self._by_operation[ticket.submission.operation_id] = ticket
        return taken

    def send(self, tickets: Sequence[Ticket]) -> None:
        """Send one org's commands: at once if its lane is free, else with the next message.

        Raises:
            Rejected: queue_unavailable, the broker is away, and the commands were not accepted before.
        """
        first = tickets[0]
        if self._broker_down and not first.accepted:
            for ticket in tickets:
                self.forget(ticket)
            raise problems.queue_unavailable()
        self._put(self._lane(first), tickets)

    def forget(self, ticket: Ticket) -> bool:
        """Give up a command's place in the backlog; False when it had none any more."""
        with self._pending_lock:
            if self._tickets.pop(ticket.number, None) is None:
                return False
            if self._by_operation.get(ticket.submission.operation_id) is ticket:
                del self._by_operation[ticket.submission.operation_id]
            left = self._pending[ticket.org] - 1
            if left:
                self._pending[ticket.org] = left
            else:
                del self._pending[ticket.org]
        return True

    def withdraw(self, ticket: Ticket) -> float:
        """Send a command no more, and return when, on the monotonic clock, no message can carry it out any more."""
        with self._lane(ticket).lock:  # a message that takes it in has told it until when it lives
            self.forget(ticket)
            return ticket.dead_at_s

    def pending(self, operation_id: bytes) -> Ticket | None:
        """Return a command that is on its way under an operation's id, if this process has one."""
        return self._by_operation.get(operation_id)

    def is_set_aside(self, operation_id: bytes) -> bool:
        """Tell whether a worker set a command aside: it waits for an operator, and is not sent again."""
        return operation_id in self._set_aside

    def resolve(self, reply: Reply) -> None:
        """Hand over the answers to a message, once the lane's next message has left, to keep its worker busy."""
        metrics.TRANSACTIONS.inc(reply.transactions)
        metrics.COMMANDS_ANSWERED.inc(len(reply.answers))
        for lane in self._lanes:
            if reply.message_id in lane.sent:
                self._answered(lane, reply.message_id)
                self._put(lane, [])
        for number, answer in reply.answers:
            ticket = self._tickets.get(number)
            if ticket is not None:
                self._hand_over(ticket, answer)

    def tick(self) -> None:
        """Do what is due: send what waits behind a late answer, and send again what was lost or put off."""
        metrics.COMMANDS_PENDING.set(len(self._tickets))
        if self._broker_down:
            if not self._broker.reachable():
                return
            self._broker_down = False
        now_s = time.monotonic()
        while self._later and self._later[0][0] <= now_s:
            _, ticket = self._later.popleft()
            self._put(self._lane(ticket), [ticket])
        for lane in self._lanes:
            with lane.lock:
                lost = lane.take_lost(now_s)
            again = [ticket for sent in lost for ticket in sent.tickets if ticket.number in self._tickets]
            metrics.COMMANDS_SENT_AGAIN.inc(len(again))
            self._put(lane, again)

    def _hand_over(self, ticket: Ticket, answer: Answer) -> None:
        """Hand over an answer, unless it may not be the last word.

        What the book did not decide is the last word only if no other copy of the command can still be applied, and
        if nobody was promised an outcome.
        """
        if answer.decided or (ticket.copies <= 1 and not ticket.accepted):
            if self.forget(ticket):
                ticket.tell(answer)
                if ticket.accepted:
                    self._on_settled(ticket.submission)
        elif answer.http_status == SET_ASIDE.status:
            self._set_aside.add(ticket.submission.operation_id)
            self.forget(ticket)
        else:
            self._later.append((time.monotonic() + LOST_S, ticket))

    def _put(self, lane: _Lane, tickets: Sequence[Ticket]) -> None:
        """Have commands wait for their lane, and send what waits if it is free."""
        now_s = time.monotonic()
        with lane.lock:
            lane.waiting.extend(tickets)
            if not lane.waiting or self._broker_down or not lane.is_free(now_s):
                return
            batch = [ticket for ticket in lane.take_batch() if ticket.number in self._tickets]
            sent = _Sent(next(self._message_ids), batch, now_s)
            deadline = Deadline.after(MESSAGE_VALID_S)
            for ticket in batch:
                ticket.copies += 1
                ticket.dead_at_s = deadline.monotonic_s + APPLY_S_MAX
            if batch:
                lane.sent[sent.message_id] = sent
        if batch:
            self._publish(lane, sent, deadline)

    def _publish(self, lane: _Lane, sent: _Sent, deadline: Deadline) -> None:
        items = [Item(ticket.number, ticket.org, ticket.submission) for ticket in sent.tickets]
        metrics.MESSAGES_SENT.inc()
        try:
            self._broker.publish(lane.number, encode_message(Message(sent.message_id, self._reply_to, deadline, items)))
        except PerhapsSent:
            self._broker_down = True  # until a tick finds it again; the message is sent again when it is due
        except NotSent:
            self._broker_down = True
            self._take_back(lane, sent)

    def _take_back(self, lane: _Lane, sent: _Sent) -> None:
        """Turn away those that no message carried and nobody accepted; keep the others until the broker is back."""
        kept = []
        for ticket in sent.tickets:
            ticket.copies -= 1
            if ticket.copies or ticket.accepted:
                kept.append(ticket)
            elif self.forget(ticket):
                ticket.not_sent = True
                ticket.release()
        with lane.lock:
            lane.sent.pop(sent.message_id, None)
            lane.waiting[:0] = kept

    def _answered(self, lane: _Lane, message_id: int) -> None:
        with lane.lock:
            lane.sent.pop(message_id, None)
            lane.answered_id = max(lane.answered_id, message_id)
            lane.answered_at_s = time.monotonic()
            lane.losses = 0

    def _lane(self, ticket: Ticket) -> _Lane:
        return self._lanes[lane_of(ticket.org, len(self._lanes))]
