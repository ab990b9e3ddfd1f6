"""Watching the broker: an asking that does not end is a broker that is away."""

import threading
from collections.abc import Iterator

import pytest

from intake import broker_watch as module
from intake.broker_watch import OVERDUE_S, BrokerWatch
from tests.waiting import eventually
from wire.publisher import Trouble


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


class Held:
    """A broker that is asked, and held up while its name is looked up."""

    def __init__(self) -> None:
        self.found = threading.Event()
        self.asked = threading.Event()

    def trouble(self) -> Trouble | None:
        self.asked.set()
        self.found.wait()
        return None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the watch."""
    fake = Clock()
    monkeypatch.setattr(module, "time", fake)
    return fake


@pytest.fixture
def held() -> Iterator[Held]:
    """A broker whose asking is held up, and ends with the test."""
    made = Held()
    yield made
    made.found.set()


def test_an_asking_that_takes_too_long_found_the_broker_away_until_it_ends_well(clock: Clock, held: Held) -> None:
    watch = BrokerWatch(held)
    back = threading.Event()
    watch.on_back = back.set
    asking = threading.Thread(target=watch.ask_once)
    asking.start()
    eventually(held.asked.is_set, "it is asked")

    clock.now_s += OVERDUE_S
    watch.look(clock.now_s)
    in_time = watch.cause
    clock.now_s += 0.1
    watch.look(clock.now_s)

    assert in_time is None
    assert watch.cause == "the broker does not answer"
    held.found.set()
    asking.join()
    assert back.is_set()
    watch.look(clock.now_s + 99.0)
    assert watch.cause is None


class Away:
    """A broker that is away."""

    def trouble(self) -> Trouble | None:
        return Trouble("the broker does not answer", "ConnectionError: Connection refused")


def test_the_log_has_one_line_when_the_broker_goes_with_what_is_wrong(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    watch = BrokerWatch(Away())

    for _ in range(3):
        watch.ask_once()

    assert [record.getMessage() for record in caplog.records] == [
        "the broker does not answer; new writes are refused until it is back (ConnectionError: Connection refused)"
    ]
    assert watch.cause == "the broker does not answer", "callers are told no more"


def test_the_log_says_of_an_asking_that_does_not_end_that_it_did_not(
    clock: Clock, held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    watch = BrokerWatch(held)
    asking = threading.Thread(target=watch.ask_once)
    asking.start()
    eventually(held.asked.is_set, "it is asked")

    clock.now_s += OVERDUE_S + 0.1
    watch.look(clock.now_s)

    assert caplog.records[0].getMessage().endswith("until it is back (for more than 1 s of asking or looking it up)")
    held.found.set()
    asking.join()
