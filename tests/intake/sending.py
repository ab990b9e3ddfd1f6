"""Dispatch under test, with a clock and a broker that are fakes."""

from collections.abc import Callable

import pytest

from intake.broker_watch import BrokerWatch
from intake.dispatch import Dispatch
from intake.problems import Rejected
from intake.tickets import Ticket
from ledger_core.model import Submission
from tests.builders import ORG, posting, submission
from wire.answers import Answer
from wire.envelope import Message, Reply, decode_message
from wire.lanes import lane_of
from wire.publisher import Failed, NotSent, PerhapsSent, Trouble

LANES = 4
LANE = lane_of(ORG, LANES)
NEIGHBOUR = next(slug for slug in map("org-{}".format, range(99)) if lane_of(slug, LANES) == LANE)
STRANGER = next(slug for slug in map("org-{}".format, range(99)) if lane_of(slug, LANES) != LANE)
DONE = Answer(201, b"{}")
UNAVAILABLE = Answer(503, b"{}", decided=False)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


class Broker:
    """A broker that keeps what it is given, or fails as it is told to."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, Message]] = []
        self.firsts: list[int] = []  # the ids of those that went before the others
        self.failed: list[Failed] = []  # whom to tell if a message turns out to be lost
        self.fails: NotSent | PerhapsSent | None = None
        self.up = True

    def publish(self, lane: int, text: str, failed: Failed, *, first: bool = False) -> None:
        self.failed.append(failed)
        if self.fails is None or isinstance(self.fails, PerhapsSent):
            self.messages.append((lane, decode_message(text)))
            if first:
                self.firsts.append(self.messages[-1][1].message_id)
        if self.fails is not None:
            failed(self.fails)

    def trouble(self) -> Trouble | None:
        return None if self.up else Trouble("away")


class Sender:
    """Dispatch under test, with its clock, its broker, and what was told to be settled."""

    def __init__(
        self,
        clock: Clock,
        *,
        pending_per_org_max: int = 100,
        pending_max: int = 1_000,
        pending_bytes_max: int = 2**20,
        is_out: Callable[[str], bool] = lambda org: False,
        on_due: Callable[[], None] | None = None,
    ) -> None:
        self.clock = clock
        self.broker = Broker()
        self.settled: list[Submission] = []
        self.watch = BrokerWatch(self.broker)
        self.dispatch = Dispatch(
            self.broker,
            self.watch,
            "ledger.replies.x",
            lanes=LANES,
            pending_per_org_max=pending_per_org_max,
            pending_max=pending_max,
            pending_bytes_max=pending_bytes_max,
            on_settled=self.settled.append,
            is_out=is_out,
            on_due=on_due,
        )

    def send(self, org: str = ORG, count: int = 1, *, accepted: bool = False) -> list[Ticket]:
        """Send commands of an org, one after the other."""
        sent = []
        for _ in range(count):
            sent += self.dispatch.tickets(org, [submission(posting(), org)], accepted=accepted)
            self.dispatch.send(sent[-1:])
        return sent

    def answer(self, place: int = -1, answer: Answer = DONE) -> None:
        """Answer every command of a message that was published."""
        _, message = self.broker.messages[place]
        self.dispatch.resolve(Reply(message.message_id, 1, [(item.number, answer) for item in message.items]))

    def later(self, seconds: float) -> None:
        """Let time pass, and do what is due then."""
        self.clock.now_s += seconds
        self.watch.ask_once()
        self.dispatch.tick()

    @property
    def carried(self) -> list[list[int]]:
        """The numbers of the commands of each message."""
        return [[item.number for item in message.items] for _, message in self.broker.messages]


def refusal(rejected: pytest.ExceptionInfo[Rejected]) -> tuple[int, str, str]:
    """Return status, code and Retry-After of a refusal."""
    return rejected.value.problem.status, rejected.value.problem.code, rejected.value.headers["Retry-After"]
