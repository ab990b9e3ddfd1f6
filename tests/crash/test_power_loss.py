"""Power loss at any point: what was answered is there, whole, and the ledger goes on. `make crash` tries more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from ledger_core.commands import Kind
from ledger_core.store import files
from tests.crash import books, explore, surveys
from tests.crash.disk import Link, Submitted, Write
from tests.crash.explore import Survey, survey
from tests.crash.recording import recording
from tests.crash.registries import BusyRegistry

TURNS = 40
BOOK_STATES = 380  # of each of four books
RECOVERY_STATES, INBOX_STATES, REGISTRY_STATES, UPGRADE_STATES = 100, 180, 180, 50


@pytest.fixture
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for what is thrown away, in memory where there is such a place."""
    with explore.scratch() as folder:
        yield folder


def nothing_is_wrong(found: Survey, states: int) -> bool:
    """Whether as many states as wanted were tried, and every one was right."""
    assert found.states >= states
    assert found.boundaries > 0
    assert not found.wrong, f"{len(found.wrong)} of {found.states}: {list(found.wrong.items())[:3]}"
    return True


@pytest.mark.parametrize(("seed", "prepare"), [(0, books.busy), (1, books.busy), (2, books.busy), (3, books.as_it_is)])
def test_a_book_holds_what_was_answered(scratch: Path, seed: int, prepare: books.Prepare) -> None:
    found = surveys.book(scratch, BOOK_STATES, seed, turns=TURNS, prepare=prepare)

    assert nothing_is_wrong(found, BOOK_STATES)


def test_power_may_be_lost_again_while_a_book_is_recovered(scratch: Path) -> None:
    found = surveys.recovery(scratch, RECOVERY_STATES)

    assert nothing_is_wrong(found, RECOVERY_STATES)


def test_the_books_that_are_tried_are_busy(scratch: Path) -> None:
    told, resets, folded = set(), 0, 0
    for seed in range(4):
        record, book = books.recorded(scratch / str(seed), turns=TURNS, seed=seed)
        told |= {(item.command.kind, status < 300) for step in book.answers for item, (status, _) in step}
        writes = [event for event in record.events if isinstance(event, Write)]
        main = next(event.file for event in record.events if isinstance(event, Link) and event.path.endswith(".db"))
        resets += sum(event.offset == 0 for event in writes if event.file != main)
        folded += sum(event.file == main for event in writes)

    assert told == {(kind, applied) for kind in Kind for applied in (True, False)} - {(Kind.ACCOUNT, False)}
    assert resets > 20  # a WAL, or a journal, begun afresh
    assert folded > 100


def test_an_inbox_holds_what_was_accepted(scratch: Path) -> None:
    found = surveys.inbox(scratch, INBOX_STATES)

    assert nothing_is_wrong(found, INBOX_STATES)


def test_a_registry_holds_the_orgs_and_keys_that_were_made_and_a_revoked_key_stays_revoked(scratch: Path) -> None:
    found = surveys.registry(scratch, REGISTRY_STATES)

    assert nothing_is_wrong(found, REGISTRY_STATES)


def test_a_folder_whose_maker_was_killed_before_it_synced_it_is_not_lost(scratch: Path) -> None:
    registry = BusyRegistry()
    with recording(scratch / "registry") as record:
        record.note(Submitted(0))
        for folder in ("data", "data/books"):
            files.os.mkdir(scratch / "registry" / folder, 0o700)  # as the product does
        registry.run(record, orgs=1)

    found = survey(record, registry.check, scratch, wanted=40, first=-1)

    assert nothing_is_wrong(found, 40)


def test_an_upgrade_leaves_each_file_as_it_was_or_as_it_should_be(scratch: Path) -> None:
    found = surveys.upgrade(scratch, UPGRADE_STATES)

    assert nothing_is_wrong(found, UPGRADE_STATES)


def test_what_failed_in_its_last_sync_is_not_there_after_all(scratch: Path) -> None:
    record, book = books.recorded(scratch / "book", turns=30, seed=5, prepare=books.as_it_is, fail_every=4)

    found = survey(record, book.check, scratch, wanted=150)

    assert nothing_is_wrong(found, 150)


def off(connection: apsw.Connection) -> None:
    connection.execute("pragma synchronous = off")


def normal(connection: apsw.Connection) -> None:
    connection.execute("pragma synchronous = normal")


@pytest.mark.parametrize("setting", [off, normal])
def test_a_setting_that_syncs_too_little_is_found_out(scratch: Path, setting: books.Prepare) -> None:
    found = surveys.book(scratch, 30, 1, turns=12, prepare=setting)

    assert any("was answered" in problem for problem in found.wrong.values())


def test_a_disk_that_says_that_it_synced_and_did_not_is_found_out(scratch: Path) -> None:
    record, book = books.recorded(scratch / "book", turns=12, seed=1, lying=True)

    found = survey(record, book.check, scratch, wanted=30)

    assert found.wrong


@pytest.mark.parametrize("survey_of", [surveys.registry, surveys.upgrade])
def test_a_folder_that_is_not_synced_is_found_out(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, survey_of: Callable[[Path, int], Survey]
) -> None:
    monkeypatch.setattr(files, "sync_folder", lambda path: None)

    assert survey_of(scratch, 1).wrong
