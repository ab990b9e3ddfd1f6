"""What is known of writes whose callers don't wait: the promises of a key, in one process and across two of them."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence

import pytest

from intake import known as module
from intake.acceptance import Acceptance
from intake.known import Answers
from intake.prefer import Preference
from ledger_core.commands import Command
from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Accepted
from ledger_core.model import Outcome
from ledger_core.store.book import book_path
from tests.builders import posting, submission
from tests.intake.world import Asked, World
from wire.answers import Answer

ACME, GLOBEX = "acme", "globex"
AT_ONCE = Preference(respond_async=True)
FIRST, OTHER = posting(5, idempotency_key="k"), posting(6, idempotency_key="k")


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    try:
        yield world
    finally:
        world.close()


@contextlib.contextmanager
def _another_intake(world: World) -> Iterator[None]:
    """Let what is asked in a block be asked of a second process on the same folder."""
    first = {name: value for name, value in vars(world).items() if name not in ("asked", "requests", "replies")}
    world.start()
    try:
        yield
    finally:
        world.kill()
        vars(world).update(first)


def _ask(world: World, *commands: Command, org: str = ACME, preference: Preference = AT_ONCE) -> list[Asked]:
    before = len(world.asked)
    world.ask(org, commands, preference)
    world.finish()
    return world.asked[before:]


def _told(asked: Sequence[Asked]) -> list[object]:
    """What each was told: a status, and whether it is another one's answer."""
    return [
        (told.http_status, told.replayed) if isinstance(told, Answer) else told for (told,) in [a.told for a in asked]
    ]


def _decide(world: World) -> None:
    while world.broker.messages:
        world.work(0)
        world.answer(0)


def test_a_key_that_is_on_its_way_is_one_write_and_names_no_other_request(world: World) -> None:
    asked = _ask(world, FIRST) + _ask(world, FIRST) + _ask(world, OTHER)

    assert _told(asked) == [202, 202, (422, False)]
    assert len({each.operation_id for each in asked}) == 1
    _decide(world)
    assert world.cash(ACME) == 5


@pytest.mark.parametrize("is_at_hand", [True, False])
def test_a_key_that_was_decided_is_told_as_it_was_and_names_no_other_request(world: World, is_at_hand: bool) -> None:
    _ask(world, FIRST)
    _decide(world)
    if not is_at_hand:
        world.readers.close()

    asked = _ask(world, FIRST) + _ask(world, OTHER)

    assert _told(asked) == [(201, True), (422, False)]
    assert not world.broker.messages
    assert world.cash(ACME) == 5


def test_a_refusal_that_was_decided_is_told_as_it_was(world: World) -> None:
    lines = [{"account_id": 9, "amount": 5, "direction": side} for side in ("debit", "credit")]
    refused = posting(lines=lines, idempotency_key="k")
    _ask(world, refused)
    _decide(world)

    assert _told(_ask(world, refused)) == [(422, True)]


@pytest.mark.parametrize("is_at_hand", [True, False])
def test_a_key_that_another_process_accepted_is_one_write_and_names_no_other_request(
    world: World, is_at_hand: bool
) -> None:
    asked = _ask(world, FIRST)
    with _another_intake(world):
        if not is_at_hand:
            world.readers.close()
        asked += _ask(world, FIRST) + _ask(world, OTHER)
        _decide(world)

    assert _told(asked) == [202, 202, (422, False)]
    assert world.cash(ACME) == 5


def test_a_key_that_another_process_saw_decided_is_told_as_it_was(world: World) -> None:
    _ask(world, FIRST)
    _decide(world)

    with _another_intake(world):
        assert _told(_ask(world, FIRST) + _ask(world, OTHER)) == [(201, True), (422, False)]


@pytest.mark.parametrize(("command", "told"), [(OTHER, (422, False)), (FIRST, (201, True))])
def test_who_waits_in_vain_under_a_key_that_was_decided_meanwhile_is_told_what_the_book_says(
    world: World, command: Command, told: object
) -> None:
    """A `202` would name the operation of the key's owner, which says nothing of another request."""
    asked = _ask(world, command, preference=Preference(wait_s=1))
    world.turns.apply(ACME, [submission(FIRST, ACME)])  # as another process had it sent
    world.later(1)
    world.finish()

    assert _told(asked) == [told]
    assert not world.dispatch.pending(asked[0].operation_id)
    assert not list(world.inbox.waiting())


def _can_not_be_read(org: str) -> None:
    raise StorageUnavailable("the book can't be read")


def _can_not_be_told(outcome: Outcome) -> Answer:
    raise ValueError("of a kind that is not known here")


def _is_not_asked(org: str) -> None:
    raise AssertionError("a book that is out may hold up whoever asks for it")


@pytest.mark.parametrize("fault", ["the book", "its answer", "an outage"])
def test_who_waits_in_vain_is_promised_an_outcome_where_it_can_not_be_told(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """It may have moved money: an error would be a lie."""
    asked = _ask(world, FIRST, preference=Preference(wait_s=1))
    world.work(0)
    world.later(1)
    with monkeypatch.context() as patched:
        match fault:
            case "the book":
                patched.setattr(world.readers, "take", _can_not_be_read)
            case "its answer":
                patched.setattr(module.answers, "of_outcome", _can_not_be_told)
            case _:
                patched.setattr(world.readers, "take", _is_not_asked)
                patched.setattr(world.writes, "_is_out", lambda org: True)
        world.finish()

    assert _told(asked) == [202]
    _decide(world)
    assert world.cash(ACME) == 5


def test_who_waits_in_vain_for_a_key_that_stands_twice_in_its_request_is_promised_the_first(world: World) -> None:
    asked = _ask(world, FIRST, OTHER, FIRST, preference=Preference(wait_s=1))
    world.later(1)
    world.finish()

    assert _told(asked) == [202, (422, False), 202]
    _decide(world)
    assert world.cash(ACME) == 5


def test_a_key_that_stands_twice_in_one_request_names_the_first(world: World) -> None:
    assert _told(_ask(world, FIRST, OTHER, FIRST)) == [202, (422, False), 202]
    _decide(world)
    assert world.cash(ACME) == 5


def test_a_key_is_one_org_s(world: World) -> None:
    asked = _ask(world, FIRST) + _ask(world, OTHER, org=GLOBEX)

    assert _told(asked) == [202, 202]
    _decide(world)
    assert (world.cash(ACME), world.cash(GLOBEX)) == (5, 6)


def test_writes_without_a_key_are_each_their_own(world: World) -> None:
    asked = _ask(world, posting(5)) + _ask(world, posting(5))

    assert _told(asked) == [202, 202]
    assert len({each.operation_id for each in asked}) == 2
    _decide(world)
    assert world.cash(ACME) == 10


def test_what_is_known_already_takes_no_place_in_the_backlog(world: World) -> None:
    _ask(world, FIRST)
    _decide(world)

    for _ in range(20):
        assert _told(_ask(world, FIRST)) == [(201, True)]


def test_no_book_is_opened_for_those_that_are_at_hand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(world.readers, "_opened", opened.append)
    assert world.known.at_hand(ACME, []) is None  # none is open yet
    monkeypatch.undo()
    world.cash(ACME)
    monkeypatch.setattr(world.readers, "_opened", opened.append)
    assert world.known.at_hand(ACME, []) == {}

    path = book_path(world.folder, ACME)
    shutil.copy(path, path.with_suffix(".copy"))
    path.with_suffix(".copy").rename(path)  # as one that is put back from a backup

    assert world.known.at_hand(ACME, []) is None
    assert opened == []


def test_what_can_not_be_told_of_one_write_is_not_accepted_and_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(world, FIRST)
    _decide(world)
    assert world.cash(GLOBEX) == 0  # so that its book is open
    monkeypatch.setattr(module.answers, "of_outcome", _can_not_be_told)
    acceptance = Acceptance(world.inbox, world.known)  # of which this thread does all the turns
    told: dict[str, str | None] = {}

    def bid(name: str, org: str, command: Command) -> None:
        def on_told(error: StorageUnavailable | None, known: Answers) -> None:
            told[name] = None if error is None else str(error)

        acceptance.accept_soon(org, [Accepted(org, submission(command, org), command.fingerprint())], on_told)

    bid("it", ACME, FIRST)
    bid("its neighbour", ACME, posting(7, idempotency_key="another"))
    bid("another org's", GLOBEX, FIRST)
    acceptance.commit_once()
    acceptance.look_up_once()
    acceptance.commit_once()

    assert told.pop("it") == "inbox: of a kind that is not known here"
    assert told == {"its neighbour": None, "another org's": None}
