"""Links to the broker: what came is read as it came, whatever comes after it."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest
import redis
from redis._parsers.base import BaseParser

from wire.link import RECEIVED_BYTES, Link


class ToyConnection:
    """What redis makes of a connection, with its other end."""

    def __init__(self) -> None:
        self._near, self.other = socket.socketpair()
        self._parser = BaseParser
        self.connection_pool = self

    def get_connection(self) -> "ToyConnection":
        return self

    def _get_socket(self) -> socket.socket:
        return self._near

    def disconnect(self) -> None:
        self._near.close()
        self.other.close()

    def release(self, connection: "ToyConnection") -> None:
        assert connection is self


@pytest.fixture
def broker() -> ToyConnection:
    return ToyConnection()


@pytest.fixture
def link(broker: ToyConnection) -> Iterator[Link]:
    with contextlib.closing(Link(cast(Any, broker))) as found:
        yield found


def test_answers_come_in_their_order_and_errors_are_answers_too(broker: ToyConnection, link: Link) -> None:
    broker.other.sendall(b":1\r\n-OOM command not allowed\r\n$2\r\nab\r\n*2\r\n$1\r\nx\r\n$1\r\ny")

    one, refused, text = link.received()

    assert (one, text) == (1, b"ab")
    assert isinstance(refused, redis.exceptions.OutOfMemoryError)
    broker.other.sendall(b"\r\n")
    assert link.received() == [[b"x", b"y"]]
    assert link.received() == []


def test_what_came_before_the_end_is_told_before_it(broker: ToyConnection, link: Link) -> None:
    body = b"x" * (RECEIVED_BYTES - len(b"$65536\r\n\r\n"))  # as much as is read in one call: the end is read with it
    text = b"$%d\r\n%b\r\n" % (len(body), body)
    assert len(text) == RECEIVED_BYTES
    broker.other.sendall(text)
    broker.other.shutdown(socket.SHUT_RDWR)

    assert link.received() == [body]
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            link.received()


def test_what_is_no_answer_of_a_broker_breaks_the_link(broker: ToyConnection, link: Link) -> None:
    broker.other.sendall(b":1\r\nHTTP/1.1 502 Bad Gateway\r\n")

    assert link.received() == [1]
    for _ in range(2):
        with pytest.raises(redis.InvalidResponse):
            link.received()


def test_what_a_broker_was_not_asked_for_is_no_answer(broker: ToyConnection, link: Link) -> None:
    broker.other.sendall(b">2\r\n+MOVING\r\n:1\r\n:7\r\n")

    assert link.received() == [7]
