"""Writes: from a command to the answer of its caller, waiting for it or not."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from intake import problems
from intake.acceptance import Acceptance
from intake.dispatch import Dispatch
from intake.prefer import Preference
from intake.readers import Readers
from intake.tickets import Readiness, Ticket
from ledger_core import reads
from ledger_core.commands import Command, Kind
from ledger_core.errors import IdempotencyKeyReused, StorageUnavailable
from ledger_core.inbox import Accepted
from ledger_core.instants import now_us
from ledger_core.model import Submission
from ledger_core.operations import new_submission, operation_id_of
from wire import answers
from wire.answers import Answer
from wire.problems import of_refusal

AWAY_WAIT_S = 1.25  # while the broker is away nobody waits longer: what may be under way is accepted for good
UNKNOWN_S_MAX = 60.0  # so long a book that can't be read is looked into again, before nothing at all is answered
LOOK_EVERY_S = 1.0
GONE_S = 5.0  # a caller who did not take up its answer this long after its wait has gone away


class Pending(NamedTuple):
    """A write that was accepted, and will reach an outcome."""

    kind: Kind


class Result(NamedTuple):
    """What a write came to within its wait: an answer, or that it is pending; and the operation that it is."""

    operation_id: bytes
    told: Answer | Pending


class Written(NamedTuple):
    """What the writes of one request came to, in their order."""

    results: Sequence[Result]
    preference: Preference


class Waiting(NamedTuple):
    """The writes of one request that are on their way; since when and until when, monotonic, their caller waits."""

    tickets: Sequence[Ticket]
    begun_s: float
    until_s: float
    preference: Preference
    submissions: Sequence[Submission]
    taken: Mapping[
        int, Answer
    ]  # by submission: of those whose key names another request on its way, which were not sent

    def when_ready(self, call: Callable[[], None]) -> None:
        """Have something called, once, when every one of them has its answer or is not waited for any more."""
        if len(self.tickets) == 1:
            self.tickets[0].when_ready(call)
            return
        left = list(range(len(self.tickets)))

        def one_less() -> None:
            if left.pop() == 0:  # the number that was put in first comes out last, whichever thread takes it
                call()

        for ticket in self.tickets:
            ticket.when_ready(one_less)

    def wait(self) -> None:
        """Wait in this thread."""
        ready = threading.Event()
        self.when_ready(ready.set)
        ready.wait(max(self.until_s - time.monotonic(), 0.0))


class Accepting(Readiness):
    """The writes of one request that are being accepted for good; ready when they are on disk, or can't be."""

    def __init__(
        self, submissions: Sequence[Submission], known: Mapping[int, Answer | None], preference: Preference
    ) -> None:
        super().__init__()
        self.submissions = submissions
        self.known = known  # by submission: the answers of those that were decided before
        self.preference = preference
        self.error: StorageUnavailable | None = None

    def wait(self) -> None:
        """Wait in this thread."""
        ready = threading.Event()
        self.when_ready(ready.set)
        ready.wait()


class Withdrawing(Readiness):
    """The writes of one request whose wait ran out and which can't be accepted; ready when it can be told of them.

    That is when no message can carry them out any more, on the monotonic clock at `until_s`.
    """

    def __init__(self, waiting: Waiting, late: Sequence[Ticket], until_s: float) -> None:
        super().__init__()
        self.waiting = waiting
        self.late = late
        self.until_s = until_s
        self.give_up_at_s = until_s + UNKNOWN_S_MAX

    def wait(self) -> None:
        """Wait in this thread."""
        ready = threading.Event()
        self.when_ready(ready.set)
        ready.wait()


class NobodyKnows(Exception):
    """What became of a write can't be told: its book can't be read. Any answer might be a lie."""


class Writes:
    """Takes commands, waits for them as long as their callers like, and accepts them for good where they don't.

    The writes of a request are begun, then waited for, by whoever can do so cheapest, then finished.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        acceptance: Acceptance,
        readers: Readers,
        *,
        wait_s: int,
        is_out: Callable[[str], bool] = lambda org: False,
    ) -> None:
        self._is_out = is_out
        self._dispatch = dispatch
        self._acceptance = acceptance
        self._readers = readers
        self._wait_s = wait_s
        self._waiting: dict[int, Waiting] = {}
        self._withdrawing: list[Withdrawing] = []

    def begin(
        self, org: str, commands: Sequence[Command], request_id: str, preference: Preference
    ) -> Accepting | Waiting:
        """Send the commands of one request on their way. Those whose caller does not wait are accepted for good first.

        Raises:
            Rejected: too_many_pending, queue_unavailable or storage_unavailable; none was accepted.
            StorageUnavailable: the book can't be read; none was accepted.
        """
        now = now_us()
        submissions = [
            Submission(operation_id_of(org, command), new_submission(), command, request_id, now)
            for command in commands
        ]
        wait_s = preference.wait_s
        if preference.respond_async and not wait_s:
            return self._accept_first(org, submissions, preference)
        if self._dispatch.is_away:
            return self._accept_first(org, submissions, preference, new_too=False)
        taken = {item.submission: _reused(item) for item in submissions if self._is_taken(item)}
        tickets = self._dispatch.tickets(org, [item for item in submissions if item.submission not in taken])
        if not tickets:
            told = Accepting(submissions, taken, preference)
            told.release()
            return told
        begun_s = time.monotonic()
        until_s = begun_s + (self._wait_s if wait_s is None else wait_s)
        self._dispatch.send(tickets)
        waiting = Waiting(tickets, begun_s, until_s, preference, submissions, taken)
        self._waiting[tickets[0].number] = waiting
        return waiting

    def finish(self, begun: Accepting | Waiting | Withdrawing) -> Written | Withdrawing:
        """Return what the writes of a request came to, or something more to wait for before they are finished.

        Those that have no answer yet are accepted for good.

        Raises:
            Rejected: queue_unavailable or storage_unavailable; none was accepted.
            StorageUnavailable: none was accepted.
            NobodyKnows: nothing may be answered.
        """
        if isinstance(begun, Accepting):
            return self._finish_accepting(begun)
        return self._finish_withdrawing(begun) if isinstance(begun, Withdrawing) else self._finish_waiting(begun)

    def answered(self, begun: Accepting | Waiting | Withdrawing) -> Written | None:
        """Return what the writes of a request came to, if nothing needs to be done or looked up to tell it."""
        if isinstance(begun, Waiting) and all(ticket.answer is not None for ticket in begun.tickets):
            self._waiting.pop(begun.tickets[0].number, None)
            return _written(begun, (), ())
        return self._finish_accepting(begun) if isinstance(begun, Accepting) and begun.error is None else None

    def _finish_waiting(self, waiting: Waiting) -> Written | Withdrawing:
        tickets = waiting.tickets
        self._waiting.pop(tickets[0].number, None)
        if all(ticket.not_sent for ticket in tickets):
            raise problems.queue_unavailable()
        late = [ticket for ticket in tickets if ticket.answer is None and not ticket.not_sent]
        try:
            accepted = self._accept_late(late) if late else []
        except StorageUnavailable:
            return self._withdraw(Withdrawing(waiting, late, max([self._dispatch.withdraw(t) for t in late])))
        return _written(waiting, late, accepted)

    def _finish_withdrawing(self, withdrawing: Withdrawing) -> Written | Withdrawing:
        """Look into the book what became of writes that can't be carried out any more: only it can tell."""
        late = withdrawing.late
        unaccepted = problems.storage_unavailable().problem
        try:
            told = [
                self._known(ticket.org, ticket.submission, ticket.submission.command.fingerprint())
                or answers.of_problem(unaccepted, ticket.submission.command, ticket.submission.request_id)
                for ticket in late
            ]
        except StorageUnavailable as error:
            now_s = time.monotonic()
            if now_s >= withdrawing.give_up_at_s:
                raise NobodyKnows(str(error)) from error
            again = Withdrawing(withdrawing.waiting, late, now_s + LOOK_EVERY_S)
            again.give_up_at_s = withdrawing.give_up_at_s
            return self._withdraw(again)
        return _written(withdrawing.waiting, late, told)

    def _withdraw(self, withdrawing: Withdrawing) -> Withdrawing:
        self._withdrawing.append(withdrawing)
        return withdrawing

    def end_waits(self, now_s: float) -> None:
        """Let those go on whose wait has run out, and forget those whose callers went away."""
        is_away = self._dispatch.is_away
        for number, waiting in list(self._waiting.items()):
            if waiting.until_s <= now_s or (is_away and waiting.begun_s + AWAY_WAIT_S <= now_s):
                _release(waiting)
            if waiting.until_s + GONE_S <= now_s:
                self._waiting.pop(number, None)
        for withdrawing in [each for each in self._withdrawing if each.until_s <= now_s]:
            self._withdrawing.remove(withdrawing)
            withdrawing.release()

    def drain(self) -> None:
        """Wait for nothing any more: what is under way is accepted for good."""
        self._wait_s = 0
        for waiting in list(self._waiting.values()):
            _release(waiting)

    def _accept_first(
        self, org: str, submissions: Sequence[Submission], preference: Preference, *, new_too: bool = True
    ) -> Accepting:
        """Have commands accepted, and let them go once they are; those whose outcome is known are answered with it.

        Raises:
            Rejected: queue_unavailable, without `new_too`, unless each of them was decided or is under way.
        """
        with self._readers.book(org):
            if self._is_out(org):  # what is accepted must reach an outcome: not where nobody knows when
                raise problems.storage_unavailable()
        prints = {item.submission: item.command.fingerprint() for item in submissions}
        known: dict[int, Answer | None] = {}
        named: dict[bytes, bytes] = {}  # operations of this very request, by what first named them
        for item in submissions:
            if item.command.idempotency_key is not None:
                fingerprint = prints[item.submission]
                reused = named.setdefault(item.operation_id, fingerprint) != fingerprint
                known[item.submission] = _reused(item) if reused else self._known(org, item, fingerprint)
        accepting = Accepting(submissions, known, preference)
        new = [item for item in submissions if known.get(item.submission) is None]
        if not new_too and not all(self._is_under_way(item) for item in new):
            raise problems.queue_unavailable()
        if not new:
            accepting.release()
            return accepting
        tickets = self._dispatch.tickets(org, new)
        items = [Accepted(org, item, prints[item.submission]) for item in new]
        self._acceptance.accept_soon(items, lambda error: self._on_accepted(accepting, tickets, error))
        return accepting

    def _on_accepted(self, accepting: Accepting, tickets: Sequence[Ticket], error: StorageUnavailable | None) -> None:
        accepting.error = error
        try:
            if error is None:
                for ticket in tickets:
                    ticket.accepted = True
                self._dispatch.send(tickets)
            else:
                for ticket in tickets:
                    self._dispatch.forget(ticket)
        finally:
            accepting.release()

    def _finish_accepting(self, accepting: Accepting) -> Written:
        if accepting.error is not None:
            raise accepting.error
        known = accepting.known
        results = [
            Result(item.operation_id, known.get(item.submission) or Pending(item.command.kind))
            for item in accepting.submissions
        ]
        return Written(results, accepting.preference)

    def _is_taken(self, submission: Submission) -> bool:
        """Tell whether the command's key names another request that is on its way."""
        if submission.command.idempotency_key is None:
            return False
        ticket = self._dispatch.pending(submission.operation_id)
        return ticket is not None and ticket.submission.command.fingerprint() != submission.command.fingerprint()

    def _is_under_way(self, submission: Submission) -> bool:
        """Tell whether a write with the command's key was accepted, or may have reached the broker."""
        if submission.command.idempotency_key is None:
            return False
        ticket = self._dispatch.pending(submission.operation_id)
        if ticket is not None and (ticket.copies or ticket.accepted):
            return True
        return self._acceptance.find(submission.operation_id) is not None

    def _known(self, org: str, submission: Submission, fingerprint: bytes) -> Answer | None:
        """Return the answer to a command whose key is taken, by a write that was decided or by one that is pending."""
        if self._is_taken(submission):
            return _reused(submission)
        with self._readers.book(org) as book, book.snapshot():
            outcome = reads.decided(book, submission, fingerprint)
        if outcome is not None:
            return answers.of_outcome(outcome)
        pending = self._acceptance.find(submission.operation_id)
        if pending is not None and pending.fingerprint != fingerprint:
            return _reused(submission)
        return None

    def _accept_late(self, tickets: Sequence[Ticket]) -> list[Answer | Pending]:
        """Accept commands whose wait ran out. They are under way, so they may have been decided all the same.

        Raises:
            StorageUnavailable: none was accepted.
        """
        self._acceptance.accept([Accepted(t.org, t.submission, t.submission.command.fingerprint()) for t in tickets])
        return [self._accepted(ticket) for ticket in tickets]

    def _accepted(self, ticket: Ticket) -> Answer | Pending:
        ticket.accepted = True
        if ticket.answer is None or not ticket.answer.decided:
            return Pending(ticket.submission.command.kind)
        self._acceptance.settle(ticket.submission)
        return ticket.answer


def _written(waiting: Waiting, late: Sequence[Ticket], told_late: Sequence[Answer | Pending]) -> Written:
    told: dict[int, Answer | Pending] = dict(waiting.taken)
    told.update(zip((ticket.submission.submission for ticket in late), told_late, strict=True))
    for ticket in waiting.tickets:
        told.setdefault(ticket.submission.submission, _answer(ticket))
    results = [Result(item.operation_id, told[item.submission]) for item in waiting.submissions]
    return Written(results, waiting.preference)


def _reused(submission: Submission) -> Answer:
    """Return the answer to a command whose key belongs to another one that is pending."""
    command, request_id = submission.command, submission.request_id
    reused = of_refusal(IdempotencyKeyReused().record(request_id, command.address))
    return answers.of_problem(reused, command, request_id)


def _release(waiting: Waiting) -> None:
    for ticket in waiting.tickets:
        ticket.release()


def _answer(ticket: Ticket) -> Answer:
    """Return a command's answer: the worker's, or that the broker never got it."""
    if ticket.answer is not None:
        return ticket.answer
    unsent = problems.queue_unavailable().problem
    return answers.of_problem(unsent, ticket.submission.command, ticket.submission.request_id)
