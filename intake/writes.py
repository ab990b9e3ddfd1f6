"""Writes: from a command to the answer of its caller, waiting for it or not."""

import time
from typing import NamedTuple

from intake import problems
from intake.acceptance import Acceptance
from intake.dispatch import Dispatch
from intake.prefer import Preference
from intake.readers import Readers
from intake.tickets import Ticket
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

GONE_S = 5.0  # a caller who did not take up its answer this long after its wait has gone away


class Pending(NamedTuple):
    """A write that was accepted, and will reach an outcome."""

    kind: Kind


class Written(NamedTuple):
    """What a write came to within its wait: an answer, or that it is pending; and the operation that it is."""

    operation_id: bytes
    told: Answer | Pending
    preference: Preference


class Waiting(NamedTuple):
    """A write that is on its way, and until when, on the monotonic clock, its caller waits for it."""

    ticket: Ticket
    until_s: float
    preference: Preference


class Writes:
    """Takes commands, waits for them as long as their callers like, and accepts them for good where they don't.

    A write is begun, then waited for, by whoever can do so cheapest, then finished.
    """

    def __init__(self, dispatch: Dispatch, acceptance: Acceptance, readers: Readers, *, wait_s: int) -> None:
        self._dispatch = dispatch
        self._acceptance = acceptance
        self._readers = readers
        self._wait_s = wait_s
        self._waiting: dict[int, Waiting] = {}

    def begin(self, org: str, command: Command, request_id: str, preference: Preference) -> Written | Waiting:
        """Send a command on its way. One whose caller does not wait is accepted for good first.

        Raises:
            Rejected: too_many_pending or queue_unavailable; it was not accepted.
            StorageUnavailable: it was not accepted.
            IdempotencyKeyReused: its key names another write that is pending.
        """
        operation_id = operation_id_of(org, command)
        submission = Submission(operation_id, new_submission(), command, request_id, now_us())
        wait_s = preference.wait_s
        if preference.respond_async and not wait_s:
            return Written(operation_id, self._accept_first(org, submission), preference)
        ticket = self._dispatch.ticket(org, submission)
        until_s = time.monotonic() + (self._wait_s if wait_s is None else wait_s)
        self._dispatch.send(ticket)
        waiting = self._waiting[ticket.number] = Waiting(ticket, until_s, preference)
        return waiting

    def finish(self, waiting: Waiting) -> Written:
        """Return what a write came to. One that has no answer yet is accepted for good.

        Raises:
            Rejected: queue_unavailable or storage_unavailable; it was not accepted.
        """
        ticket = waiting.ticket
        self._waiting.pop(ticket.number, None)
        if ticket.not_sent:
            raise problems.queue_unavailable()
        told = ticket.answer or self._accept_late(ticket)
        return Written(ticket.submission.operation_id, told, waiting.preference)

    def end_waits(self, now_s: float) -> None:
        """Let those go on whose wait has run out, and forget those whose callers went away."""
        for number, waiting in list(self._waiting.items()):
            if waiting.until_s <= now_s:
                waiting.ticket.release()
            if waiting.until_s + GONE_S <= now_s:
                self._waiting.pop(number, None)

    def drain(self) -> bool:
        """Wait for nothing any more: what is under way is accepted for good. Tell whether nobody is left waiting."""
        self._wait_s = 0
        for waiting in list(self._waiting.values()):
            waiting.ticket.release()
        return not self._waiting

    def _accept_first(self, org: str, submission: Submission) -> Answer | Pending:
        """Accept a command and let it go; one whose outcome is known is answered with it."""
        fingerprint = submission.command.fingerprint()
        if submission.command.idempotency_key is not None:
            known = self._known(org, submission, fingerprint)
            if known is not None:
                return known
        ticket = self._dispatch.ticket(org, submission)
        try:
            self._acceptance.accept(Accepted(org, submission, fingerprint))
        except StorageUnavailable:
            self._dispatch.forget(ticket)
            raise
        ticket.accepted = True
        self._dispatch.send(ticket)
        return Pending(submission.command.kind)

    def _known(self, org: str, submission: Submission, fingerprint: bytes) -> Answer | None:
        with self._readers.book(org) as book, book.snapshot():
            outcome = reads.decided(book, submission, fingerprint)
        if outcome is not None:
            return answers.of_outcome(outcome)
        pending = self._acceptance.find(submission.operation_id)
        if pending is not None and pending.fingerprint != fingerprint:
            command, request_id = submission.command, submission.request_id
            reused = of_refusal(IdempotencyKeyReused().record(request_id, command.address))
            return answers.of_problem(reused, command, request_id)
        return None

    def _accept_late(self, ticket: Ticket) -> Answer | Pending:
        """Accept a command whose wait ran out. It is under way, so it may have been decided all the same."""
        fingerprint = ticket.submission.command.fingerprint()
        try:
            self._acceptance.accept(Accepted(ticket.org, ticket.submission, fingerprint))
        except StorageUnavailable:
            return self._withdraw(ticket, fingerprint)
        ticket.accepted = True
        if ticket.answer is None or not ticket.answer.decided:
            return Pending(ticket.submission.command.kind)
        self._acceptance.settle(ticket.submission)
        return ticket.answer

    def _withdraw(self, ticket: Ticket, fingerprint: bytes) -> Answer:
        """Take back a command that can't be accepted: only when no message of it can be applied may we say so."""
        self._dispatch.forget(ticket)
        time.sleep(max(ticket.dead_at_s - time.monotonic(), 0.0))
        known = self._known(ticket.org, ticket.submission, fingerprint)
        if known is None:
            raise problems.storage_unavailable()
        return known
