"""The server's loop: who serves what, and that nobody is left waiting.

Its loop looks at all connections by itself each hour here, so that whoever it was not told of waits for ever.
"""

import contextlib
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from intake.connections import Limits
from tests.intake.toys import KINDS, Caller, ToyServer, path_of, serving
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("never_looks_by_itself")


def test_a_quick_request_is_served_by_the_loop_and_another_one_by_the_pool(server: ToyServer) -> None:
    with Caller(server) as caller:
        caller.ask("/quick/a")
        quick = caller.bodies(1)
        caller.ask("/b")
        slow = caller.bodies(1)

    assert quick == ["loop /quick/a"]
    assert slow == ["waitress-0 /b"]


def test_quick_requests_are_served_while_every_thread_of_the_pool_is_held_up(server: ToyServer) -> None:
    with Caller(server) as held, Caller(server) as waiting, Caller(server) as caller:
        held.ask("/block")
        eventually(lambda: "/block" in server.app.calls, "the only thread is held up")
        waiting.ask("/b")
        caller.ask("/quick/a")

        assert caller.bodies(1) == ["loop /quick/a"]
        assert "/b" not in server.app.calls
        server.app.unblocked.set()
        assert [path_of(each.bodies(1)[0]) for each in (held, waiting)] == ["/block", "/b"]


def test_strangers_wait_as_one_whatever_org_they_name(server: ToyServer) -> None:
    with contextlib.ExitStack() as stack:
        held, known, *strangers = [stack.enter_context(Caller(server)) for _ in range(8)]
        held.ask("/block")
        eventually(lambda: "/block" in server.app.calls, "the only thread is held up")
        for number, stranger in enumerate(strangers):
            org = "acme" if number % 2 else f"org-{number}"
            stranger.ask(f"/stranger-{number}", headers=f"X-Org-Slug: {org}\r\n")
        eventually(lambda: len(server.inner.task_dispatcher.queue) == len(strangers), "they wait")
        known.ask("/known", headers="X-Org-Slug: acme\r\nX-Api-Key: one that was seen\r\n")
        eventually(lambda: len(server.inner.task_dispatcher.queue) == len(strangers) + 1, "it waits too")
        server.app.unblocked.set()
        for caller in (held, known, *strangers):
            caller.bodies(1)

    assert server.app.calls.index("/known") == 2, "behind who was held up, and one of all the strangers"


def test_strangers_are_another_org_to_the_loop_so_that_it_reads_few_of_them_in_a_turn(
    server: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intake.server.SHARED_S", 60.0)
    with Caller(server) as known, Caller(server) as stranger:
        known.ask("/quick/a", headers="X-Org-Slug: acme\r\nX-Api-Key: one that was seen\r\n")
        known.bodies(1)
        assert not server.inner._shared_until_s
        stranger.ask("/quick/b", headers="X-Org-Slug: acme\r\n")
        stranger.bodies(1)

    assert server.inner._shared_until_s


def test_an_org_that_calls_long_after_another_one_has_the_loop_for_itself(
    server: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intake.server.SHARED_S", 0.0)  # whatever comes next comes long after
    for org in ("acme", "globex"):
        with Caller(server) as caller:
            caller.ask("/quick/a", headers=f"X-Org-Slug: {org}\r\nX-Api-Key: one that was seen\r\n")
            caller.bodies(1)

    assert not server.inner._shared_until_s


def test_a_parked_request_is_answered_by_the_loop_without_the_app(server: ToyServer) -> None:
    with Caller(server) as held, Caller(server) as caller:
        caller.ask("/told")
        eventually(lambda: "/told" in server.app.parked, "it is parked by the pool")
        held.ask("/block")
        eventually(lambda: "/block" in server.app.calls, "the only thread is held up")

        server.readied("/told")

        assert caller.bodies(1) == ["loop told /told"]
        assert server.app.calls.count("/told") == 1


@pytest.mark.parametrize("path", ["/park", "/quick/park"])
def test_a_parked_request_whose_answer_is_not_plain_is_finished_by_the_pool(server: ToyServer, path: str) -> None:
    with Caller(server) as caller:
        caller.ask(path)
        server.readied(path)

        assert caller.bodies(1) == [f"waitress-0 {path}"]
    assert server.app.calls == [path, path]


@pytest.mark.parametrize("path", ["/ready", "/quick/ready"])
def test_a_request_that_is_ready_before_it_is_parked_is_answered_at_once(server: ToyServer, path: str) -> None:
    with Caller(server) as caller:
        caller.ask(path)

        assert caller.bodies(1) == [f"loop told {path}"]


def test_all_that_one_thread_readies_in_a_block_is_answered_after_it(server: ToyServer) -> None:
    callers = [Caller(server) for _ in range(5)]
    for number, caller in enumerate(callers):
        caller.ask(f"/quick/told-{number}")

    with server.server.gathered():
        for number in range(5):
            server.readied(f"/quick/told-{number}")

    assert [path_of(caller.bodies(1)[0]) for caller in callers] == [f"/quick/told-{number}" for number in range(5)]
    for caller in callers:
        caller.close()


def test_whoever_is_idle_for_the_longest_makes_room_for_a_newcomer_at_once() -> None:
    with serving(limits=Limits(connections_max=10, idle_s=60, request_s=60)) as server:
        callers = [Caller(server) for _ in range(10)]
        for caller in [*callers, callers[0]]:
            caller.ask("/quick/a")
            caller.bodies(1)

        with Caller(server) as newcomer:
            newcomer.ask("/quick/b")
            assert newcomer.bodies(1) == ["loop /quick/b"]

        assert callers[1].is_closed
        callers[0].ask("/quick/c")
        assert callers[0].bodies(1) == ["loop /quick/c"]
        for caller in callers:
            caller.close()


CALLERS, ROUNDS = 8, 20


@pytest.mark.parametrize("seed", range(3))
def test_of_many_callers_at_once_each_gets_its_own_answers_in_their_order(seed: int) -> None:
    with serving(threads=3) as server:
        done = threading.Event()
        readying = threading.Thread(target=_ready_all_the_time, args=(server, done))
        readying.start()
        try:
            with ThreadPoolExecutor(CALLERS) as callers:
                asked = list(callers.map(lambda caller: _ask_at_random(server, seed, caller), range(CALLERS)))
            eventually(lambda: not server.inner.active_channels, "every connection is forgotten")
        finally:
            done.set()
            readying.join()

    assert all(paths == answered for paths, answered in asked)


def _ask_at_random(server: ToyServer, seed: int, caller: int) -> tuple[list[str], list[str]]:
    """Ask at random, and go away now and then with answers under way; return what was asked, and answered."""
    chance = random.Random(f"{seed} {caller}")
    asked: list[str] = []
    answered: list[str] = []
    for round_ in range(ROUNDS):
        paths = [f"{chance.choice(KINDS)}-{caller}-{round_}-{place}" for place in range(chance.randint(1, 5))]
        with Caller(server) as connection:
            connection.ask(*paths[:1])
            connection.ask(*paths[1:])
            if chance.random() < 0.2:
                continue
            if chance.random() < 0.2:
                connection.socket.shutdown(socket.SHUT_WR)
            asked += paths
            answered += [path_of(body) for body in connection.bodies(len(paths))]
    return asked, answered


def _ready_all_the_time(server: ToyServer, done: threading.Event) -> None:
    while not done.is_set():
        with server.server.gathered():
            for path in list(server.app.parked):
                server.app.parked.pop(path).release()
        done.wait(0.001)
