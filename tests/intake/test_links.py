"""Links in the server's loop: whoever uses them is called when something happens to them, and never after their end."""

import contextlib
import logging
import socket
from collections.abc import Iterator

import pytest

from intake.links import Links
from intake.watching import Watched
from wire.link import Link


class ToyLink(Link):
    """A link to the other end of a pair of sockets."""

    def __init__(self) -> None:
        self._socket, self.other = socket.socketpair()
        self._socket.setblocking(False)
        self._unsent = bytearray()

    def close(self) -> None:
        self._socket.close()
        self.other.close()


@pytest.fixture
def watched() -> Iterator[Watched]:
    with contextlib.closing(Watched()) as found:
        yield found


@pytest.fixture
def link() -> Iterator[ToyLink]:
    with contextlib.closing(ToyLink()) as found:
        yield found


def _ask(link: ToyLink, calls: list[bytes]) -> None:
    with contextlib.suppress(BlockingIOError):
        calls.append(link._socket.recv(100))


def test_whoever_uses_a_link_is_called_when_something_comes_and_only_then(watched: Watched, link: ToyLink) -> None:
    calls: list[bytes] = []
    Links(watched).watch(link, lambda: _ask(link, calls))

    watched.turn(0)
    assert calls == []
    link.other.sendall(b"an answer")
    watched.turn(0)
    watched.turn(0)
    assert calls == [b"an answer"]


def test_what_is_unsent_goes_when_the_broker_takes_more(watched: Watched, link: ToyLink) -> None:
    links, calls = Links(watched), list[None]()

    def come() -> None:
        calls.append(None)
        link.flush()

    links.watch(link, come)
    watched.turn(0)
    link._unsent += b"x" * 5_000_000
    links.look_at(link)
    taken = 0
    while taken < 5_000_000:
        watched.turn(0)
        with contextlib.suppress(BlockingIOError):
            taken += len(link.other.recv(1_000_000, socket.MSG_DONTWAIT))

    before = len(calls)
    watched.turn(0)
    watched.turn(0)
    assert not link.has_unsent
    assert 1 < before <= len(calls) <= before + 1


def test_a_descriptor_that_was_a_link_s_may_be_another_one_s(watched: Watched, link: ToyLink) -> None:
    links, calls = Links(watched), list[bytes]()
    links.watch(link, lambda: _ask(link, calls))
    watched.turn(0)
    links.forget(link)
    descriptor = link.fileno()
    link.close()
    with contextlib.closing(ToyLink()) as another:
        assert another.fileno() == descriptor
        links.watch(another, lambda: _ask(another, calls))
        another.other.sendall(b"another answer")

        watched.turn(0)

    assert calls == [b"another answer"]


def test_a_bug_in_taking_in_what_came_is_logged_and_the_link_goes_on(
    watched: Watched, link: ToyLink, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[bytes] = []

    def come() -> None:
        _ask(link, calls)
        if len(calls) == 1:
            raise ValueError("as it was told to")

    Links(watched).watch(link, come)
    with caplog.at_level(logging.ERROR):
        for text in (b"one", b"two"):
            link.other.sendall(text)
            watched.turn(0)

    assert calls == [b"one", b"two"]
    assert "a bug in taking in what the broker says" in caplog.text
