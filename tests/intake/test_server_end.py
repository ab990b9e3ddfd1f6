"""The end of the server's loop, and that nothing else ends it."""

import contextlib

import pytest

from intake import server as module
from tests.intake.toys import Caller, ToyServer, path_of, serving
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("never_looks_by_itself")


@pytest.mark.parametrize("path", ["/told", "/quick/told", "/park", "/quick/park"])
def test_a_drained_server_answers_who_is_parked_closes_who_is_idle_and_takes_on_nobody(path: str) -> None:
    with serving() as server, Caller(server) as parked, Caller(server) as idle:
        idle.ask("/quick/a")
        idle.bodies(1)
        parked.ask(path)
        eventually(lambda: path in server.app.parked, "it is parked")

        server.server.drain()

        eventually(lambda: [server.server.close_idle()] and len(server.inner.active_channels) == 1, "one is left")
        assert idle.is_closed
        server.readied(path)
        answer = parked.answer()
        assert (path_of(answer.body.decode()), answer.headers["connection"]) == (path, "close")
        assert parked.is_closed
        eventually(server.server.close_idle, "none is left")
        with pytest.raises(ConnectionRefusedError):
            Caller(server)


@pytest.mark.parametrize("path", ["/fail", "/quick/fail"])
def test_an_app_that_fails_ends_nothing(server: ToyServer, path: str) -> None:
    with Caller(server) as caller:
        caller.ask(path)
        assert caller.answer().status == 500

    with Caller(server) as caller:
        caller.ask("/quick/a", "/b")
        assert [path_of(body) for body in caller.bodies(2)] == ["/quick/a", "/b"]


def test_a_fault_of_the_loop_is_logged_and_does_not_end_it(server: ToyServer, caplog: pytest.LogCaptureFixture) -> None:
    with Caller(server) as caller:
        server.raises += [RuntimeError("a fault")]
        caller.ask("/quick/a")
        assert caller.bodies(1) == ["loop /quick/a"]
        eventually(lambda: not server.raises, "the fault has come up")
        caller.ask("/quick/b", "/b")

        assert [path_of(body) for body in caller.bodies(2)] == ["/quick/b", "/b"]
    assert "a bug in the server's loop" in caplog.text
    assert server.is_running


def test_a_fault_of_what_is_done_between_callers_is_none_of_theirs(
    server: ToyServer, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [f"/told-{number}" for number in range(2 * module.DEALT_WITH_MAX)]
    with contextlib.ExitStack() as stack:
        callers = [stack.enter_context(Caller(server)) for _ in paths]
        for caller, path in zip(callers, paths, strict=True):
            caller.ask(path)
        eventually(lambda: len(server.app.parked) == len(paths), "all are parked")

        def fail() -> None:
            raise RuntimeError("a fault")

        server.server.between(fail)
        with server.server.gathered():
            for path in paths:
                server.readied(path)

        assert [path_of(caller.bodies(1)[0]) for caller in callers] == paths
    assert "a bug in what is done between callers" in caplog.text


def test_whoever_wakes_the_loop_in_a_turn_that_fails_wakes_the_next_one(server: ToyServer) -> None:
    with Caller(server) as caller:
        caller.ask("/park")
        eventually(lambda: server.app.parked, "it is parked")
        server.inner._is_awake = True  # as a turn leaves it that ends before it takes note
        server.raises += [RuntimeError("a fault")]
        server.wake()
        eventually(lambda: not server.raises, "the fault has come up")

        server.readied("/park")

        assert path_of(caller.bodies(1)[0]) == "/park"


def test_a_connection_that_can_not_be_taken_in_keeps_out_nobody_else(
    server: ToyServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(server.inner, "channel_class", fails)
        with Caller(server):
            eventually(lambda: "a bug in taking in a connection" in caplog.text, "it is logged")

    with Caller(server) as caller:
        caller.ask("/quick/a", "/b")
        assert [path_of(body) for body in caller.bodies(2)] == ["/quick/a", "/b"]


def test_it_ends_also_when_it_is_told_so_in_the_middle_of_what_waitress_shields() -> None:
    """waitress lets no exception out of what its trigger calls, not even that of a signal handler."""
    with serving() as server:
        server.inner.trigger.pull_trigger(server.server.end)

        eventually(lambda: not server.is_running, "the loop has ended")
