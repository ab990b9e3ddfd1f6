"""Looking up operations: in the book when they are decided, in the inbox or on their way before."""

import time

from intake import problems
from intake.acceptance import Acceptance
from intake.dispatch import Dispatch
from intake.readers import Readers
from ledger_core import reads
from ledger_core.model import Submission
from wire.answers import operation_json, pending_json
from wire.resources import OperationJson

POLL_S = 0.02  # how often a wait looks, for an operation that another process has under way


class Operations:
    """Reads operations. Any thread may use it."""

    def __init__(self, dispatch: Dispatch, acceptance: Acceptance, readers: Readers) -> None:
        self._dispatch = dispatch
        self._acceptance = acceptance
        self._readers = readers

    def read(self, org: str, operation_id: bytes, wait_s: float) -> OperationJson:
        """Read an operation of an org; while it is pending, wait that long at most for its outcome.

        Raises:
            Rejected: operation_not_found.
            StorageUnavailable: the book or the inbox can't be read.
        """
        until_s = time.monotonic() + wait_s
        while True:
            pending = self._pending(org, operation_id)  # first, so that one decided in between is not missed
            with self._readers.book(org) as book:
                outcome = reads.operation(book, operation_id)
            if outcome is not None:
                return operation_json(outcome)
            if pending is None:
                raise problems.thing_not_found("operation")
            if time.monotonic() >= until_s:
                return pending_json(operation_id, pending.command.kind, pending.submitted_at)
            time.sleep(POLL_S)

    def _pending(self, org: str, operation_id: bytes) -> Submission | None:
        ticket = self._dispatch.pending(operation_id)
        if ticket is not None and ticket.org == org:
            return ticket.submission
        accepted = self._acceptance.find(operation_id)
        return accepted.submission if accepted is not None and accepted.org == org else None
