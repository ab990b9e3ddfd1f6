"""Power loss at any point: what was answered is there, whole, and the ledger goes on. `make crash` tries more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from ledger_core.commands import Kind
from ledger_core.store import files
from tests import newer_program
from tests.crash import books, explore
from tests.crash.disk import Link, Write
from tests.crash.explore import Survey, survey
from tests.crash.inboxes import BusyInbox
from tests.crash.recording import recording
from tests.crash.registries import BusyRegistry
from tests.crash.upgrades import Upgrade

TURNS = 40
BOOK_STATES, INBOX_STATES, REGISTRY_STATES, UPGRADE_STATES = 420, 220, 220, 80  # the first for each of four books


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


@pytest.mark.parametrize("seed", range(4))
def test_a_book_holds_what_was_answered(scratch: Path, seed: int) -> None:
    record, book = books.recorded(scratch / "book", turns=TURNS, seed=seed)

    found = survey(record, book.check, scratch, wanted=BOOK_STATES, seed=seed)

    assert nothing_is_wrong(found, BOOK_STATES)


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
    inbox = BusyInbox(seed=1)
    with recording(scratch / "inbox") as record:
        inbox.run(record, steps=80)

    found = survey(record, inbox.check, scratch, wanted=INBOX_STATES, first=-1)

    assert nothing_is_wrong(found, INBOX_STATES)


def of_registry(scratch: Path, wanted: int) -> Survey:
    registry = BusyRegistry()
    with recording(scratch / "registry") as record:
        registry.run(record, orgs=4)
    return survey(record, registry.check, scratch, wanted=wanted, first=-1)


def test_a_registry_holds_the_orgs_and_keys_that_were_made_and_a_revoked_key_stays_revoked(scratch: Path) -> None:
    found = of_registry(scratch, REGISTRY_STATES)

    assert nothing_is_wrong(found, REGISTRY_STATES)


def of_upgrade(scratch: Path, wanted: int) -> Survey:
    folder = Upgrade(scratch / "data", turns=12)
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        with recording(scratch / "data") as record:
            folder.run(record)
        return survey(record, folder.check, scratch, wanted=wanted)


def test_an_upgrade_leaves_each_file_as_it_was_or_as_it_should_be(scratch: Path) -> None:
    found = of_upgrade(scratch, UPGRADE_STATES)

    assert nothing_is_wrong(found, UPGRADE_STATES)


def off(connection: apsw.Connection) -> None:
    connection.execute("pragma synchronous = off")


def normal(connection: apsw.Connection) -> None:
    connection.execute("pragma synchronous = normal")


@pytest.mark.parametrize("setting", [off, normal])
def test_a_setting_that_syncs_too_little_is_found_out(scratch: Path, setting: books.Prepare) -> None:
    record, book = books.recorded(scratch / "book", turns=12, seed=1, prepare=setting)

    found = survey(record, book.check, scratch, wanted=30)

    assert any("was answered" in problem for problem in found.wrong.values())


def test_a_disk_that_says_that_it_synced_and_did_not_is_found_out(scratch: Path) -> None:
    record, book = books.recorded(scratch / "book", turns=12, seed=1, lying=True)

    found = survey(record, book.check, scratch, wanted=30)

    assert found.wrong


@pytest.mark.parametrize("survey_of", [of_registry, of_upgrade])
def test_a_folder_that_is_not_synced_is_found_out(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, survey_of: Callable[[Path, int], Survey]
) -> None:
    monkeypatch.setattr(files, "sync_folder", lambda path: None)

    assert survey_of(scratch, 1).wrong
