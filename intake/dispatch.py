"""Dispatch: commands leave in messages, one unanswered message for each lane, and answers find who waits for them.

While a message is unanswered, what arrives meanwhile goes out together as the next one: a lone command leaves at once,
and under load messages grow by themselves. A late answer holds nobody up, and a command that stays unanswered is sent
again under its operation id, which makes it harmless.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from intake import metrics, problems
from intake.tickets import Ticket
from ledger_core.model import Submission
from wire.answers import Answer
from wire.envelope import COMMANDS_PER_MESSAGE_MAX, MESSAGE_VALID_S, Deadline, Item, Message, Reply, encode_message
from wire.lanes import lane_of
from wire.publisher import NotSent, PerhapsSent

LATE_S = 0.05  # after this the next message goes even though the one before it is unanswered
APPLY_S_MAX = 10.0  # a message that a worker began in time is surely done, or rolled back, this long after its deadline
SEND_AGAIN_S = 2.0  # after this an unanswered command is sent again


class Publishes(Protocol):
    """What dispatch needs of a broker: `wire.publisher.Publisher`."""

    def publish(self, lane: int, text: str) -> None:
        """Put a message on a lane."""

    def reachable(self) -> bool:
        """Tell whether the broker answers."""


class _Lane:
    __slots__ = ("lock", "number", "unanswered", "unanswered_since_s", "waiting")

    def __init__(self, number: int) -> None:
        self.number = number
        self.lock = threading.Lock()
        self.waiting: list[Ticket] = []
        self.unanswered: int | None = None  # the last message, until it is answered
        self.unanswered_since_s = 0.0


class _Sent(NamedTuple):
    lane: _Lane
    tickets: list[Ticket]
    sent_at_s: float


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
        self._sent: dict[int, _Sent] = {}
        self._pending: dict[str, int] = {}
        self._pending_lock = threading.Lock()
        metrics.COMMANDS_PENDING.set_function(lambda: len(self._tickets))

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
            self._tickets.update((ticket.number, ticket) for ticket in taken)
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
        self._put(self._lanes[lane_of(first.org, len(self._lanes))], tickets)

    def forget(self, ticket: Ticket) -> bool:
        """Give up a command's place in the backlog; False when it had none any more."""
        with self._pending_lock:
            if self._tickets.pop(ticket.number, None) is None:
                return False
            left = self._pending[ticket.org] - 1
            if left:
                self._pending[ticket.org] = left
            else:
                del self._pending[ticket.org]
        return True

    def pending(self, operation_id: bytes) -> Ticket | None:
        """Return a command that is on its way under an operation's id, if this process has one."""
        for ticket in list(self._tickets.values()):
            if ticket.submission.operation_id == operation_id:
                return ticket
        return None

    def resolve(self, reply: Reply) -> None:
        """Hand over the answers to a message, once the lane's next message has left, to keep its worker busy."""
        metrics.TRANSACTIONS.inc(reply.transactions)
        metrics.COMMANDS_ANSWERED.inc(len(reply.answers))
        sent = self._sent.pop(reply.message_id, None)
        if sent is not None:
            self._free(sent.lane, reply.message_id)
            self._put(sent.lane, [])
        for number, answer in reply.answers:
            ticket = self._tickets.get(number)
            if ticket is None:
                continue
            if not _is_final(ticket, answer):
                self._send_later(ticket)
            elif self.forget(ticket):
                ticket.tell(answer)
                if ticket.accepted:
                    self._on_settled(ticket.submission)

    def tick(self) -> None:
        """Do what is due: send what waits behind a late answer, and send again what stays unanswered."""
        if self._broker_down:
            if not self._broker.reachable():
                return
            self._broker_down = False
        now_s = time.monotonic()
        for message_id, sent in list(self._sent.items()):
            if now_s - sent.sent_at_s > SEND_AGAIN_S and self._sent.pop(message_id, None) is not None:
                self._send_again(message_id, sent)
        for lane in self._lanes:
            if lane.waiting:
                self._put(lane, [])

    def _put(self, lane: _Lane, tickets: Iterable[Ticket]) -> None:
        now_s = time.monotonic()
        with lane.lock:
            lane.waiting.extend(tickets)
            if not lane.waiting or self._broker_down:
                return
            if lane.unanswered is not None and now_s - lane.unanswered_since_s < LATE_S:
                return
            batch = [ticket for ticket in lane.waiting[:COMMANDS_PER_MESSAGE_MAX] if ticket.number in self._tickets]
            del lane.waiting[:COMMANDS_PER_MESSAGE_MAX]
            message_id = lane.unanswered = next(self._message_ids)
            lane.unanswered_since_s = now_s
        self._publish(lane, message_id, batch)

    def _publish(self, lane: _Lane, message_id: int, tickets: list[Ticket]) -> None:
        deadline = Deadline.after(MESSAGE_VALID_S)
        for ticket in tickets:
            ticket.copies += 1
            ticket.dead_at_s = deadline.monotonic_s + APPLY_S_MAX
        items = [Item(ticket.number, ticket.org, ticket.submission) for ticket in tickets]
        self._sent[message_id] = _Sent(lane, tickets, time.monotonic())
        metrics.MESSAGES_SENT.inc()
        try:
            self._broker.publish(lane.number, encode_message(Message(message_id, self._reply_to, deadline, items)))
        except PerhapsSent:
            self._broker_down = True  # until a tick finds it again; the message is sent again when it is due
        except NotSent:
            self._broker_down = True
            self._sent.pop(message_id, None)
            self._take_back(lane, message_id, tickets)

    def _take_back(self, lane: _Lane, message_id: int, tickets: list[Ticket]) -> None:
        """Turn away those that no message carried and nobody accepted; keep the others until the broker is back."""
        self._free(lane, message_id)
        kept = []
        for ticket in tickets:
            ticket.copies -= 1
            if ticket.copies or ticket.accepted:
                kept.append(ticket)
            elif self.forget(ticket):
                ticket.not_sent = True
                ticket.release()
        with lane.lock:
            lane.waiting[:0] = kept

    def _send_again(self, message_id: int, sent: _Sent) -> None:
        self._free(sent.lane, message_id)
        unanswered = [ticket for ticket in sent.tickets if ticket.number in self._tickets]
        metrics.COMMANDS_SENT_AGAIN.inc(len(unanswered))
        self._put(sent.lane, unanswered)

    def _send_later(self, ticket: Ticket) -> None:
        lane = self._lanes[lane_of(ticket.org, len(self._lanes))]
        self._sent[next(self._message_ids)] = _Sent(lane, [ticket], time.monotonic())

    def _free(self, lane: _Lane, message_id: int) -> None:
        with lane.lock:
            if lane.unanswered == message_id:
                lane.unanswered = None


def _is_final(ticket: Ticket, answer: Answer) -> bool:
    """Tell whether an answer may be handed over as the last word.

    What the book did not decide is one only if no other copy of the command can still be applied,
    and if nobody was promised an outcome.
    """
    return answer.decided or (ticket.copies <= 1 and not ticket.accepted)
