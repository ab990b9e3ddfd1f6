"""Tickets: one command on its way, and its answer when it comes."""

from collections.abc import Callable

from ledger_core.model import Submission
from wire.answers import Answer


class Ticket:
    """One command on its way. `number` is what its answer is awaited under."""

    __slots__ = ("_waiting", "accepted", "answer", "copies", "dead_at_s", "not_sent", "number", "org", "submission")

    def __init__(self, number: int, org: str, submission: Submission, *, accepted: bool) -> None:
        self.number = number
        self.org = org
        self.submission = submission
        self.accepted = accepted  # it is in the inbox: it must reach an outcome
        self.not_sent = False  # the broker did not get it, and it was not accepted
        self.copies = 0  # how many messages carried it
        self.dead_at_s = 0.0  # on the monotonic clock: when none of them can be applied any more
        self.answer: Answer | None = None
        self._waiting: list[Callable[[], None]] = []

    def when_ready(self, call: Callable[[], None]) -> None:
        """Have something called, once, when there is an answer or no more waiting for one: now, if there is."""
        self._waiting.append(call)
        if self.answer is not None or self.not_sent:
            self.release()

    def tell(self, answer: Answer) -> None:
        """Hand over the answer."""
        self.answer = answer
        self.release()

    def release(self) -> None:
        """Let whoever waits go on, with an answer or without one."""
        while self._waiting:
            try:
                call = self._waiting.pop()  # one thread gets it, whichever of two comes first
            except IndexError:
                return
            call()
