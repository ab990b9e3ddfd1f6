"""A worker's turn: one transaction for each org, and no fault that takes others with it."""

import json
from pathlib import Path

import pytest

from ledger_core import ledger
from ledger_core.commands import Command, PostEntry
from ledger_core.model import Entry, Outcome
from ledger_core.set_aside import Form, Item, SetAside
from ledger_core.store.book import book_path
from tests.builders import opening, posting, submission
from tests.crash.recording import recording
from wire import answers, envelope
from wire.answers import Answer
from workers.books import Books
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

        told = dict(opened.take(_items(("acme", posting()), ("globex", posting()))))

        books.close()
    assert {number: answer.http_status for number, answer in told.items()} == {1: 503, 2: 201}


def test_a_commit_of_which_nobody_knows_whether_it_failed_is_not_answered(
    opened: Turns, books: Books, data: Path
) -> None:
    books.close()
    items = _items(("acme", posting()), ("acme", posting()), ("globex", posting()))
    with recording(data) as disk:
        disk.failing = 2  # the commit, and what was to take its place

        told = dict(opened.take(items))

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
