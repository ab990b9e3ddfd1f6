"""Open books: kept while they are used, closed when they are not, and never one that is not the org's."""

import resource
from pathlib import Path

import apsw
import pytest

from ledger_core.errors import OrgNotFound, StorageUnavailable
from ledger_core.store.book import Book, book_path
from tests.workers.conftest import ORGS
from workers.books import OPEN_BOOKS_MAX, OTHER_DESCRIPTORS, Books
from workers.outages import Outages


def _is_open(book: Book) -> bool:
    try:
        book.connection.execute("select 1")
    except apsw.ConnectionClosedError:
        return False
    return True


def test_a_book_stays_open_between_uses(books: Books) -> None:
    assert books.book("acme") is books.book("acme")


def test_a_book_whose_org_was_set_aside_meanwhile_by_another_thread_is_opened_anew(
    data: Path, books: Books, outages: Outages
) -> None:
    others = Books(data, outages)
    book, kept = books.book("acme"), books.book("globex")
    with pytest.raises(StorageUnavailable), others.lent("acme"):
        raise StorageUnavailable("the disk")

    assert books.book("acme") is not book
    assert not _is_open(book)
    assert books.book("globex") is kept


def test_the_least_used_book_is_closed_when_there_are_too_many(data: Path, outages: Outages) -> None:
    books = Books(data, outages, open_max=2)
    acme, globex = books.book("acme"), books.book("globex")
    books.book("acme")

    initech = books.book("initech")

    assert [_is_open(book) for book in (acme, globex, initech)] == [True, False, True]
    assert books.book("acme") is acme
    assert books.book("globex") is not globex


def test_no_more_books_are_open_than_there_are_descriptors_for(data: Path, outages: Outages) -> None:
    books = Books(data, outages)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OTHER_DESCRIPTORS + 3 * 40, before[1]))
    try:
        scarce = Books(data, outages)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert (books.open_max, scarce.open_max) == (OPEN_BOOKS_MAX, 40)


def _page_bytes(book: Book) -> int:
    return book.connection.status(apsw.SQLITE_DBSTATUS_CACHE_USED)[0]


def _read(book: Book) -> int:
    """Read some pages of a book, and return how many bytes of them it keeps."""
    book.connection.execute("select count(*) from entries, accounts").fetchall()
    return _page_bytes(book)


@pytest.fixture
def three(books: Books) -> list[Book]:
    """Return three open books that have read pages, the least used first."""
    opened = [books.book(org) for org in ORGS]
    assert all(_read(book) > 0 for book in opened)
    return opened


def _used_at_most(monkeypatch: pytest.MonkeyPatch, *, warm: int, all_bytes: int) -> None:
    monkeypatch.setattr("workers.books.WARM_BOOKS_MIN", 1)
    monkeypatch.setattr("workers.books.WARM_BYTES_MAX", warm)
    monkeypatch.setattr("workers.books.SQLITE_BYTES_MAX", all_bytes)


def test_books_are_closed_when_all_of_them_take_too_much_memory(
    data: Path, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = Books(data, outages)
    acme = books.book("acme")
    _used_at_most(monkeypatch, warm=1, all_bytes=1)

    globex = books.book("globex")

    assert [_is_open(book) for book in (acme, globex)] == [False, True]


def test_books_keep_their_pages_while_there_is_memory(three: list[Book], books: Books) -> None:
    before = [_page_bytes(book) for book in three]

    books.book("acme")

    assert [_page_bytes(book) for book in three] == before


def test_a_book_that_is_lent_is_never_closed_to_make_room(data: Path, outages: Outages) -> None:
    books = Books(data, outages, open_max=1)

    with books.lent("acme") as acme, books.lent("globex") as globex:
        assert _is_open(acme)
        assert _is_open(globex)

    assert books.book("globex") is globex


def test_when_memory_is_short_the_least_used_books_give_back_their_pages_and_none_is_closed(
    three: list[Book], books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, globex, initech = three
    before = [_page_bytes(book) for book in three]
    _used_at_most(monkeypatch, warm=apsw.memory_used() - before[0] // 2, all_bytes=10**12)

    books.book("initech")

    assert _page_bytes(acme) < before[0] / 2
    assert [_page_bytes(book) for book in (globex, initech)] == before[1:]
    assert all(map(_is_open, three))


def test_pages_are_given_back_before_a_book_is_closed_to_make_room(
    three: list[Book], books: Books, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Book.create(data, "umbrella", "USD", 1)
    before = apsw.memory_used()
    _used_at_most(monkeypatch, warm=before - 1, all_bytes=before)

    books.book("umbrella")

    assert all(map(_is_open, three))


def test_the_last_used_books_keep_their_pages_however_short_memory_is(
    three: list[Book], books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [_page_bytes(book) for book in three]
    _used_at_most(monkeypatch, warm=0, all_bytes=10**12)

    books.book("initech")

    assert _page_bytes(three[2]) == before[2]
    assert all(_page_bytes(book) < kept / 2 for book, kept in zip(three[:2], before, strict=False))


def test_a_dropped_book_is_opened_afresh(books: Books) -> None:
    first = books.book("acme")

    books.drop("acme")
    books.drop("acme")

    assert not _is_open(first)
    assert _is_open(books.book("acme"))


def test_closing_closes_every_book(books: Books) -> None:
    opened = [books.book("acme"), books.book("globex")]

    books.close()

    assert not any(map(_is_open, opened))


@pytest.mark.parametrize("slug", ["nobody", "", "../registry", "ACME", "a/b", "acme\n", "a" * 64])
def test_an_org_that_does_not_exist_has_no_book(books: Books, data: Path, slug: str) -> None:
    before = sorted(data.rglob("*"))

    with pytest.raises(OrgNotFound):
        books.book(slug)

    assert [path for path in sorted(data.rglob("*")) if path.suffix == ".db"] == [
        path for path in before if path.suffix == ".db"
    ]


def test_a_book_that_is_gone_is_not_made_again(books: Books, data: Path) -> None:
    book_path(data, "acme").unlink()

    with pytest.raises(StorageUnavailable):
        books.book("acme")

    assert not book_path(data, "acme").exists()


def test_a_book_of_another_org_is_not_taken_for_this_one(books: Books, data: Path) -> None:
    book_path(data, "acme").write_bytes(book_path(data, "globex").read_bytes())

    with pytest.raises(StorageUnavailable):
        books.book("acme")


def test_a_book_that_was_taken_away_while_it_was_open_is_not_written_to(books: Books, data: Path) -> None:
    """SQLite goes on with the file that it has open, and what is written there is lost with it."""
    books.book("acme")
    book_path(data, "acme").unlink()

    with pytest.raises(StorageUnavailable):
        books.book("acme")


def test_a_book_that_was_put_in_the_place_of_an_open_one_is_opened(books: Books, data: Path) -> None:
    first = books.book("acme")
    path = book_path(data, "acme")
    first.connection.execute("pragma wal_checkpoint(truncate)")
    copy = path.read_bytes()
    for name in ("acme.db", "acme.db-wal", "acme.db-shm"):
        path.with_name(name).unlink()
    path.write_bytes(copy)

    second = books.book("acme")

    assert second is not first
    assert second.connection.execute("select org from book").get == "acme"
