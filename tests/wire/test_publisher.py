"""Publishing to a broker by its name: whoever publishes never waits for the name to be looked up."""

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.breakable import OwnBroker, own_broker
from tests.waiting import eventually
from wire.lanes import queue_of
from wire.publisher import ANSWER_TIMEOUT_S, NotSent, PerhapsSent, Publisher

AT_ONCE_S = 0.2  # far beyond what telling takes, and far below what a look-up may
HELD_UP_S_MAX = 5.0  # so that a test fails, rather than stand still
LANE = 1


class Names:
    """Looking up names, which succeeds at once, fails, or holds up whoever asks."""

    def __init__(self) -> None:
        self._look_up: Callable[..., Any] = socket.getaddrinfo
        self._going = threading.Event()
        self._going.set()
        self._free = 0
        self.asking = 0
        self.unknown = False

    def getaddrinfo(self, host: str, *arguments: Any, **options: Any) -> Any:
        """Look up what only this test knows the address of."""
        if self._free:
            self._free -= 1
        else:
            self.asking += 1
            self._going.wait(HELD_UP_S_MAX)
            self.asking -= 1
        if self.unknown:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._look_up("127.0.0.1", *arguments, **options)

    def hold_up(self, *, after: int = 0) -> None:
        """Hold up every look-up but so many."""
        self._free = after
        self._going.clear()

    def go_on(self) -> None:
        """Hold up nobody any more."""
        self._going.set()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    """The names as this process looks them up."""
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    yield made
    made.go_on()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBroker]:
    """A broker over TCP."""
    with own_broker(Path(tmp_path_factory.mktemp("named"))) as made:
        yield made


@pytest.fixture
def publisher(broker: OwnBroker, names: Names) -> Iterator[Publisher]:
    """A publisher that knows the broker by a name, and is not connected yet."""
    made = Publisher(broker.url.replace("127.0.0.1", "the-broker.invalid"))
    yield made
    names.go_on()
    made.close()


def _failures(publisher: Publisher, text: str = "a message", *, first: bool = False) -> list[NotSent | PerhapsSent]:
    """Publish a message, and return what is told of its failure: now, or later."""
    told: list[NotSent | PerhapsSent] = []
    publisher.publish(LANE, text, told.append, first=first)
    return told


def _told_s(publisher: Publisher) -> float:
    """Publish what can't be sent, and return how long it took to be told so."""
    began_s = time.monotonic()
    (told,) = _failures(publisher)
    assert isinstance(told, NotSent)
    assert told.args[0] == "the broker does not answer"
    return time.monotonic() - began_s


def _is_lost(publisher: Publisher) -> bool:
    """Take in what came, as whoever watches the link does; tell whether there is none any more."""
    publisher.take_in()
    return not publisher._linked.stands


def _arrived(broker: OwnBroker) -> int:
    """Wait until something lies on the lane, and return how many messages."""
    return eventually(lambda: broker.client.llen(queue_of(LANE)), "a message arrives")


@pytest.mark.parametrize("before", [0, 1])
def test_who_publishes_while_the_name_is_looked_up_is_told_at_once(
    broker: OwnBroker, names: Names, publisher: Publisher, before: int
) -> None:
    """Two connections look it up: the one that asks how the broker is, and then the one that publishes."""
    names.hold_up(after=before)
    asking = threading.Thread(target=publisher.trouble)
    asking.start()
    eventually(lambda: names.asking, "the name is looked up")

    told_s = _told_s(publisher)

    assert told_s < AT_ONCE_S
    names.go_on()
    asking.join()
    assert not _failures(publisher)
    assert _arrived(broker)
    broker.client.delete(queue_of(LANE))


def test_a_name_that_is_unknown_is_a_broker_that_does_not_answer_until_it_is_known(
    broker: OwnBroker, names: Names, publisher: Publisher
) -> None:
    names.unknown = True

    trouble = publisher.trouble()
    assert trouble is not None
    assert trouble.cause == "the broker does not answer"
    assert "Name or service not known" in trouble.detail
    assert _told_s(publisher) < AT_ONCE_S

    names.unknown = False
    assert publisher.trouble() is None
    assert not _failures(publisher)
    assert _arrived(broker)
    broker.client.delete(queue_of(LANE))


def test_a_connection_that_stands_goes_on_while_the_name_can_not_be_looked_up(
    broker: OwnBroker, names: Names, publisher: Publisher
) -> None:
    assert publisher.trouble() is None

    names.hold_up()

    assert publisher.trouble() is None
    assert not _failures(publisher)
    assert _arrived(broker)
    broker.client.delete(queue_of(LANE))


def test_what_meets_a_connection_that_the_broker_closed_is_surely_not_sent(tmp_path: Path) -> None:
    """So that its caller is told at once that it was not accepted, rather than to wait for what never comes."""
    with own_broker(tmp_path / "broker") as broker:
        publisher = Publisher(broker.url)
        assert publisher.trouble() is None
        with broker.killed():
            (told,) = _failures(publisher)
        assert isinstance(told, NotSent)
        assert broker.client.llen(queue_of(LANE)) == 0
        publisher.close()


def test_a_connection_that_was_cut_while_idle_is_made_anew_before_a_message_meets_it(tmp_path: Path) -> None:
    with own_broker(tmp_path / "broker") as broker:
        publisher = Publisher(broker.url)
        assert publisher.trouble() is None
        broker.cut()

        eventually(lambda: _is_lost(publisher), "the cut is noticed")
        assert publisher.trouble() is None

        assert not _failures(publisher)

        assert _arrived(broker) == 1
        publisher.close()


def test_a_message_that_goes_first_is_taken_before_those_that_lie_there(tmp_path: Path) -> None:
    with own_broker(tmp_path / "broker") as broker:
        publisher = Publisher(broker.url)
        assert publisher.trouble() is None

        _failures(publisher, "text")
        _failures(publisher, "first", first=True)

        eventually(lambda: _arrived(broker) == 2, "both arrive")
        taken = [json.loads(broker.client.rpop(queue_of(LANE))) for _ in range(2)]
        texts = [json.loads(base64.b64decode(each["body"]))[0][0] for each in taken]
        assert texts == ["first", "text"]
        publisher.close()


def _taken_in(publisher: Publisher, told: list[NotSent | PerhapsSent]) -> NotSent | PerhapsSent:
    """Take in what the broker says until it is told what became of a message, and return that."""

    def is_told() -> bool:
        publisher.take_in()
        return bool(told)

    eventually(is_told, "it is told what became of the message")
    return told[0]


def test_a_message_that_the_broker_refuses_is_surely_not_sent(tmp_path: Path) -> None:
    with own_broker(tmp_path / "broker") as broker:
        publisher = Publisher(broker.url)
        assert publisher.trouble() is None
        with broker.full():
            told = _taken_in(publisher, _failures(publisher))

        assert isinstance(told, NotSent)
        assert told.args[0] == "the broker is out of memory"
        assert not _failures(publisher)
        assert _arrived(broker) == 1
        publisher.close()


def test_a_broker_that_stands_still_holds_nobody_up_and_nobody_knows_whether_it_has_the_message(
    tmp_path: Path,
) -> None:
    """The message is larger than what the system takes for the broker: half of it stays here."""
    with own_broker(tmp_path / "broker") as broker:
        publisher = Publisher(broker.url)
        assert publisher.trouble() is None
        with broker.frozen():
            began_s = time.monotonic()
            failures = _failures(publisher, "x" * 20_000_000)
            took_s = time.monotonic() - began_s
            told = _taken_in(publisher, failures)

        assert took_s < ANSWER_TIMEOUT_S
        assert isinstance(told, PerhapsSent)
        assert told.args[0] == "the broker does not answer"
        assert publisher.trouble() is None
        assert not _failures(publisher)
        assert _arrived(broker) == 1
        publisher.close()


def test_a_message_larger_than_the_system_takes_at_once_arrives_whole(tmp_path: Path) -> None:
    with own_broker(tmp_path / "broker") as broker:
        publisher = Publisher(broker.url)
        assert publisher.trouble() is None
        text = "x" * 20_000_000
        failures = _failures(publisher, text)

        def has_arrived() -> int:
            publisher.take_in()
            return broker.client.llen(queue_of(LANE))

        eventually(has_arrived, "the message arrives")
        body = json.loads(broker.client.rpop(queue_of(LANE)))["body"]
        assert json.loads(base64.b64decode(body))[0][0] == text
        assert not failures
        publisher.close()


def test_what_became_of_messages_under_way_is_not_told_of_a_broker_that_was_found_away_before(tmp_path: Path) -> None:
    """Whoever asks it said so; once it is back, what was before must not have it taken for away again."""
    with own_broker(tmp_path / "broker") as broker:
        publisher = Publisher(broker.url)
        assert publisher.trouble() is None
        with broker.frozen():
            failures = _failures(publisher)
            assert publisher.trouble() is not None
        assert publisher.trouble() is None

        publisher.take_in()

        assert not failures
        publisher.close()


def test_who_looks_late_finds_what_the_broker_said_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause of this process is no outage of the broker."""
    with own_broker(tmp_path / "broker") as broker:
        publisher = Publisher(broker.url)
        assert publisher.trouble() is None
        failures = _failures(publisher)
        assert _arrived(broker) == 1
        monkeypatch.setattr("wire.publisher.ANSWER_TIMEOUT_S", 0.0)

        publisher.take_in()

        assert not failures
        assert publisher._linked.stands
        publisher.close()


def test_a_fault_of_who_is_told_of_one_message_keeps_no_other_from_being_told(tmp_path: Path) -> None:
    def fail(error: NotSent | PerhapsSent) -> None:
        raise ValueError("as it was told to")

    with own_broker(tmp_path / "broker") as broker:
        publisher = Publisher(broker.url)
        assert publisher.trouble() is None
        with broker.full():
            publisher.publish(LANE, "a message", fail)
            told = _taken_in(publisher, _failures(publisher))

        assert isinstance(told, NotSent)
        assert not publisher._published
        publisher.close()


def test_an_answer_to_what_nobody_published_has_the_link_dropped(tmp_path: Path) -> None:
    """From then on no answer could be trusted to be that to its message."""
    with own_broker(tmp_path / "broker") as broker:
        publisher = Publisher(broker.url)
        assert publisher.trouble() is None
        publisher.take_in()
        publisher._linked.send(("PING",))

        eventually(lambda: _is_lost(publisher), "the link is dropped")
        assert publisher.trouble() is None
        assert not _failures(publisher)
        assert _arrived(broker) == 1
        publisher.close()
