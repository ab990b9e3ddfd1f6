"""What lies in a data folder is readable to its owner only, whatever it was made or copied with."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Inbox
from ledger_core.orgs import Registry
from ledger_core.store.book import Book, book_path
from ledger_core.store.private import data_folder
from tests.ledger_core.builders import NOON


@pytest.fixture(autouse=True)
def loose_umask() -> Iterator[None]:
    """A umask that hides nothing from anybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Return the mode of a folder and of everything in it."""
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in (folder, *sorted(folder.rglob("*")))
    }


def test_everything_is_made_private_under_a_loose_umask(tmp_path: Path) -> None:
    data = tmp_path / "data"

    registry, inbox = Registry.open_writer(data), Inbox.open(data)
    registry.create_org("acme", name=None, currency=None, now=NOON)
    book = Book.open_writer(data, "acme")
    with book.transaction():
        book.connection.execute("update book set last_at = last_at")

    found = modes(data)
    assert {"registry.db", "registry.db-wal", "registry.db-shm", "inbox.db", "books/acme.db-wal"} <= found.keys()
    assert {name for name, mode in found.items() if mode == "0o700"} == {".", "books"}
    assert set(found.values()) == {"0o700", "0o600"}
    for each in (registry, inbox, book):
        each.close()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o711, 0o777])
def test_a_folder_that_others_could_enter_is_closed_to_them_and_said(
    tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    Registry.open_writer(tmp_path / "data").close()
    (tmp_path / "data").chmod(mode)

    Registry.open_writer(tmp_path / "data").close()

    assert modes(tmp_path / "data")["."] == "0o700"
    assert f"could be entered by other users (mode {mode:o})" in caplog.text


def test_an_empty_folder_that_others_could_enter_becomes_a_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o777)

    data_folder(tmp_path / "data")

    assert modes(tmp_path / "data") == {".": "0o700"}


def test_a_folder_of_other_things_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """To take /tmp or a home from everybody else by a slip of --data would be worse than not to start."""
    (tmp_path / "things").mkdir(mode=0o755)
    (tmp_path / "things" / "letter.txt").write_text("dear all")

    with pytest.raises(StorageUnavailable, match="holds other things than a ledger"):
        Registry.open_writer(tmp_path / "things")

    assert modes(tmp_path / "things")["."] == "0o755"
    assert [path.name for path in (tmp_path / "things").iterdir()] == ["letter.txt"]


def test_a_folder_that_cannot_be_closed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems take any mode and keep their own."""
    (tmp_path / "data").mkdir(mode=0o755)
    monkeypatch.setattr(Path, "chmod", lambda path, mode: None)

    with pytest.raises(StorageUnavailable, match="its mode can't be changed"):
        Registry.open_writer(tmp_path / "data")


def test_a_file_that_others_could_read_is_closed_to_them_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as one that was copied back from a backup."""
    Registry.open_writer(tmp_path).close()
    Book.create(tmp_path, "acme", "USD", NOON)
    book_path(tmp_path, "acme").chmod(0o644)

    book = Book.open_writer(tmp_path, "acme")

    assert set(modes(tmp_path / "books").values()) == {"0o700", "0o600"}
    assert "acme.db could be read by other users (mode 644)" in caplog.text
    book.close()


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_book_that_is_a_link_to_another_orgs_is_not_opened(tmp_path: Path, kind: str) -> None:
    Book.create(tmp_path, "acme", "USD", NOON)
    if kind == "symbolic":
        book_path(tmp_path, "thief").symlink_to(book_path(tmp_path, "acme"))
    else:
        book_path(tmp_path, "thief").hardlink_to(book_path(tmp_path, "acme"))

    for opened in (Book.open_reader, Book.open_writer):
        with pytest.raises(StorageUnavailable):
            opened(tmp_path, "thief")
    Book.open_reader(tmp_path, "acme").close()


def test_a_symbolic_link_is_never_written_through(tmp_path: Path) -> None:
    """A file of the same org elsewhere, such as an old copy, is no book either: somebody else may be its owner."""
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    Book.create(elsewhere, "acme", "USD", NOON)
    data_folder(data)
    (data / "books").mkdir(mode=0o700)
    book_path(data, "acme").symlink_to(book_path(elsewhere, "acme"))
    (data / "registry.db").symlink_to(elsewhere / "registry.db")

    for attempt in (
        lambda: Book.create(data, "acme", "USD", NOON),
        lambda: Book.open_writer(data, "acme"),
        lambda: Book.open_reader(data, "acme"),
        lambda: Registry.open_writer(data),
    ):
        with pytest.raises(StorageUnavailable):
            attempt()
    assert not (elsewhere / "registry.db").exists()


def test_a_data_folder_may_be_reached_by_a_symbolic_link(tmp_path: Path) -> None:
    Book.create(tmp_path / "data", "acme", "USD", NOON)
    (tmp_path / "link").symlink_to(tmp_path / "data")

    Book.open_writer(tmp_path / "link", "acme").close()
