"""A worker's turn: one transaction for each org, and no fault that takes others with it."""

import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import apsw
import pytest

from ledger_core import ledger
from ledger_core.commands import Command, PostEntry
from ledger_core.errors import StorageUnavailable
from ledger_core.model import Entry, Outcome
from ledger_core.set_aside import Form, Item, SetAside
from ledger_core.store import connection
from ledger_core.store.book import book_path
from ledger_core.store.connection import Connection
from tests.builders import opening, posting, submission
from tests.crash.recording import recording
from tests.workers.conftest import ORGS
from wire import answers, envelope
from wire.answers import Answer
from workers.books import Books
from workers.commits import Commits
from workers.outages import Outages
from workers.turns import Sender, Turns


def _items(*commands: tuple[str, Command]) -> list[envelope.Item]:
    return [envelope.Item(number, org, submission(command, org)) for number, (org, command) in enumerate(commands, 1)]


def _code(answer: Answer) -> str:
    return str(json.loads(answer.body)["code"])


@pytest.fixture
def opened(turns: Turns) -> Turns:
    """Turns on orgs that have two accounts each."""
    turns.take(_items(*((org, opening()) for org in ("acme", "globex") for _ in range(2))))
    turns.transactions = 0
    return turns


def test_each_command_is_answered_under_its_own_number(opened: Turns) -> None:
    items = _items(("acme", posting(1)), ("globex", posting(2)), ("acme", posting(3)), ("nobody", posting(4)))

    told = dict(opened.take(items))

    assert {number: answer.http_status for number, answer in told.items()} == {1: 201, 2: 201, 3: 201, 4: 404}
    assert [json.loads(told[number].body)["id"] for number in (1, 2, 3)] == [1, 1, 2]
    assert [json.loads(told[number].body)["lines"][0]["amount"] for number in (1, 2, 3)] == [1, 2, 3]


def test_the_commands_of_an_org_share_one_transaction(opened: Turns) -> None:
    opened.take(_items(*((org, posting()) for org in ("acme", "globex") for _ in range(10))))

    assert opened.transactions == 2


def test_a_message_that_comes_again_changes_nothing_and_is_answered_the_same(opened: Turns, books: Books) -> None:
    items = _items(("acme", posting()), ("acme", posting(idempotency_key="k")), ("acme", posting(2**53 - 1)))

    first, again = opened.take(items), opened.take(items)

    assert first == again
    assert not any(answer.replayed for _, answer in again)
    assert books.book("acme").connection.execute("select count(*) from entries").get == 3


def test_an_unknown_org_is_told_so_and_nothing_is_decided(opened: Turns) -> None:
    (answer,) = opened.apply("nobody", [submission(posting(), "nobody")])

    assert answer is not None
    assert (answer.http_status, _code(answer), answer.decided) == (404, "org_not_found", False)


def test_a_commit_that_failed_is_told_so(opened: Turns, books: Books, data: Path) -> None:
    books.close()
    with recording(data) as disk:
        disk.failing = 1

        told = opened.take(_items(("acme", posting()), ("globex", posting())))

        books.close()
    assert sorted(answer.http_status for _, answer in told) == [201, 503]  # whichever came to the disk first


def test_while_the_commit_of_one_org_waits_for_the_disk_those_of_the_others_go_on(
    opened: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, both = connection._commit, threading.Barrier(2)

    def wait_for_the_other(*known: Any) -> None:
        both.wait(timeout=30)  # one after the other, they would wait in vain
        commit(*known)

    monkeypatch.setattr(connection, "_commit", wait_for_the_other)

    told = dict(opened.take(_items(("acme", posting()), ("globex", posting()))))

    assert {number: answer.http_status for number, answer in told.items()} == {1: 201, 2: 201}


def test_nothing_is_answered_before_its_own_commit_returned(opened: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, committed = connection._commit, []

    def note(book: Connection, what: str) -> None:
        time.sleep(0.02 if what == "acme" else 0)
        commit(book, what)
        committed.append(what)

    monkeypatch.setattr(connection, "_commit", note)

    told = opened.take(_items(("acme", posting()), ("globex", posting()), ("acme", posting())))

    assert sorted(committed) == ["acme", "globex"]
    assert [number for number, _ in told] == [1, 3, 2]  # org by org, whichever was on disk first


def test_of_two_orgs_of_a_message_the_one_whose_commit_fails_takes_nothing_from_the_other(
    opened: Turns, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = connection._commit

    def fail(book: Connection, what: str) -> None:
        if what == "acme":
            raise apsw.FullError("no room")
        commit(book, what)

    monkeypatch.setattr(connection, "_commit", fail)

    told = dict(opened.take(_items(("acme", posting()), ("globex", posting()))))

    assert {number: answer.http_status for number, answer in told.items()} == {1: 503, 2: 201}
    entries = {org: books.book(org).connection.execute("select count(*) from entries").get for org in ORGS[:2]}
    assert entries == {"acme": 0, "globex": 1}
    with pytest.raises(StorageUnavailable), books.lent("acme"):
        pass


def test_a_bug_in_a_commit_is_set_aside_alone_and_the_others_are_applied(
    opened: Turns, books: Books, aside: SetAside, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = connection._commit

    def crash(book: Connection, what: str) -> None:
        if what in ORGS and book.execute("select 1 from entries where description = 'poison'").fetchone():
            raise apsw.ConstraintError("a bug")
        commit(book, what)

    monkeypatch.setattr(connection, "_commit", crash)

    poison = posting(description="poison")
    told = dict(opened.take(_items(("acme", posting()), ("acme", poison), ("globex", posting()), ("acme", posting()))))

    assert {number: answer.http_status for number, answer in told.items()} == {1: 201, 2: 500, 3: 201, 4: 201}
    assert len(list(aside.items())) == 1


def test_what_is_too_late_when_all_that_is_left_is_to_commit_is_not_carried_out(opened: Turns, books: Books) -> None:
    asked: Counter[str] = Counter()

    def too_late() -> bool:
        asked["times"] += 1
        return asked["times"] == 6  # for each of two orgs: before, once its book is ours, and before its commit

    told = dict(opened.take(_items(("acme", posting()), ("globex", posting())), too_late))

    assert sorted(answer.http_status for answer in told.values()) == [201, 503]
    counts = [books.book(org).connection.execute("select count(*) from entries").get for org in ORGS[:2]]
    assert sorted(counts) == [0, 1]


def test_a_message_of_more_orgs_than_commits_or_open_books_at_once_is_applied_whole(
    data: Path, outages: Outages, aside: SetAside
) -> None:
    turns = Turns(Books(data, outages, open_max=1), aside, Commits(at_once=2))

    told = dict(turns.take(_items(*((org, opening()) for _ in range(2) for org in ORGS))))

    assert {answer.http_status for answer in told.values()} == {201}
    assert turns.transactions == len(ORGS)


def test_where_no_thread_can_be_had_commits_run_in_turn(opened: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    turns = Turns(opened._books, opened._aside)

    told = dict(turns.take(_items(("acme", posting()), ("globex", posting()))))

    assert {answer.http_status for answer in told.values()} == {201}


def test_a_commit_of_which_nobody_knows_whether_it_failed_is_not_answered(
    opened: Turns, books: Books, aside: SetAside, data: Path
) -> None:
    books.close()
    in_order = Turns(books, aside, Commits(at_once=1))  # the syncs that fail are those of the first org
    items = _items(("acme", posting()), ("acme", posting()), ("globex", posting()))
    with recording(data) as disk:
        disk.failing = 2  # the commit, and what was to take its place

        told = dict(in_order.take(items))

        books.close()
    assert {number: answer.http_status for number, answer in told.items()} == {3: 201}


def test_a_task_of_which_nobody_knows_whether_it_failed_is_tried_again(opened: Turns, books: Books, data: Path) -> None:
    books.close()
    with recording(data) as disk:
        disk.failing = 2

        (answer,) = opened.apply("acme", [submission(posting(), "acme")], sender=Sender.SERVICE)

        books.close()
    assert answer is not None
    assert answer.http_status == 503  # which is what has it tried again


@pytest.mark.parametrize("damage", ["gone", "foreign"])
def test_a_book_that_cannot_be_used_is_told_so_and_holds_up_no_other(opened: Turns, data: Path, damage: str) -> None:
    path = book_path(data, "initech")
    path.unlink()
    if damage == "foreign":
        path.write_bytes(b"not a database " * 1_000)

    told = dict(opened.take(_items(("initech", opening()), ("acme", posting()), ("initech", opening()))))

    assert {number: answer.http_status for number, answer in told.items()} == {1: 503, 2: 201, 3: 503}
    assert (_code(told[1]), told[1].decided) == ("storage_unavailable", False)


@pytest.fixture
def poisoned(opened: Turns, monkeypatch: pytest.MonkeyPatch) -> Turns:
    """Turns in whose rules an entry described as poison hits a bug."""
    decide = ledger.post_entry

    def crash(command: PostEntry, **known: object) -> object:
        if command.description == "poison":
            raise ZeroDivisionError("a bug")
        return decide(command, **known)  # type: ignore[arg-type]

    monkeypatch.setattr(ledger, "post_entry", crash)
    return opened


def test_a_command_that_hits_a_bug_is_set_aside_and_the_others_are_applied(poisoned: Turns, aside: SetAside) -> None:
    poison = submission(posting(2, description="poison"), "acme")
    items = _items(*(("acme", posting(amount)) for amount in range(1, 10)))
    items[4] = envelope.Item(5, "acme", poison)

    told = dict(poisoned.take(items))

    assert {number: answer.http_status for number, answer in told.items()} == {
        number: 500 if number == 5 else 201 for number in range(1, 10)
    }
    assert (_code(told[5]), told[5].decided) == ("internal_error", False)
    assert [json.loads(told[number].body)["id"] for number in (1, 2, 3, 4, 6, 7, 8, 9)] == list(range(1, 9))
    assert poisoned.transactions < 9, "only those beside the bad one are parted from the others"
    (kept,) = aside.items()
    item = kept.item
    assert (item.form, item.org, item.kind, item.cause) == (Form.COMMAND, "acme", "entry", "ZeroDivisionError: a bug")
    assert (item.operation_id, item.request_id, item.is_told) == (poison.operation_id, "a-request", True)
    assert item.body == poison.command.fields()


def test_a_command_that_is_poison_again_and_again_is_kept_once(poisoned: Turns, aside: SetAside) -> None:
    poison = submission(posting(description="poison", idempotency_key="k"))

    for _ in range(3):
        poisoned.apply("acme", [poison])

    (kept,) = aside.items()
    assert kept.times == 3


def test_a_bug_tells_its_caller_nothing_internal(poisoned: Turns) -> None:
    (answer,) = poisoned.apply("acme", [submission(posting(description="poison"))])

    assert answer is not None
    assert b"ZeroDivision" not in answer.body
    assert json.loads(answer.body)["request_id"] == "a-request"


def test_an_answer_that_cannot_be_written_holds_up_no_other_and_denies_nothing(
    opened: Turns, books: Books, aside: SetAside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was carried out is never told as an error."""
    write = answers.of_outcome

    def crash(outcome: Outcome) -> Answer:
        if isinstance(outcome.resource, Entry) and outcome.resource.description == "poison":
            raise ZeroDivisionError("a bug")
        return write(outcome)

    monkeypatch.setattr(answers, "of_outcome", crash)

    told = dict(opened.take(_items(("acme", posting(1)), ("acme", posting(2, description="poison")))))

    assert {number: answer.http_status for number, answer in told.items()} == {1: 201}
    assert books.book("acme").connection.execute("select count(*) from entries").get == 2
    assert len(list(aside.items())) == 1


def test_what_was_refused_as_a_message_is_kept_for_an_operator(turns: Turns, aside: SetAside) -> None:
    item = Item(Form.STRAY, b"garbage \xff", "it is no message", 7, lane="ledger.lane.3")

    turns.refuse(item)

    assert [kept.item for kept in aside.items()] == [item]


def test_what_can_not_be_kept_stops_nothing(poisoned: Turns, data: Path) -> None:
    (data / "set_aside.db").write_bytes(b"not a database " * 1_000)

    told = dict(poisoned.take(_items(("acme", posting(1)), ("acme", posting(2, description="poison")))))

    assert {number: answer.http_status for number, answer in told.items()} == {1: 201, 2: 500}
