"""Writes: from a command to the answer of its caller, waiting for it or not."""

import threading
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
from wire import answers
from wire.answers import Answer
from wire.operations import new_submission, operation_id_of


class Pending(NamedTuple):
    """A write that was accepted, and will reach an outcome."""

    kind: Kind


class Written(NamedTuple):
    """What a write came to within its wait: an answer, or that it is pending; and the operation that it is."""

    operation_id: bytes
    told: Answer | Pending


class Writes:
    """Takes commands, waits for them as long as their callers like, and accepts them for good where they don't."""

    def __init__(
        self, dispatch: Dispatch, acceptance: Acceptance, readers: Readers, *, wait_s: int, waiters_max: int
    ) -> None:
        self._dispatch = dispatch
        self._acceptance = acceptance
        self._readers = readers
        self._wait_s = wait_s
        self._waiters = threading.Semaphore(waiters_max)

    def write(self, org: str, command: Command, request_id: str, preference: Preference) -> Written:
        """Carry out a command, or accept it for good.

        Raises:
            Rejected: too_many_pending, queue_unavailable or storage_unavailable; it was not accepted.
            IdempotencyKeyReused: its key names another write that is pending.
        """
        operation_id = operation_id_of(org, command)
        submission = Submission(operation_id, new_submission(), command, request_id, now_us())
        wait_s = preference.wait_s
        if preference.respond_async and not wait_s:
            return Written(operation_id, self._accept_first(org, submission))
        return Written(operation_id, self._wait_first(org, submission, self._wait_s if wait_s is None else wait_s))

    def drain(self) -> None:
        """Wait for nothing any more: what is under way is accepted and answered `202`, before this process ends."""
        self._wait_s = 0
        self._dispatch.release_waiters()

    def _wait_first(self, org: str, submission: Submission, wait_s: float) -> Answer | Pending:
        ticket = self._dispatch.ticket(org, submission)
        self._dispatch.send(ticket)
        answer = ticket.wait(0)
        if answer is None and self._waiters.acquire(blocking=False):
            try:
                answer = ticket.wait(wait_s)
            finally:
                self._waiters.release()
        if answer is not None:
            return answer
        if ticket.not_sent:
            raise problems.queue_unavailable()
        return self._accept_late(org, ticket)

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
            raise IdempotencyKeyReused
        return None

    def _accept_late(self, org: str, ticket: Ticket) -> Answer | Pending:
        """Accept a command whose wait ran out. It is under way, so it may have been decided all the same."""
        fingerprint = ticket.submission.command.fingerprint()
        try:
            self._acceptance.accept(Accepted(org, ticket.submission, fingerprint))
        except StorageUnavailable:
            return self._withdraw(org, ticket, fingerprint)
        ticket.accepted = True
        if ticket.answer is None or not ticket.answer.decided:
            return Pending(ticket.submission.command.kind)
        self._acceptance.settle(ticket.submission)
        return ticket.answer

    def _withdraw(self, org: str, ticket: Ticket, fingerprint: bytes) -> Answer:
        """Take back a command that can't be accepted: only when no message of it can be applied may we say so."""
        self._dispatch.forget(ticket)
        time.sleep(max(ticket.dead_at_s - time.monotonic(), 0.0))
        known = self._known(org, ticket.submission, fingerprint)
        if known is None:
            raise problems.storage_unavailable()
        return known
