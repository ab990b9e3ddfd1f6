"""Reply lists: a worker's answers arrive, also the first ones after the broker came back."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.system.breakable import OwnBroker, own_broker
from tests.waiting import eventually
from wire.answers import Answer
from wire.broker import ERRORS
from wire.envelope import Reply, decode_reply, encode_reply
from wire.replies import ASKED_MAX, Listener, Sender, new_list


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBroker]:
    """A broker over TCP."""
    with own_broker(Path(tmp_path_factory.mktemp("replies")) / "broker") as made:
        yield made


def _reply(number: int) -> Reply:
    return Reply(number, 1, [(number, Answer(201, b"{}"))])


@pytest.mark.parametrize("how", ["cut", "killed"])
def test_the_first_answers_after_the_broker_came_back_arrive(broker: OwnBroker, how: str) -> None:
    """A connection that was closed meanwhile takes them, and loses them."""
    sender = Sender(broker.url)
    listener = Listener(broker.url, new_list())
    sender.send(listener.name, _reply(1))
    before = _received(listener)

    if how == "cut":
        broker.cut()
    else:
        with broker.killed():
            pass
    eventually(lambda: _is_lost(listener), "the listener notices it")
    sender.send(listener.name, _reply(2))
    after = _received(listener)

    assert ([each.message_id for each in before], [each.message_id for each in after]) == ([1], [2])
    listener.close()


def test_many_answers_arrive_each_once_in_their_order(broker: OwnBroker) -> None:
    sender, listener = Sender(broker.url), Listener(broker.url, new_list())
    arrived: list[Reply] = []

    for number in range(1, 4 * ASKED_MAX):
        sender.send(listener.name, _reply(number))
        if number % ASKED_MAX == 0:
            arrived += _received(listener)
    while len(arrived) < 4 * ASKED_MAX - 1:
        arrived += _received(listener)

    assert [each.message_id for each in arrived] == list(range(1, 4 * ASKED_MAX))
    listener.close()


def test_half_an_answer_holds_nobody_up_and_arrives_with_its_other_half() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        listener = Listener(f"redis://127.0.0.1:{port}/0", new_list())
        connecting = threading.Thread(target=listener.connect)
        connecting.start()
        other, _ = listening.accept()
        with other:
            while connecting.is_alive():  # it names itself
                other.sendall(b"+OK\r\n" * other.recv(4_096).count(b"SETINFO"))
                connecting.join(0.05)
            text = encode_reply(_reply(1))
            name = listener.name.encode()
            answer = b"*2\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(name), name, len(text), text)
            assert listener.received() == []

            other.sendall(answer[:40])
            eventually(lambda: not listener.received(), "nothing is whole")
            other.sendall(answer[40:])

            assert eventually(listener.received, "the answer is whole") == [text]
        listener.close()


def test_a_broker_that_says_nothing_for_long_is_given_up(broker: OwnBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener(broker.url, new_list())
    listener.connect()
    listener.received()
    with broker.frozen():
        monkeypatch.setattr("wire.replies.ANSWER_TIMEOUT_S", 0.1)
        eventually(lambda: listener.is_overdue, "it is overdue")
        with pytest.raises(redis.TimeoutError):
            listener.received()
    assert not listener.stands
    listener.close()


def _received(listener: Listener) -> list[Reply]:
    """Wait for answers, as intake does."""

    def some() -> list[bytes]:
        listener.connect()
        return listener.received()

    return [decode_reply(text) for text in eventually(some, "answers arrive")]


def _is_lost(listener: Listener) -> bool:
    try:
        listener.received()
    except ERRORS:
        return True
    return not listener.stands
