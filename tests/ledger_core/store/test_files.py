"""What happens when a file is not what it should be: the storage is unavailable, and the file is left alone."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from ledger_core import reads
from ledger_core.errors import StorageUnavailable
from ledger_core.store import connection as module
from ledger_core.store.book import Book, book_path
from ledger_core.verify import verify
from tests.ledger_core.builders import CASH, CUSTOMERS, NOON, ORG, Ledger, posting

OPENERS = [Book.open_writer, Book.open_reader]


@pytest.fixture(params=OPENERS, ids=["to write", "to read"])
def open_book(request: pytest.FixtureRequest) -> Iterator[Callable[[Path, str], Book]]:
    """How a book is opened; closes whatever opens in spite of everything."""
    opened: list[Book] = []

    def opening(folder: Path, org: str) -> Book:
        opened.append(request.param(folder, org))
        return opened[-1]

    yield opening
    for book in opened:
        book.close()


def foreign(path: Path, *statements: str) -> None:
    connection = apsw.Connection(str(path))
    for sql in statements:
        connection.execute(sql)
    connection.close()


def book_file(tmp_path: Path) -> Path:
    """Return the path of a book that was made and closed."""
    Ledger(tmp_path).close()
    return book_path(tmp_path, ORG)


STRANGERS = {
    "no SQLite file": lambda path: path.write_bytes(b"not a database" * 1000),
    "an empty file": lambda path: path.write_bytes(b""),
    "a foreign SQLite file": lambda path: foreign(path, "create table t (a)"),
    "an empty SQLite file": lambda path: foreign(path, "create table t (a)", "drop table t"),
    "a file of another program": lambda path: foreign(
        path, "pragma application_id = 7", "pragma user_version = 1", "create table book (org)"
    ),
    "a newer book": lambda path: foreign(path, "pragma application_id = 0x46464C42", "pragma user_version = 99"),
    "the registry": lambda path: foreign(path, "pragma application_id = 0x46464C52", "pragma user_version = 1"),
}


@pytest.mark.parametrize("make", STRANGERS.values(), ids=STRANGERS.keys())
def test_is_no_book_and_is_left_alone(
    tmp_path: Path, open_book: Callable[[Path, str], Book], make: Callable[[Path], object]
) -> None:
    path = book_path(tmp_path, "stranger")
    path.parent.mkdir()
    make(path)
    before = path.read_bytes()

    with pytest.raises(StorageUnavailable):
        open_book(tmp_path, "stranger")

    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_a_foreign_file_is_not_taken_over_when_a_book_is_created(tmp_path: Path) -> None:
    path = book_path(tmp_path, ORG)
    path.parent.mkdir()
    foreign(path, "create table t (a)")
    before = path.read_bytes()

    with pytest.raises(StorageUnavailable):
        Book.create(tmp_path, ORG, "USD", NOON)

    assert path.read_bytes() == before


def test_a_missing_book_is_not_made(tmp_path: Path, open_book: Callable[[Path, str], Book]) -> None:
    with pytest.raises(StorageUnavailable):
        open_book(tmp_path, ORG)

    assert list(tmp_path.iterdir()) == []


def test_another_orgs_book_is_refused(tmp_path: Path, open_book: Callable[[Path, str], Book]) -> None:
    path = book_path(tmp_path, "other")
    shutil.copy(book_file(tmp_path), path)
    before = path.read_bytes()

    with pytest.raises(StorageUnavailable, match="belongs to acme-corp"):
        open_book(tmp_path, "other")

    assert path.read_bytes() == before


def test_a_newer_book_of_the_same_org_is_refused(tmp_path: Path, open_book: Callable[[Path, str], Book]) -> None:
    path = book_file(tmp_path)
    foreign(path, "pragma user_version = 99")
    before = path.read_bytes()

    with pytest.raises(StorageUnavailable, match="newer"):
        open_book(tmp_path, ORG)

    assert path.read_bytes() == before


def test_creating_a_book_again_changes_nothing(funded: Ledger) -> None:
    before = funded.dump()

    Book.create(funded.folder, funded.org, "EUR", NOON + 1)

    assert funded.dump() == before


def test_a_new_book_has_small_pages_and_an_older_one_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Book.create(tmp_path, "new", "USD", NOON)
    with monkeypatch.context() as patched:
        patched.setattr(module, "BOOK_PAGE_BYTES", 4_096)
        Book.create(tmp_path, "older", "USD", NOON)

    sizes = {}
    for slug in ("new", "older"):
        Book.create(tmp_path, slug, "USD", NOON)
        book = Book.open_writer(tmp_path, slug)
        sizes[slug] = book.connection.pragma("page_size")
        book.close()

    assert sizes == {"new": 2_048, "older": 4_096}


def test_a_book_whose_creation_was_cut_short_is_created_after_all(tmp_path: Path) -> None:
    path = book_path(tmp_path, ORG)
    path.parent.mkdir()
    path.touch()

    driver = Ledger(tmp_path)

    assert driver.account("asset") == 1
    driver.close()


def test_only_its_owner_can_read_a_book(chart: Ledger) -> None:
    modes = {item.name: item.stat().st_mode & 0o777 for item in chart.path.parent.iterdir()}

    assert set(modes.values()) == {0o600}
    assert chart.path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_a_data_folder_that_can_not_be_made_is_unavailable(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageUnavailable):
        Book.create(tmp_path / folder, ORG, "USD", NOON)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_read_only_can_not_be_written(tmp_path: Path, what: str) -> None:
    path = book_file(tmp_path)
    locked, mode = (path, 0o400) if what == "file" else (path.parent, 0o500)
    before = path.read_bytes()
    locked.chmod(mode)
    if os.access(locked, os.W_OK):
        pytest.skip("nothing is read-only to root")

    with pytest.raises(StorageUnavailable):
        Ledger(tmp_path).account("asset")

    locked.chmod(0o700)
    assert path.read_bytes() == before


def read_only(ledger: Ledger) -> None:
    ledger.book.connection.pragma("query_only", True)


def full_disk(ledger: Ledger) -> None:
    pages = ledger.book.connection.pragma("page_count")
    ledger.book.connection.pragma("max_page_count", pages)


def locked(ledger: Ledger) -> None:
    ledger.book.connection.set_busy_timeout(0)
    shell = ledger.raw()
    shell.execute("begin immediate")
    ledger.shell = shell  # keep it open


@pytest.mark.parametrize("spoil", [read_only, full_disk, locked])
def test_what_can_not_be_written_is_unavailable_and_changes_nothing(
    funded: Ledger, spoil: Callable[[Ledger], None]
) -> None:
    sent = [
        funded.submission("entry", {**posting((CASH, 5, "debit"), (CUSTOMERS, 5, "credit")), "description": "x" * 1000})
        for _ in range(50)
    ]
    before = funded.dump()
    spoil(funded)

    with pytest.raises(StorageUnavailable):
        funded.apply(*sent)

    assert funded.dump() == before
    assert not funded.book.connection.in_transaction
    assert reads.operation(funded.reader, sent[0].operation_id) is None


def test_after_the_disk_had_no_room_the_same_commands_succeed(funded: Ledger) -> None:
    sent = [
        funded.submission("entry", {**posting((CASH, 5, "debit"), (CUSTOMERS, 5, "credit")), "description": "x" * 1000})
        for _ in range(50)
    ]
    full_disk(funded)
    with pytest.raises(StorageUnavailable):
        funded.apply(*sent)

    funded.book.connection.pragma("max_page_count", 2**30)
    outcomes = funded.apply(*sent)

    assert [outcome.resource.id for outcome in outcomes if outcome.resource] == list(range(2, 52))
    assert funded.findings() == []


READS: dict[str, Callable[[Book], object]] = {
    "an account": lambda book: reads.account(book, 1),
    "an entry": lambda book: reads.entry(book, 1),
    "a hold": lambda book: reads.hold(book, 1, NOON),
    "a balance": lambda book: reads.balance(book, 1, NOON),
    "a balance then": lambda book: reads.balance(book, 1, NOON, NOON - 1),
    "accounts": lambda book: reads.accounts(book, reads.AccountFilter(), reads.Span(10)),
    "entries": lambda book: reads.entries(book, reads.EntryFilter(), reads.Span(10)),
    "holds": lambda book: reads.holds(book, reads.HoldFilter(), reads.Span(10), NOON),
    "an operation": lambda book: reads.operation(book, bytes(16)),
    "the proof": verify,
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_reading_a_damaged_book_is_unavailable(tmp_path: Path, read: Callable[[Book], object]) -> None:
    path = book_file(tmp_path)
    damage(path)
    book = Book.open_reader(tmp_path, ORG)

    with pytest.raises(StorageUnavailable):
        read(book)

    book.close()


def damage(path: Path) -> None:
    """Overwrite every page of a book but those of its schema and of its own facts."""
    connection = apsw.Connection(str(path))
    connection.execute("pragma wal_checkpoint(truncate)")
    size = connection.pragma("page_size")
    spared = {1, *(page for (page,) in connection.execute("select rootpage from sqlite_schema where name = 'book'"))}
    spared |= {page for (page,) in connection.execute("select pageno from dbstat where name = 'sqlite_schema'")}
    pages = connection.pragma("page_count")
    connection.close()
    with path.open("r+b") as file:
        for page in set(range(1, pages + 1)) - spared:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
