"""A program and a file of another schema: what is refused, also by who had it open before."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from ledger_core import reads
from ledger_core.errors import AccountNotFound, SchemaOutdated, StorageUnavailable
from ledger_core.store.book import Book
from ledger_core.verify import verify
from tests import newer_program
from tests.ledger_core.builders import CASH, CUSTOMERS, NOON, ORG, Ledger
from tests.ledger_core.store.on_disk import beside, rows


def test_a_reader_leaves_an_older_book_as_it_is(older: Ledger, newer: pytest.MonkeyPatch) -> None:
    before = older.path.read_bytes()

    with pytest.raises(SchemaOutdated, match=r"acme-corp\.db: has schema 2, and this program reads 3"):
        Book.open_reader(older.folder, ORG)

    assert older.path.read_bytes() == before
    assert beside(older.path) == {older.path.name}


@pytest.mark.parametrize("open_book", [Book.open_writer, Book.open_reader])
def test_a_newer_book_is_refused_with_both_versions(older: Ledger, open_book) -> None:
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        Book.open_writer(older.folder, ORG).close()
    before = older.path.read_bytes()

    with pytest.raises(StorageUnavailable, match="has schema 3, newer than this program, which knows up to 2"):
        open_book(older.folder, ORG)

    assert older.path.read_bytes() == before


@pytest.mark.parametrize("wrote", [False, True], ids=["and only opened it", "and wrote to it"])
def test_an_older_program_that_has_the_book_open_stops_using_it(older: Ledger, wrote: bool) -> None:
    older.reopen()
    if wrote:
        older.post((CASH, 1, "debit"), (CUSTOMERS, 1, "credit"))
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        Book.open_writer(older.folder, ORG).close()
    before = rows(older.path)

    with pytest.raises(StorageUnavailable, match="from schema 2 to 3 meanwhile"):
        older.entry((CASH, 1, "debit"), (CUSTOMERS, 1, "credit"))
    with pytest.raises(StorageUnavailable, match="from schema 2 to 3 meanwhile"):
        verify(older.reader)

    assert rows(older.path) == before
    older.close()


UNKNOWN = {
    "reads go on to work": newer_program.BOOK_STEP,
    "reads fail": "drop trigger entries_never_go; alter table accounts rename column name to title;"
    " alter table entries rename column posted_at to at; alter table holds rename to reservations;"
    " alter table operations rename to decided;",
}
READS: dict[str, Callable[[Book], object]] = {
    "an account": lambda book: reads.account(book, CASH),
    "no such account": lambda book: reads.account(book, 99),
    "an entry": lambda book: reads.entry(book, 1),
    "a hold": lambda book: reads.hold(book, 1, NOON),
    "a balance": lambda book: reads.balance(book, CASH, NOON),
    "a balance then": lambda book: reads.balance(book, CASH, NOON, NOON - 1),
    "accounts": lambda book: reads.accounts(book, reads.AccountFilter(), reads.Span(10)),
    "entries": lambda book: reads.entries(book, reads.EntryFilter(), reads.Span(10)),
    "entries of a time": lambda book: reads.entries(book, reads.EntryFilter(posted_from=NOON), reads.Span(10)),
    "holds": lambda book: reads.holds(book, reads.HoldFilter(), reads.Span(10), NOON),
    "an operation": lambda book: reads.operation(book, bytes(16)),
}


@pytest.mark.parametrize("step", UNKNOWN.values(), ids=UNKNOWN.keys())
@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_a_reader_from_before_answers_nothing_from_a_book_that_was_migrated(
    older: Ledger, read: Callable[[Book], object], step: str
) -> None:
    reader = Book.open_reader(older.folder, ORG)
    with suppress(AccountNotFound):
        read(reader)
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch, book_step=step)
        Book.open_writer(older.folder, ORG).close()

    for _ in range(2):
        with pytest.raises(StorageUnavailable, match="from schema 2 to 3 meanwhile"):
            read(reader)

    reader.close()


def test_the_schema_is_looked_at_again_only_after_a_commit(older: Ledger) -> None:
    older.reopen()
    seen: list[str] = []
    older.reader.connection.exec_trace = lambda cursor, sql, bindings: seen.append(sql) or True
    looks = []

    for write in (False, False, True, False):
        if write:
            older.account(type="asset", name="More")
        seen.clear()
        reads.entry(older.reader, 1)
        looks.append(seen.count("pragma user_version"))

    assert looks == [1, 0, 1, 0]
    older.reader.connection.exec_trace = None
    older.close()
