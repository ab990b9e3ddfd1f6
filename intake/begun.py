"""What a request's writes are while they are on their way, and what they come to."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from intake import problems
from intake.known import Answers
from intake.prefer import Preference
from intake.tickets import Readiness, Ticket
from ledger_core.commands import Kind
from ledger_core.errors import StorageUnavailable
from ledger_core.model import Submission
from wire import answers
from wire.answers import Answer

UNKNOWN_S_MAX = 60.0  # so long a book that can't be read is looked into again, before nothing at all is answered


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
    taken: Answers  # of those whose key names another request on its way, which were not sent

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

    def __init__(self, submissions: Sequence[Submission], known: Answers, preference: Preference) -> None:
        super().__init__()
        self.submissions = submissions
        self.known = known  # of those that were decided before, or whose keys are another request's
        self.preference = preference
        self.error: StorageUnavailable | None = None


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


def written(waiting: Waiting, late: Sequence[Ticket], told_late: Sequence[Answer | Pending]) -> Written:
    """Return what the writes of a request came to. Those that came `late` are told `told_late`, in their order."""
    told: dict[int, Answer | Pending] = dict(waiting.taken)
    told.update(zip((ticket.submission.submission for ticket in late), told_late, strict=True))
    for ticket in waiting.tickets:
        told.setdefault(ticket.submission.submission, _answer(ticket))
    results = [Result(item.operation_id, told[item.submission]) for item in waiting.submissions]
    return Written(results, waiting.preference)


def _answer(ticket: Ticket) -> Answer:
    """Return a command's answer: the worker's, or that the broker never got it."""
    if ticket.answer is not None:
        return ticket.answer
    unsent = problems.queue_unavailable().problem
    return answers.of_problem(unsent, ticket.submission.command, ticket.submission.request_id)
