"""A backup of a ledger that goes on: whatever happens between two of its files, nothing answered is missing."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from ledger_core import ledger, reads
from ledger_core.backup import Copied, backup
from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Accepted, Inbox, inbox_path
from ledger_core.model import Submission
from ledger_core.orgs import Registry, registry_path
from ledger_core.store import copying, files
from ledger_core.store.book import Book, book_path
from tests.builders import NOW, ORG, opening, posting, submission


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A ledger with the org acme and two accounts in its book."""
    folder = tmp_path / "data"
    with closing(Registry.open_writer(folder)) as registry:
        registry.create_org(ORG, name=None, currency=None, now=NOW)
    _apply(folder, submission(opening()), submission(opening()))
    return folder


@pytest.fixture
def inbox(data: Path) -> Iterator[Inbox]:
    with closing(Inbox.open(data)) as opened:
        yield opened


def _apply(folder: Path, *submissions: Submission) -> None:
    with closing(Book.open_writer(folder, ORG)) as book:
        ledger.apply(book, submissions)


def _until(name: str, steps: Iterator[Copied]) -> None:
    """Let a backup go on until a file was copied."""
    for copied in steps:
        if copied.name == name:
            return
    raise AssertionError(name)


def _is_in_inbox(folder: Path, item: Submission) -> bool:
    with closing(Inbox.open(folder)) as inbox:
        return inbox.find(item.operation_id) is not None


def _is_in_book(folder: Path, item: Submission) -> bool:
    with closing(Book.open_reader(folder, ORG)) as book:
        return reads.operation(book, item.operation_id) is not None


def test_a_write_that_leaves_the_inbox_meanwhile_is_in_its_book(data: Path, inbox: Inbox, tmp_path: Path) -> None:
    accepted = submission(posting())
    inbox.accept([Accepted(ORG, accepted, accepted.command.fingerprint())])
    steps = backup(data, tmp_path / "copy")
    _until("inbox", steps)

    _apply(data, accepted)
    inbox.drop(accepted.operation_id)
    list(steps)

    assert _is_in_inbox(tmp_path / "copy", accepted)
    assert _is_in_book(tmp_path / "copy", accepted)


def test_a_write_that_was_dropped_just_before_is_in_its_book_alone(data: Path, inbox: Inbox, tmp_path: Path) -> None:
    accepted = submission(posting())
    inbox.accept([Accepted(ORG, accepted, accepted.command.fingerprint())])
    _apply(data, accepted)
    inbox.drop(accepted.operation_id)

    list(backup(data, tmp_path / "copy"))

    assert not _is_in_inbox(tmp_path / "copy", accepted)
    assert _is_in_book(tmp_path / "copy", accepted)


def test_an_org_that_is_created_meanwhile_is_there_with_its_book_or_not_at_all(data: Path, tmp_path: Path) -> None:
    steps = backup(data, tmp_path / "copy")
    _until("registry", steps)

    with closing(Registry.open_writer(data)) as registry:
        registry.create_org("later", name=None, currency=None, now=NOW)
    rest = list(steps)

    assert [copied.name for copied in rest] == [ORG]
    with closing(Registry.open_reader(tmp_path / "copy")) as registry:
        assert [org.slug for org in registry.orgs()] == [ORG]


def test_a_copy_is_of_what_is_committed(data: Path, tmp_path: Path) -> None:
    with closing(Book.open_writer(data, ORG)) as writer, writer.transaction():
        writer.connection.execute("update book set last_at = last_at + 1000000")
        (*_, copied) = backup(data, tmp_path / "copy")
        uncommitted = writer.connection.execute("select last_at from book").fetchone()

    with closing(Book.open_reader(tmp_path / "copy", ORG)) as book:
        in_copy = book.connection.execute("select last_at from book").fetchone()
    assert copied.problem is None
    assert in_copy == (uncommitted[0] - 1_000_000,)


def test_nobody_but_its_owner_may_open_it_and_each_copy_is_one_file(data: Path, inbox: Inbox, tmp_path: Path) -> None:
    target = tmp_path / "copy"

    list(backup(data, target))

    assert {str(path.relative_to(target)): f"{path.stat().st_mode & 0o777:o}" for path in target.rglob("*")} == {
        "backup.json": "600",
        "inbox.db": "600",
        "registry.db": "600",
        "books": "700",
        "books/acme.db": "600",
    }
    assert f"{target.stat().st_mode & 0o777:o}" == "700"


def test_each_copy_is_on_disk_before_it_has_its_name(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = []

    def placing(made: Path, path: Path) -> None:
        assert not path.exists()
        placed.append(path.name)
        put(made, path)

    put = files.put_in_place
    monkeypatch.setattr(files, "put_in_place", placing)

    list(backup(data, tmp_path / "copy"))

    assert placed == ["registry.db", "acme.db", "backup.json"]


def test_a_disk_without_room_is_said_to_have_none(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "free_bytes", lambda folder: 4096)

    with pytest.raises(StorageUnavailable, match="no room for that: it takes 12288 bytes, and 4096 are free"):
        list(backup(data, tmp_path / "copy"))

    assert not list(tmp_path.glob("copy/*.db*"))


def test_a_copy_that_fails_leaves_nothing_under_its_name(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(source: apsw.Connection, partial: Path) -> None:
        if partial.name == "acme.db.partial":
            raise apsw.IOError("the disk fails")
        before(source, partial)

    before = copying._fill
    monkeypatch.setattr(copying, "_fill", fill)

    (*_, copied) = backup(data, tmp_path / "copy")

    assert copied.problem == "acme: IOError: the disk fails"
    assert not list((tmp_path / "copy" / "books").iterdir())


def test_a_registry_that_cannot_be_copied_ends_it(data: Path, inbox: Inbox, tmp_path: Path) -> None:
    with closing(apsw.Connection(str(registry_path(data)))) as connection:
        connection.pragma("foreign_keys", 0)
        connection.execute("insert into api_keys values ('nobody', 'x', zeroblob(32), 'full', 0, null)")

    with pytest.raises(StorageUnavailable, match="registry: is not right: file row"):
        list(backup(data, tmp_path / "copy"))

    assert inbox_path(tmp_path / "copy").exists()
    assert not registry_path(tmp_path / "copy").exists()
    assert not (tmp_path / "copy" / "backup.json").exists()


def test_a_book_in_whose_place_a_link_lies_is_not_copied(data: Path, tmp_path: Path) -> None:
    path = book_path(data, ORG)
    path.rename(tmp_path / "elsewhere.db")
    path.symlink_to(tmp_path / "elsewhere.db")

    (*_, copied) = backup(data, tmp_path / "copy")

    assert copied.problem is not None
    assert "CantOpenError" in copied.problem
