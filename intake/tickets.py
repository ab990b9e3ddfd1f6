"""Tickets: one command on its way, and its answer when it comes."""

import threading
from collections.abc import Callable

from ledger_core.commands import PostBulk
from ledger_core.model import Submission
from wire.answers import Answer

HEAVY_WEIGHT = 32  # entries in one command: it has a message to itself
ENTRY_BYTES = 1024  # the usual one has a quarter of it: a message of many lines weighs more than its entries do


class Readiness:
    """Something that becomes ready, once, and whoever wants to be called then. Any thread may use it."""

    __slots__ = ("_calls", "ready")

    def __init__(self) -> None:
        self.ready = False
        self._calls: list[Callable[[], None]] = []

    def when_ready(self, call: Callable[[], None]) -> None:
        """Have something called, once, when this is ready: now, if it is."""
        self._calls.append(call)
        if self.ready:
            self.release()

    def release(self) -> None:
        """Say that this is ready."""
        self.ready = True
        while self._calls:
            try:
                call = self._calls.pop()  # one thread gets it, whichever of two comes first
            except IndexError:
                return
            call()

    def wait(self) -> None:
        """Wait in this thread."""
        ready = threading.Event()
        self.when_ready(ready.set)
        ready.wait()


class Ticket(Readiness):
    """One command on its way; ready when there is an answer, or no more waiting for one.

    `number` is what its answer is awaited under.
    """

    __slots__ = (
        "accepted",
        "answer",
        "bytes",
        "copies",
        "dead_at_s",
        "fields",
        "not_sent",
        "number",
        "org",
        "submission",
        "weight",
    )

    def __init__(self, number: int, org: str, submission: Submission, *, accepted: bool) -> None:
        super().__init__()
        self.number = number
        self.org = org
        self.submission = submission
        command = submission.command
        self.fields = command.fields()
        self.bytes = len(self.fields)
        entries = len(command.entries) if isinstance(command, PostBulk) else 1
        self.weight = max(entries, self.bytes // ENTRY_BYTES)  # how many entries of the usual size it is like
        self.accepted = accepted  # it is in the inbox: it must reach an outcome
        self.not_sent = False  # the broker did not get it, and it was not accepted
        self.copies: set[int] = set()  # the messages that carry it, and did not say that they won't carry it out
        self.dead_at_s = 0.0  # on the monotonic clock: when none of them can be applied any more
        self.answer: Answer | None = None

    @property
    def is_heavy(self) -> bool:
        """Tell whether it takes its worker so long that others should not wait for it."""
        return self.weight >= HEAVY_WEIGHT

    def tell(self, answer: Answer) -> None:
        """Hand over the answer."""
        self.answer = answer
        self.release()
