"""Writes: from a command to the answer of its caller, waiting for it or not."""

import logging
import time
from collections.abc import Callable, Sequence

from intake import problems
from intake.acceptance import Acceptance
from intake.begun import Accepting, Pending, Result, Waiting, Withdrawing, Written, written
from intake.dispatch import Dispatch
from intake.known import Answers, Known, key_reused
from intake.prefer import Preference
from intake.tickets import Ticket
from ledger_core.commands import Command
from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Accepted
from ledger_core.instants import now_us
from ledger_core.model import Submission
from ledger_core.operations import new_submission, operation_id_of
from wire import answers
from wire.answers import Answer

logger = logging.getLogger("ledger.intake")

AWAY_WAIT_S = 1.25  # while the broker is away nobody waits longer: what may be under way is accepted for good
LOOK_EVERY_S = 1.0
GONE_S = 5.0  # a caller who did not take up its answer this long after its wait has gone away


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
        known: Known,
        *,
        wait_s: int,
        is_out: Callable[[str], bool] = lambda org: False,
    ) -> None:
        self._is_out = is_out
        self._dispatch = dispatch
        self._acceptance = acceptance
        self._known = known
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
            return self._while_away(org, submissions, preference)
        taken = self._told_taken(org, self._taken(submissions))
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
            return written(begun, (), ())
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
        return written(waiting, late, accepted)

    def _finish_withdrawing(self, withdrawing: Withdrawing) -> Written | Withdrawing:
        """Look into the book what became of writes that can't be carried out any more: only it can tell."""
        late = withdrawing.late
        items = [_accepted(ticket) for ticket in late]
        try:
            known = self._known.of(items[0].org, items)
        except Exception as error:  # a fault of ours, too: any other answer might be a lie
            logger.warning("can't tell what became of a write of %s: %s", items[0].org, error)
            now_s = time.monotonic()
            if now_s >= withdrawing.give_up_at_s:
                raise NobodyKnows(str(error)) from error
            again = Withdrawing(withdrawing.waiting, late, now_s + LOOK_EVERY_S)
            again.give_up_at_s = withdrawing.give_up_at_s
            return self._withdraw(again)
        return written(withdrawing.waiting, late, [self._after_all(ticket.submission, known) for ticket in late])

    def _after_all(self, submission: Submission, known: Answers) -> Answer:
        """Return what a write that can't be carried out any more came to."""
        if submission.submission in known:
            return known[submission.submission]
        if self._is_taken(submission):
            return key_reused(submission)
        unaccepted = problems.storage_unavailable().problem
        return answers.of_problem(unaccepted, submission.command, submission.request_id)

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
        self, org: str, submissions: Sequence[Submission], preference: Preference, *, look_up: bool = True
    ) -> Accepting:
        """Have commands accepted, and let them go once they are; those whose outcome is known are answered with it."""
        if self._is_out(org):  # what is accepted must reach an outcome: not where nobody knows when
            raise problems.storage_unavailable()
        items, taken = self._as_accepted(org, submissions)
        accepting = Accepting(submissions, taken, preference)
        if not items:
            accepting.release()
            return accepting
        tickets = self._dispatch.tickets(org, [item.submission for item in items])

        def told(error: StorageUnavailable | None, known: Answers) -> None:
            self._on_accepted(accepting, tickets, error, known)

        self._acceptance.accept_soon(org, items, told, look_up=look_up)
        return accepting

    def _while_away(self, org: str, submissions: Sequence[Submission], preference: Preference) -> Accepting:
        """Answer, while the broker is away, what was decided, and accept what is under way.

        Raises:
            Rejected: queue_unavailable, unless each of them was decided or is under way.
            StorageUnavailable: the book or the inbox can't be read.
        """
        items, taken = self._as_accepted(org, submissions)
        known = {**self._known.of(org, items), **taken}
        new = [item for item in submissions if item.submission not in known]
        if not all(self._is_under_way(item) for item in new):
            raise problems.queue_unavailable()
        accepting = self._accept_first(org, new, preference, look_up=False) if new else Accepting([], {}, preference)
        accepting.submissions = submissions
        accepting.known.update(known)
        if not new:
            accepting.release()
        return accepting

    def _as_accepted(self, org: str, submissions: Sequence[Submission]) -> tuple[list[Accepted], Answers]:
        """Return commands as they are accepted, and the answers to those whose key names another one on its way."""
        taken = self._taken(submissions)
        refused = {submission.submission for submission in taken}
        items = [
            Accepted(org, submission, submission.command.fingerprint())
            for submission in submissions
            if submission.submission not in refused
        ]
        return items, self._told_taken(org, taken)

    def _taken(self, submissions: Sequence[Submission]) -> list[Submission]:
        """Return those of one request's writes whose key names another one that is on its way, or one before it."""
        if len({submission.operation_id for submission in submissions}) == len(submissions):
            return [submission for submission in submissions if self._is_taken(submission)]
        named: dict[bytes, bytes] = {}  # operations of this very request, by what first named them
        taken: list[Submission] = []
        for submission in submissions:
            fingerprint = submission.command.fingerprint()
            is_first = named.setdefault(submission.operation_id, fingerprint) == fingerprint
            if not is_first or self._is_taken(submission):
                taken.append(submission)
        return taken

    def _told_taken(self, org: str, submissions: Sequence[Submission]) -> Answers:
        """Return the answers to commands whose key names another one that is on its way.

        Where the key was decided, the book knows whose it is: maybe it is the other one that must be refused.

        Raises:
            StorageUnavailable: the book or the inbox can't be read.
        """
        if not submissions:
            return {}
        known = self._known.of(org, [Accepted(org, item, item.command.fingerprint()) for item in submissions])
        return {item.submission: known.get(item.submission) or key_reused(item) for item in submissions}

    def _on_accepted(
        self, accepting: Accepting, tickets: Sequence[Ticket], error: StorageUnavailable | None, known: Answers
    ) -> None:
        accepting.error = error
        accepting.known.update(known)
        try:
            for ticket in tickets:
                if error is not None or ticket.submission.submission in known:
                    self._dispatch.forget(ticket)
                else:
                    ticket.accepted = True
            self._dispatch.send_soon([ticket for ticket in tickets if ticket.accepted])
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

    def _accept_late(self, tickets: Sequence[Ticket]) -> list[Answer | Pending]:
        """Accept commands whose wait ran out, unless they were decided, which the book may know before they are told.

        Nobody is promised a write whose key was another one's all the while.

        Raises:
            StorageUnavailable: none was accepted.
        """
        items = [_accepted(ticket) for ticket in tickets]
        known = self._decided(items[0].org, items)
        new = [item for item in items if item.submission.submission not in known]
        if new:
            self._acceptance.accept(new)
        return [self._told_known(ticket, known) or self._told_late(ticket) for ticket in tickets]

    def _decided(self, org: str, items: Sequence[Accepted]) -> Answers:
        """Return the answers to those of an org's writes that were decided, as far as it can be told now."""
        if self._is_out(org):
            return {}
        try:
            return self._known.decided(org, items)
        except Exception as error:  # they are accepted all the same: an error might be a lie
            logger.warning("can't tell what was decided for %s: %s", org, error)
            return {}

    def _told_known(self, ticket: Ticket, known: Answers) -> Answer | None:
        answer = known.get(ticket.submission.submission)
        if answer is not None:
            self._dispatch.forget(ticket)
        return answer

    def _told_late(self, ticket: Ticket) -> Answer | Pending:
        ticket.accepted = True
        if ticket.answer is None or not ticket.answer.decided:
            return Pending(ticket.submission.command.kind)
        self._acceptance.settle(ticket.submission)
        return ticket.answer


def _accepted(ticket: Ticket) -> Accepted:
    return Accepted(ticket.org, ticket.submission, ticket.submission.command.fingerprint())


def _release(waiting: Waiting) -> None:
    for ticket in waiting.tickets:
        ticket.release()
