"""The inbox: accepted writes wait on disk until they have an outcome."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ledger_core import inbox as core
from ledger_core.commands import Kind, parse_command
from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Accepted, Inbox, inbox_path
from ledger_core.model import Submission
from tests.ledger_core.builders import NOON, request

numbers = count(1)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox.open(tmp_path)
    yield opened
    opened.close()


def accepted(kind: str = "entry", *, operation: int | None = None, submission: int | None = None, **fields: Any):
    number = next(numbers)
    command = parse_command(Kind(kind), request(kind, **fields))
    operation_id = (operation or number).to_bytes(16, "big")
    sent = Submission(operation_id, submission or number, command, f"request-{number}", NOON + number)
    return Accepted("acme-corp", sent, command.fingerprint())


EVERY_KIND = [
    accepted("account", code="1", overdraft_limit=0, metadata={"a": "é"}),
    accepted("closure"),
    accepted("entry", description="x", idempotency_key="k"),
    accepted("reversal"),
    accepted("hold", expires_at="2099-01-01T00:00:00.000001+01:00"),
    accepted("capture", final=False, amount=2**53 - 1),
    accepted("release"),
]


@pytest.mark.parametrize("item", EVERY_KIND, ids=[item.submission.command.kind for item in EVERY_KIND])
def test_an_accepted_write_comes_back_as_it_was(inbox: Inbox, tmp_path: Path, item: Accepted) -> None:
    inbox.accept([item])
    inbox.close()

    again = Inbox.open(tmp_path)

    assert again.find(item.submission.operation_id) == item
    assert list(again.waiting()) == [item]
    assert item.fingerprint == next(again.waiting()).submission.command.fingerprint()
    again.close()


def test_writes_wait_in_the_order_in_which_they_came(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "PAGE_ROWS", 3)
    items = [accepted() for _ in range(10)]

    inbox.accept(items[:4])
    inbox.accept(items[4:])

    assert list(inbox.waiting()) == items


def test_the_same_write_is_kept_once_as_it_first_came(inbox: Inbox) -> None:
    first, again = accepted(operation=7), accepted(operation=7)

    inbox.accept([first])
    inbox.accept([again])

    assert list(inbox.waiting()) == [first]


def test_another_request_under_the_same_operation_waits_behind_the_first(inbox: Inbox) -> None:
    first, other = accepted(operation=7), accepted(operation=7, description="other")

    inbox.accept([first, other])

    assert list(inbox.waiting()) == [first, other]
    assert inbox.find(first.submission.operation_id) == first


def test_what_has_an_outcome_is_forgotten(inbox: Inbox) -> None:
    first, second, third = (accepted() for _ in range(3))
    inbox.accept([first, second])

    inbox.accept([third], settled=[first.submission])
    inbox.drop(second.submission.operation_id)

    assert list(inbox.waiting()) == [third]
    assert inbox.find(first.submission.operation_id) is None


def test_only_the_submission_that_has_an_outcome_is_forgotten(inbox: Inbox) -> None:
    first, other = accepted(operation=7), accepted(operation=7, description="other")
    inbox.accept([first, other])

    inbox.accept([], settled=[first.submission])

    assert list(inbox.waiting()) == [other]


def test_only_its_owner_can_read_the_inbox(inbox: Inbox, tmp_path: Path) -> None:
    assert (tmp_path / "inbox.db").stat().st_mode & 0o777 == 0o600


def test_closing_the_inbox_folds_its_wal_in(inbox: Inbox, tmp_path: Path) -> None:
    inbox.accept([accepted()])

    inbox.close()

    assert [item.name for item in tmp_path.iterdir()] == ["inbox.db"]


def test_a_data_folder_that_can_not_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")

    with pytest.raises(StorageUnavailable):
        Inbox.open(tmp_path / "data")


def test_nothing_is_accepted_that_is_not_on_disk(inbox: Inbox) -> None:
    with inbox._writer.connection() as connection:
        connection.pragma("max_page_count", connection.pragma("page_count"))

    with pytest.raises(StorageUnavailable):
        inbox.accept([accepted(description="x" * 1000) for _ in range(100)])

    assert list(inbox.waiting()) == []


def test_an_inbox_that_failed_takes_writes_again_when_it_is_well(inbox: Inbox) -> None:
    with inbox._writer.connection() as connection:
        connection.pragma("max_page_count", connection.pragma("page_count"))
    items = [accepted(description="x" * 1000) for _ in range(100)]
    with pytest.raises(StorageUnavailable):
        inbox.accept(items)

    inbox.accept(items)

    assert list(inbox.waiting()) == items


def test_an_inbox_that_was_taken_away_accepts_nothing_and_is_not_made_again(inbox: Inbox, tmp_path: Path) -> None:
    """SQLite goes on with the file that it has open, and what is accepted there is lost with it."""
    item, path = accepted(), inbox_path(tmp_path)
    inbox.accept([item])
    inbox.close()
    away = path.rename(path.with_suffix(".away"))

    for use in (lambda: inbox.accept([accepted()]), lambda: inbox.find(bytes(16)), lambda: list(inbox.waiting())):
        with pytest.raises(StorageUnavailable):
            use()
    assert not path.exists()

    away.rename(path)
    assert list(inbox.waiting()) == [item]


def test_an_inbox_that_was_taken_away_while_it_was_open_accepts_nothing(inbox: Inbox, tmp_path: Path) -> None:
    inbox.accept([accepted()])
    inbox_path(tmp_path).unlink()

    with pytest.raises(StorageUnavailable):
        inbox.accept([accepted()])
    with pytest.raises(StorageUnavailable):
        inbox.find(bytes(16))


def test_a_write_that_can_not_be_read_holds_up_none_of_the_others(inbox: Inbox) -> None:
    first, bad, last = (accepted() for _ in range(3))
    inbox.accept([first, bad, last])
    with inbox._writer.connection() as connection:
        connection.execute("update accepted set command = '{}' where operation_id = ?", (bad.submission.operation_id,))
    found: list[bytes] = []

    assert list(inbox.waiting(lambda row, error: found.append(row.operation_id))) == [first, last]

    assert found == [bad.submission.operation_id]
    with pytest.raises(StorageUnavailable):
        inbox.find(bad.submission.operation_id)


def test_what_is_to_be_skipped_is_not_even_read(inbox: Inbox) -> None:
    skipped, other = accepted(), accepted()
    inbox.accept([skipped, other])

    found = list(inbox.waiting(skip=lambda operation_id: operation_id == skipped.submission.operation_id))

    assert [item.submission for item in found] == [other.submission]


def test_the_fingerprint_of_a_taken_operation_is_that_of_whoever_came_first(inbox: Inbox) -> None:
    first, alone = accepted(), accepted()
    second = first._replace(fingerprint=bytes(32))
    inbox.accept([first, second, alone])

    found = inbox.fingerprints({first.submission.operation_id, alone.submission.operation_id, bytes(16)})

    assert found == {
        first.submission.operation_id: first.fingerprint,
        alone.submission.operation_id: alone.fingerprint,
    }


def test_many_writes_are_forgotten_at_once_and_each_by_its_own_submission(inbox: Inbox) -> None:
    items = [accepted() for _ in range(40)]
    inbox.accept(items)
    again = items[39].submission._replace(submission=1)

    inbox.accept([], settled=[*(item.submission for item in items[:39]), again])

    assert [item.submission for item in inbox.waiting()] == [items[39].submission]
