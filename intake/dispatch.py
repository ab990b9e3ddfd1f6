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
from typing import Protocol

from intake import metrics, problems
from intake.broker_watch import BrokerWatch
from intake.lanes import LOST_S, Lane, Sent, Way, note_worker
from intake.tickets import Ticket
from ledger_core.model import Submission
from wire.answers import SET_ASIDE, Answer
from wire.envelope import MESSAGE_VALID_S, Deadline, Item, Message, Reply, encode_message
from wire.lanes import lane_of
from wire.publisher import Failed, NotSent, PerhapsSent

SET_ASIDE_S = 60.0  # a command that was set aside is not sent again for so long, even if its file can't be read
APPLY_S_MAX = 10.0  # a message that a worker began in time is surely done, or rolled back, this long after its deadline
ORG_SHARE = 4  # one org may have this part of all the bytes that may wait


class Publishes(Protocol):
    """What dispatch needs of a broker: `wire.publisher.Publisher`."""

    def publish(self, lane: int, text: str, failed: Failed, *, first: bool = False) -> None:
        """Put a message on a lane: behind those that lie there, or before them. `failed` is called if that fails."""


class Dispatch:
    """Sends commands on their lanes and hands their answers back. Any thread may use it.

    `on_settled` is told of each accepted command that has its outcome. An org that `is_out` has a book that can't be
    used: what was accepted for it waits until it can be. `on_due` has `send_due` called soon, by the one thread that
    publishes, which is also the one that calls `resolve`; by default whoever sends a command publishes it.
    """

    def __init__(
        self,
        broker: Publishes,
        watch: BrokerWatch,
        reply_to: str,
        *,
        lanes: int,
        pending_per_org_max: int,
        pending_max: int,
        pending_bytes_max: int,
        on_settled: Callable[[Submission], None],
        is_out: Callable[[str], bool] = lambda org: False,
        on_due: Callable[[], None] | None = None,
    ) -> None:
        self._on_due = self.send_due if on_due is None else on_due
        self._broker = broker
        self._watch = watch
        watch.on_back = self._send_what_waits
        self._reply_to = reply_to
        self._lanes = [Lane(number) for number in range(lanes)]
        self._due: deque[Lane] = deque()
        self._pending_per_org_max = pending_per_org_max
        self._pending_max = pending_max
        self._pending_bytes_max = pending_bytes_max
        self._pending_bytes = 0
        self._pending_bytes_of: dict[str, int] = {}
        self._on_settled = on_settled
        self._is_out = is_out
        self._ticket_numbers = itertools.count(1)
        self._message_ids = itertools.count(1)
        self._tickets: dict[int, Ticket] = {}
        self._by_operation: dict[bytes, Ticket] = {}
        self._pending: dict[str, int] = {}
        self._pending_lock = threading.Lock()
        self._later: deque[tuple[float, Ticket]] = deque()
        self._set_aside: dict[bytes, float] = {}  # since when; the oldest first

    def tickets(self, org: str, submissions: Sequence[Submission], *, accepted: bool = False) -> list[Ticket]:
        """Take a place in the backlog for each of an org's commands, or for none.

        `accepted`: they are in the inbox already, so there is always a place.

        Raises:
            Rejected: too_many_pending, this org's backlog is full; queue_unavailable, the backlog of all orgs is.
        """
        if not accepted and self._pending.get(org, 0) + len(submissions) > self._pending_per_org_max:
            raise problems.too_many_pending(self._pending_per_org_max)  # at the least cost: it is the usual way
        taken = [Ticket(next(self._ticket_numbers), org, item, accepted=accepted) for item in submissions]
        taken_bytes = sum(ticket.bytes for ticket in taken)
        with self._pending_lock:
            pending = self._pending.get(org, 0) + len(taken)
            pending_bytes = self._pending_bytes_of.get(org, 0) + taken_bytes
            if not accepted:
                if pending > self._pending_per_org_max or pending_bytes > self._pending_bytes_max // ORG_SHARE:
                    raise problems.too_many_pending(self._pending_per_org_max)
                if len(self._tickets) + len(taken) > self._pending_max:
                    raise problems.queue_unavailable()
                if self._pending_bytes + taken_bytes > self._pending_bytes_max:
                    raise problems.queue_unavailable()
            self._pending[org] = pending
            self._pending_bytes_of[org] = pending_bytes
            self._pending_bytes += taken_bytes
            for ticket in taken:
                self._tickets[ticket.number] = ticket
                self._by_operation[ticket.submission.operation_id] = ticket
        return taken

    @property
    def is_away(self) -> bool:
        """Tell whether the broker takes no messages now."""
        return self._watch.cause is not None

    def send(self, tickets: Sequence[Ticket]) -> None:
        """Send one org's commands: at once if its lane is free, else with the next message.

        Raises:
            Rejected: queue_unavailable, the broker is away, and the commands were not accepted before.
        """
        first = tickets[0]
        if self.is_away and not first.accepted:
            for ticket in tickets:
                self.forget(ticket)
            raise problems.queue_unavailable()
        if self._is_due(self._lane(first), tickets):
            self._on_due()

    def send_soon(self, tickets: Sequence[Ticket]) -> None:
        """Have one org's commands, which were accepted, sent by the next call of `send_due`."""
        if tickets:
            self._is_due(self._lane(tickets[0]), tickets)

    def forget(self, ticket: Ticket) -> bool:
        """Give up a command's place in the backlog; False when it had none any more."""
        with self._pending_lock:
            if self._tickets.pop(ticket.number, None) is None:
                return False
            if self._by_operation.get(ticket.submission.operation_id) is ticket:
                del self._by_operation[ticket.submission.operation_id]
            self._pending_bytes -= ticket.bytes
            self._pending_bytes_of[ticket.org] -= ticket.bytes
            self._pending[ticket.org] -= 1
            if not self._pending[ticket.org]:
                del self._pending[ticket.org], self._pending_bytes_of[ticket.org]
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
        """Tell whether a worker set a command aside just now, which its file says from then on."""
        return self._set_aside.get(operation_id, float("-inf")) > time.monotonic() - SET_ASIDE_S

    def resolve(self, reply: Reply) -> None:
        """Hand over the answers to a message, and have the lane's next message leave."""
        metrics.TRANSACTIONS.inc(reply.transactions)
        metrics.COMMANDS_ANSWERED.inc(len(reply.answers))
        is_due = False
        for lane in self._lanes:
            sent = lane.find(reply.message_id)
            if sent is not None:
                self._answered(lane, reply)
                for each in (*lane.mates, lane):  # those that were held for it go first
                    is_due = self._is_due(each, []) or is_due
                self._put_off_unanswered(sent, reply)
        if is_due:
            self.send_due()  # first, to keep the worker busy
        for number, answer in reply.answers:
            ticket = self._tickets.get(number)
            if ticket is not None:
                self._hand_over(ticket, answer, reply.message_id)

    def _put_off_unanswered(self, sent: Sent, reply: Reply) -> None:
        """Have those commands sent again that a message was answered without: nobody knows what became of them."""
        if len(reply.answers) < len(sent.tickets):
            answered = {number for number, _ in reply.answers}
            due_s = time.monotonic() + LOST_S
            self._later.extend((due_s, ticket) for ticket in sent.tickets if ticket.number not in answered)

    def tick(self) -> None:
        """Do what is due: send what waits behind a late answer, and send again what was lost or put off."""
        metrics.COMMANDS_PENDING.set(len(self._tickets))
        if self.is_away:
            return
        now_s = time.monotonic()
        while self._later and self._later[0][0] <= now_s:
            _, ticket = self._later.popleft()
            if ticket.number not in self._tickets:
                continue
            if ticket.accepted and self._is_out(ticket.org):
                self._later.append((now_s + LOST_S, ticket))
            else:
                self._put(self._lane(ticket), [ticket])
        for lane in self._lanes:
            with lane.lock:
                lost = lane.take_lost(now_s)
            again = [ticket for sent in lost for ticket in sent.tickets if ticket.number in self._tickets]
            metrics.COMMANDS_SENT_AGAIN.inc(len(again))
            self._put(lane, again)

    def turn_away(self) -> None:
        """While the broker is away, turn away what no message ever carried and nobody accepted."""
        if not self.is_away:
            return
        for lane in self._lanes:
            with lane.lock:
                unsent = lane.waiting.remove(lambda ticket: not ticket.copies and not ticket.accepted)
            for ticket in unsent:
                self._turn_away(ticket)

    def _hand_over(self, ticket: Ticket, answer: Answer, message_id: int) -> None:
        """Hand over an answer, unless it may not be the last word.

        What the book did not decide is the last word only if no other copy of the command can still be applied, and
        if nobody was promised an outcome.
        """
        if not answer.decided:
            ticket.copies.discard(message_id)  # a message is carried out, or not, once: this one was not
        if answer.decided or (not ticket.copies and not ticket.accepted):
            if self.forget(ticket):
                ticket.tell(answer)
                if ticket.accepted:
                    self._on_settled(ticket.submission)
        elif answer.http_status == SET_ASIDE.status:
            self._note_set_aside(ticket.submission.operation_id)
            self.forget(ticket)
        else:
            self._later.append((time.monotonic() + LOST_S, ticket))

    def _note_set_aside(self, operation_id: bytes) -> None:
        now_s = time.monotonic()
        self._set_aside.pop(operation_id, None)
        self._set_aside[operation_id] = now_s
        while self._set_aside[oldest := next(iter(self._set_aside))] < now_s - SET_ASIDE_S:
            del self._set_aside[oldest]

    def _put(self, lane: Lane, tickets: Sequence[Ticket]) -> None:
        """Have commands wait for their lane, and send what waits if it is free."""
        if self._is_due(lane, tickets):
            self._on_due()

    def _is_due(self, lane: Lane, tickets: Sequence[Ticket]) -> bool:
        """Have commands wait for their lane; tell whether its next message may go, as far as can be seen."""
        with lane.lock:
            lane.waiting.add(tickets)
            if not lane.may_send(time.monotonic()):
                return False
        self._due.append(lane)
        return True

    def _send_what_waits(self) -> None:
        self._due.extend(self._lanes)
        self._on_due()

    def send_due(self) -> None:
        """Send the next messages of the lanes that are due."""
        while self._due:
            lane = self._due.popleft()
            while self._send_next(lane):
                pass

    def _send_next(self, lane: Lane) -> bool:
        """Send the next message of a lane, if there is one and it may go; tell whether one went."""
        now_s = time.monotonic()
        with lane.lock:
            if self.is_away:
                return False
            way, taken = lane.take(now_s)
            if not taken:
                return False
            batch = [ticket for ticket in taken if ticket.number in self._tickets]
            sent = Sent.of(next(self._message_ids), batch or taken, now_s, way)
            deadline = Deadline.after(MESSAGE_VALID_S)
            for ticket in batch:
                ticket.copies.add(sent.message_id)
                ticket.dead_at_s = deadline.monotonic_s + APPLY_S_MAX
            if batch:
                lane.was_sent(sent)
            else:
                lane.is_done(sent)
        if batch:
            self._publish(lane, sent, deadline)
        return True

    def _publish(self, lane: Lane, sent: Sent, deadline: Deadline) -> None:
        items = [Item(ticket.number, ticket.org, ticket.submission, ticket.fields) for ticket in sent.tickets]
        heavy_org = sent.tickets[0].org if sent.way is Way.HEAVY else None
        metrics.MESSAGES_SENT.inc()
        text = encode_message(Message(sent.message_id, self._reply_to, deadline, items, heavy_org=heavy_org))

        def failed(error: NotSent | PerhapsSent) -> None:
            self._watch.went_away(*error.args)
            if isinstance(error, NotSent):
                self._take_back(lane, sent)  # what was perhaps sent is sent again when it is due

        self._broker.publish(lane.number, text, failed, first=sent.way is Way.EXPRESS)

    def _take_back(self, lane: Lane, sent: Sent) -> None:
        """Turn away those that no message carried and nobody accepted; keep the others until the broker is back."""
        for ticket in sent.tickets:
            ticket.copies.discard(sent.message_id)
        with lane.lock:
            lane.take_back(sent, [ticket for ticket in sent.tickets if ticket.number in self._tickets])
        self.turn_away()

    def _turn_away(self, ticket: Ticket) -> None:
        if self.forget(ticket):
            ticket.not_sent = True
            ticket.release()

    def _answered(self, lane: Lane, reply: Reply) -> None:
        worked_s = None if reply.took_us is None else reply.took_us / 1e6
        with lane.lock:
            lane.answered(reply.message_id, time.monotonic(), worked_s)
        note_worker(self._lanes, lane, reply.worker)

    def _lane(self, ticket: Ticket) -> Lane:
        return self._lanes[lane_of(ticket.org, len(self._lanes))]
