"""Heavy messages: carried out beside the others, in their order, and before what else comes for their orgs."""

import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ledger_core.commands import Command, PostBulk, PostEntry
from ledger_core.set_aside import SetAside
from tests.builders import opening, posting, submission
from tests.waiting import DEADLINE_S, eventually
from wire.app import APPLY_TASK, make_app
from wire.envelope import Deadline, Item, Message, Reply, encode_message
from workers.arrival import Arrived
from workers.books import Books
from workers.heavy import Heavy
from workers.outages import Outages
from workers.tasks import Beside, register
from workers.turns import Turns

BULK_ENTRIES = 32


def _bulk() -> Command:
    entry = posting()
    assert isinstance(entry, PostEntry)
    return PostBulk(entries=[entry] * BULK_ENTRIES)


class Replies:
    """In place of the reply lists: notes what was answered, and by which thread."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []
        self.statuses: list[int] = []

    def send(self, reply_to: str, reply: Reply) -> None:
        self.told.append((reply.message_id, threading.current_thread().name))
        self.statuses += [answer.http_status for _, answer in reply.answers]


class Worker:
    """The task of intake's messages, with turns of its own for heavy ones, which can be held up."""

    def __init__(self, data: Path, turns: Turns, outages: Outages, aside: SetAside) -> None:
        self.replies = Replies()
        self.go_on = threading.Event()
        self.go_on.set()
        self.beside = Beside(Heavy(), Turns(Books(data, outages), aside), self.replies)  # type: ignore[arg-type]
        take = self.beside.turns.take

        def take_when_told(*arguments: Any) -> Any:
            assert self.go_on.wait(DEADLINE_S)
            return take(*arguments)

        self.beside.turns.take = take_when_told  # type: ignore[method-assign]
        app = make_app("redis://127.0.0.1:1", 4)
        register(app, turns, self.replies, self.beside)  # type: ignore[arg-type]
        self._task = app.tasks[APPLY_TASK]
        self._sent = 0

    def carry_out(self, org: str, *commands: Command) -> None:
        """Carry out a message of one org."""
        items = [Item(number, org, submission(command, org)) for number, command in enumerate(commands, 1)]
        is_heavy = any(isinstance(command, PostBulk) for command in commands)
        self.take_in(items, heavy_org=org if is_heavy else None)

    def take_in(self, items: Sequence[Item], heavy_org: str | None) -> None:
        """Carry out a message that says, truly or not, whose heavy one it is."""
        self._sent += 1
        message = Message(self._sent, "ledger.replies.x", Deadline.after(60), items, heavy_org=heavy_org)
        self._task.carry_out(Arrived(encode_message(message), "an-id", "ledger.lane.0"))

    @property
    def answered(self) -> list[int]:
        return [message_id for message_id, _ in self.replies.told]


@pytest.fixture
def worker(data: Path, turns: Turns, outages: Outages, aside: SetAside) -> Iterator[Worker]:
    """A worker whose orgs have two accounts each."""
    made = Worker(data, turns, outages, aside)
    for org in ("acme", "globex"):
        made.carry_out(org, opening(), opening())
    made.replies.told.clear()
    yield made
    made.go_on.set()
    made.beside.heavy.finish()


def test_other_orgs_do_not_wait_for_a_heavy_message(worker: Worker) -> None:
    worker.go_on.clear()

    worker.carry_out("acme", _bulk())
    worker.carry_out("globex", posting())
    assert worker.answered == [4]
    worker.go_on.set()
    worker.beside.heavy.finish()

    assert worker.answered == [4, 3]
    assert worker.replies.told[1][1] == "heavy"
    assert set(worker.replies.statuses) == {201}


def test_what_comes_for_the_same_org_waits_until_it_is_carried_out(worker: Worker) -> None:
    worker.go_on.clear()
    worker.carry_out("acme", _bulk())
    worker.carry_out("acme", _bulk())

    with ThreadPoolExecutor(1) as pool:
        after = pool.submit(worker.carry_out, "acme", posting())
        assert not after.done()
        assert worker.answered == []
        worker.go_on.set()
        after.result()

    assert worker.answered == [3, 4, 5]


def _items(*orgs: str) -> list[Item]:
    return [Item(number, org, submission(posting(), org)) for number, org in enumerate(orgs, 1)]


@pytest.mark.parametrize("orgs", [["globex"], ["acme", "globex"]])
def test_a_message_that_is_not_of_the_org_whose_heavy_one_it_says_it_is_is_set_aside(
    worker: Worker, aside: SetAside, orgs: list[str]
) -> None:
    """Nothing waits for it, so it could pass what another thread does to that org."""
    worker.take_in(_items(*orgs), heavy_org="acme")
    worker.beside.heavy.finish()

    assert worker.answered == []
    (kept,) = aside.items()
    assert "the heavy message of acme has commands of another org" in kept.item.cause


@pytest.mark.parametrize("orgs", [[], ["acme", "acme"]])
def test_a_heavy_message_of_no_command_or_of_several_of_its_org_is_answered_like_any(
    worker: Worker, aside: SetAside, orgs: list[str]
) -> None:
    worker.take_in(_items(*orgs), heavy_org="acme")
    worker.beside.heavy.finish()

    assert worker.answered == [3]
    assert len(worker.replies.statuses) == 4 + len(orgs)
    assert not list(aside.items())


def test_a_message_of_an_intake_that_says_nothing_is_carried_out_on_the_lane(worker: Worker) -> None:
    worker.take_in([Item(1, "acme", submission(_bulk(), "acme"))], heavy_org=None)

    assert worker.replies.told == [(3, threading.current_thread().name)]


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit("a library that would end the process")])
def test_a_bug_in_one_takes_nothing_with_it(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    heavy, done = Heavy(), threading.Event()

    def fail() -> None:
        raise error

    heavy.begin("acme", fail)
    heavy.begin("globex", done.set)
    heavy.finish()

    assert done.is_set()
    assert "a bug in a heavy message" in caplog.text


def test_without_a_thread_it_is_carried_out_where_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    heavy, by = Heavy(), []
    monkeypatch.setattr(threading.Thread, "start", start)

    heavy.begin("acme", lambda: by.append(threading.current_thread()))

    assert by == [threading.current_thread()]


def test_threads_take_turns_quickly_while_one_is_under_way_and_as_ever_then() -> None:
    usual_s, go_on = sys.getswitchinterval(), threading.Event()
    heavy = Heavy()

    heavy.begin("acme", partial(go_on.wait, DEADLINE_S))
    assert sys.getswitchinterval() < usual_s
    go_on.set()

    eventually(lambda: sys.getswitchinterval() == usual_s, "it is over")
