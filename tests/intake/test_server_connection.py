"""One connection of the server: its requests in their order, who closes it, and callers that are slow or gone."""

import errno
import itertools
import socket

import pytest

from intake.connections import BoundedChannel
from tests.intake.toys import KINDS, LARGE_BYTES, Caller, ToyServer, path_of
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("never_looks_by_itself")


@pytest.mark.parametrize("kinds", list(itertools.product(KINDS, repeat=2)), ids="then ".join)
def test_requests_in_one_piece_are_answered_in_their_order(server: ToyServer, kinds: tuple[str, str]) -> None:
    paths = [f"{kind}-{place}" for place, kind in enumerate([*kinds, "/quick/last", "/last"])]

    with Caller(server) as caller:
        caller.ask(*paths)
        answered = []
        for path in paths:
            if "told" in path or "park" in path:
                server.readied(path)
            answered.append(path_of(caller.bodies(1)[0]))

    assert answered == paths


def test_a_caller_that_ended_its_half_gets_its_answer_and_is_let_go(server: ToyServer) -> None:
    with Caller(server) as caller:
        caller.ask("/quick/told")
        caller.socket.shutdown(socket.SHUT_WR)
        server.readied("/quick/told")

        assert caller.bodies(1) == ["loop told /quick/told"]
        assert caller.is_closed


@pytest.mark.parametrize("path", ["/told", "/quick/told", "/park", "/quick/park"])
def test_a_caller_that_went_away_while_it_was_parked_leaves_nothing(server: ToyServer, path: str) -> None:
    with Caller(server) as caller:
        caller.ask(path)
        eventually(lambda: path in server.app.parked, "it is parked")

    server.readied(path)

    eventually(lambda: not server.inner.active_channels, "its connection is forgotten")
    assert not server.inner._readied
    with Caller(server) as caller:
        caller.ask("/quick/a", "/b")
        assert [path_of(body) for body in caller.bodies(2)] == ["/quick/a", "/b"]


def test_a_descriptor_that_is_used_again_is_watched_anew(server: ToyServer) -> None:
    for number in range(50):
        with Caller(server) as caller:
            caller.ask(f"/quick/a-{number}")
            assert path_of(caller.bodies(1)[0]) == f"/quick/a-{number}"
            caller.ask(f"/b-{number}")
            assert path_of(caller.bodies(1)[0]) == f"/b-{number}"


@pytest.mark.parametrize("path", ["/b", "/quick/a", "/quick/told"])
@pytest.mark.parametrize(
    ("version", "headers", "told"),
    [
        ("1.0", "", "close"),
        ("1.1", "Connection: close\r\n", "close"),
        ("1.0", "Connection: keep-alive\r\n", "Keep-Alive"),
    ],
)
def test_a_connection_is_kept_or_closed_as_its_caller_wants(
    server: ToyServer, path: str, version: str, headers: str, told: str
) -> None:
    with Caller(server) as caller:
        caller.ask(path, version=version, headers=headers)
        if "told" in path:
            server.readied(path)
        answer = caller.answer()
        if told == "close":
            assert caller.is_closed

    assert answer.headers["connection"] == told
    assert int(answer.headers["content-length"]) == len(answer.body)


@pytest.mark.parametrize("path", ["/b", "/quick/a"])
def test_a_caller_that_waits_to_be_told_to_go_on_is_told(server: ToyServer, path: str) -> None:
    with Caller(server) as caller:
        for before in ("", "/quick/told"):
            if before:
                caller.ask(before)
            caller.socket.sendall(
                f"POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n".encode()
            )
            if before:
                server.readied(before)
                assert path_of(caller.bodies(1)[0]) == before
            assert caller.answer().status == 100
            caller.socket.sendall(b"{}")
            assert path_of(caller.bodies(1)[0]) == path


@pytest.mark.parametrize("large", ["/large", "/quick/large"])
@pytest.mark.parametrize("next_", ["/next", "/quick/next", "/quick/ready"])
def test_a_caller_that_reads_slowly_gets_all_and_holds_up_nobody(server: ToyServer, large: str, next_: str) -> None:
    with Caller(server) as slow, Caller(server) as caller:
        slow.ask(large, next_)
        eventually(lambda: large in server.app.calls, "its answer is on its way")
        caller.ask("/quick/a", "/b")

        assert [path_of(body) for body in caller.bodies(2)] == ["/quick/a", "/b"]
        assert next_ not in server.app.calls
        assert len(slow.answer().body) == LARGE_BYTES
        assert path_of(slow.bodies(1)[0]) == next_


def test_a_request_that_was_held_back_goes_on_even_if_all_was_taken_just_then(server: ToyServer) -> None:
    with Caller(server) as caller:
        caller.ask("/quick/park")
        eventually(lambda: "/quick/park" in server.app.parked, "it is parked")
        (channel,) = server.inner.active_channels.values()

        channel._is_held = True  # as a thread of the pool finds, while the loop sends the last of what was not taken
        server.inner._served.append(channel)
        server.wake()

        assert path_of(caller.bodies(1)[0]) == "/quick/park"


def test_only_the_loop_closes_a_connection(server: ToyServer) -> None:
    with Caller(server) as caller:
        caller.ask("/quick/a")
        caller.bodies(1)
        (channel,) = server.inner.active_channels.values()
        broken, other = socket.socketpair()
        other.close()
        whole, channel.socket = channel.socket, broken

        sent = channel.send(b"x")  # in this thread, as one of the pool does to have a caller go on

        assert sent == 0
        assert channel in server.inner.active_channels.values()
        channel.socket = whole
        broken.close()


def test_a_connection_on_which_nothing_can_be_sent_is_closed_and_no_fault_of_ours(
    server: ToyServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def send(channel: BoundedChannel, data: bytes, do_close: bool = True) -> int:
        raise TimeoutError(errno.ETIMEDOUT, "as the system says of a peer that is gone")

    with Caller(server) as caller, Caller(server) as other:
        with monkeypatch.context() as patch:
            patch.setattr(BoundedChannel, "send", send)
            caller.ask("/quick/a")
            eventually(lambda: len(server.inner.active_channels) == 1, "it is closed")
        other.ask("/quick/b")
        assert other.bodies(1) == ["loop /quick/b"]

    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_whoever_is_refused_while_more_of_it_is_taken_in_may_still_finish_and_see_why(
    server: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    took_in = BoundedChannel.received

    def received(channel: BoundedChannel, data: bytes) -> object:
        """Take so long that a thread of the pool refuses it meanwhile."""
        told = took_in(channel, data)
        eventually(lambda: channel.close_when_flushed, "it is refused")
        return told

    monkeypatch.setattr(BoundedChannel, "received", received)
    with Caller(server) as caller:
        caller.ask("/fail")

        assert caller.answer().status == 500
        assert caller.is_closed, "for what it reads"
        for _ in range(2):
            caller.socket.sendall(b"x")  # a reset, which could take the answer with it, would be met here
