"""Tickets: one command on its way, and its answer when it comes."""

import threading
from contextlib import suppress

from ledger_core.model import Submission
from wire.answers import Answer


class Ticket:
    """One command on its way. `number` is what its answer is awaited under."""

    __slots__ = ("_answered", "accepted", "answer", "copies", "dead_at_s", "not_sent", "number", "org", "submission")

    def __init__(self, number: int, org: str, submission: Submission, *, accepted: bool) -> None:
        self.number = number
        self.org = org
        self.submission = submission
        self.accepted = accepted  # it is in the inbox: it must reach an outcome
        self.not_sent = False  # the broker did not get it, and it was not accepted
        self.copies = 0  # how many messages carried it
        self.dead_at_s = 0.0  # on the monotonic clock: when none of them can be applied any more
        self.answer: Answer | None = None
        self._answered = threading.Lock()  # held until there is an answer: the cheapest thing to wait on
        self._answered.acquire()

    def wait(self, timeout_s: float) -> Answer | None:
        """Wait for the answer; None when it does not come in time."""
        if self.answer is None and self._answered.acquire(timeout=max(timeout_s, 0.0)):
            self._answered.release()
        return self.answer

    def tell(self, answer: Answer) -> None:
        """Hand over the answer."""
        self.answer = answer
        self.release()

    def release(self) -> None:
        """Let whoever waits go on, with an answer or without one."""
        with suppress(RuntimeError):  # it was let go before
            self._answered.release()
