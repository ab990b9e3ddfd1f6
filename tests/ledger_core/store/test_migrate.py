"""A file of an older program is brought up to date when it is first touched, once, whole or not at all."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from ledger_core import reads
from ledger_core.errors import AccountNotFound, SchemaOutdated, StorageUnavailable
from ledger_core.inbox import Inbox, inbox_path
from ledger_core.orgs import Registry, registry_path
from ledger_core.store import files
from ledger_core.store.book import Book, book_path
from ledger_core.store.migrate import copy_path
from ledger_core.verify import verify
from tests import newer_program
from tests.ledger_core.builders import CASH, CUSTOMERS, NOON, ORG, Ledger, answer, posting
from tests.ledger_core.test_inbox import accepted

TABLES = ["book", "accounts", "entries", "lines", "holds", "hold_events", "operations", "bulk_entries"]


@pytest.fixture
def older(tmp_path: Path) -> Ledger:
    """A book of this program, closed, with something of everything in it."""
    driver = Ledger(tmp_path)
    driver.account(type="asset", name="Cash")
    driver.account(type="liability", name="Customers")
    driver.post((CASH, 1000, "debit"), (CUSTOMERS, 1000, "credit"))
    driver.capture(driver.hold(CUSTOMERS, 300, counter_account_id=CASH).id, amount=100, final=False)
    driver.write("bulk", entries=[posting((CASH, 1, "debit"), (CUSTOMERS, 1, "credit"))] * 3)
    driver.entry((CASH, 1, "debit"), (CUSTOMERS, 2, "credit"), idempotency_key="refused")
    driver.close()
    return driver


@pytest.fixture
def newer(older: Ledger) -> Iterator[pytest.MonkeyPatch]:
    """The book of an older program, and this program is the newer one."""
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        yield patch


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all that is in a book, as plain SQLite sees it, without what the newer program adds."""
    connection = apsw.Connection(str(path))
    read = {table: list(connection.execute(f"select * from {table}")) for table in TABLES}
    connection.close()
    return {
        **read,
        "accounts": [row[:13] for row in read["accounts"]],
        "bulk_entries": [row[:4] for row in read["bulk_entries"]],
    }


def version(path: Path) -> int:
    connection = apsw.Connection(str(path))
    found = connection.pragma("user_version")
    connection.close()
    return int(found)


def beside(path: Path) -> set[str]:
    """Return what lies in the folder of a file, but what SQLite itself puts there."""
    return {item.name for item in path.parent.iterdir() if not item.name.endswith(("-wal", "-shm", "-journal"))}


def test_an_older_book_is_brought_up_to_date_and_stays_what_it_was(older: Ledger, newer: pytest.MonkeyPatch) -> None:
    before = rows(older.path)

    older.reopen()

    assert version(older.path) == 2
    assert rows(older.path) == before
    assert older.findings() == []
    assert older.post((CASH, 7, "debit"), (CUSTOMERS, 7, "credit")).id == 6
    assert older.findings() == []
    older.close()


def test_a_retry_after_the_migration_gets_the_first_answer(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        driver = Ledger(tmp_path)
        sent = [
            ("account", {"type": "asset", "name": "Cash", "idempotency_key": "1"}),
            ("account", {"type": "liability", "name": "Customers", "idempotency_key": "2"}),
            ("entry", {**posting((CASH, 5, "debit"), (CUSTOMERS, 5, "credit")), "idempotency_key": "3"}),
            ("hold", {"account_id": CUSTOMERS, "amount": 9, "idempotency_key": "4"}),
        ]
        first = [answer(driver.write(kind, **fields)) for kind, fields in sent]
        newer_program.install(patch)

        driver.reopen()
        driver.pass_s(60)
        again = [driver.write(kind, **fields) for kind, fields in sent]

        assert [answer(outcome) for outcome in again] == first
        assert all(outcome.replayed for outcome in again)
        driver.close()


def test_a_copy_of_what_it_was_is_kept_beside_it(older: Ledger, newer: pytest.MonkeyPatch) -> None:
    before = rows(older.path)

    Book.open_writer(older.folder, ORG).close()

    copy = copy_path(older.path, 1)
    assert copy.name == "acme-corp.db.schema-1"
    assert beside(older.path) == {older.path.name, copy.name}
    assert copy.stat().st_mode & 0o777 == 0o600
    assert version(copy) == 1
    assert rows(copy) == before


def test_the_copy_put_back_is_a_whole_book_of_the_older_program(older: Ledger) -> None:
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        older.reopen()
        older.close()

    copy_path(older.path, 1).replace(older.path)
    older.reopen()

    assert older.findings() == []
    assert older.post((CASH, 7, "debit"), (CUSTOMERS, 7, "credit")).id == 6
    older.close()


def test_what_the_older_program_left_in_the_wal_is_in_the_copy(older: Ledger, tmp_path: Path) -> None:
    older.reopen()
    older.account(name="In the WAL")  # and nobody closes the book
    before = rows(older.path)

    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        Book.open_writer(tmp_path, ORG).close()

    assert len(before["accounts"]) == 3
    assert rows(copy_path(older.path, 1)) == before
    older.close()


def test_a_new_book_needs_no_copy(tmp_path: Path, newer: pytest.MonkeyPatch) -> None:
    Book.create(tmp_path, "other", "USD", NOON)

    assert version(book_path(tmp_path, "other")) == 2
    assert not copy_path(book_path(tmp_path, "other"), 0).exists()


def test_a_reader_leaves_an_older_book_as_it_is(older: Ledger, newer: pytest.MonkeyPatch) -> None:
    before = older.path.read_bytes()

    with pytest.raises(SchemaOutdated, match=r"acme-corp\.db: has schema 1, and this program reads 2"):
        Book.open_reader(older.folder, ORG)

    assert older.path.read_bytes() == before
    assert beside(older.path) == {older.path.name}


@pytest.mark.parametrize("open_book", [Book.open_writer, Book.open_reader])
def test_a_newer_book_is_refused_with_both_versions(older: Ledger, open_book) -> None:
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        Book.open_writer(older.folder, ORG).close()
    before = older.path.read_bytes()

    with pytest.raises(StorageUnavailable, match="has schema 2, newer than this program, which knows up to 1"):
        open_book(older.folder, ORG)

    assert older.path.read_bytes() == before


def test_an_older_program_that_has_the_book_open_stops_using_it(older: Ledger) -> None:
    older.reopen()
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        Book.open_writer(older.folder, ORG).close()
    before = rows(older.path)

    with pytest.raises(StorageUnavailable, match="from schema 1 to 2 meanwhile"):
        older.entry((CASH, 1, "debit"), (CUSTOMERS, 1, "credit"))
    with pytest.raises(StorageUnavailable, match="from schema 1 to 2 meanwhile"):
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
        with pytest.raises(StorageUnavailable, match="from schema 1 to 2 meanwhile"):
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


FAILING = {
    "a step that makes no sense": "alter table nothing add column x",
    "a step that breaks a rule of the tables": "insert into book select 2, org, currency, 1, 1 from book;"
    " update book set org = 'other'",
    "a step that breaks a reference": "insert into bulk_entries values (x'00', 0, x'00', 99)",
    "a step that leaves a dangling reference": "create table t (a references accounts (id)); insert into t values (99)",
}


@pytest.mark.parametrize("step", FAILING.values(), ids=FAILING.keys())
def test_a_book_that_can_not_be_migrated_stays_as_it_was(older: Ledger, step: str) -> None:
    before = rows(older.path)

    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch, book_step=f"create table first (a); {step}")
        with pytest.raises(StorageUnavailable, match="from schema 1 to 2, and stays as it was"):
            Book.open_writer(older.folder, ORG)

    assert (version(older.path), rows(older.path)) == (1, before)
    assert beside(older.path) == {older.path.name}
    older.reopen()
    assert older.findings() == []
    older.close()


class FullDisk(apsw.VFS):
    """A disk that has no room for more of the files with a certain ending."""

    def __init__(self, ending: str) -> None:
        self.ending = ending
        super().__init__("full-disk", "", makedefault=True)

    def xOpen(self, name, flags):  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return FullFile(name, flags) if path and path.endswith(self.ending) else super().xOpen(name, flags)


class FullFile(apsw.VFSFile):
    def __init__(self, name, flags) -> None:
        super().__init__("unix", name, flags)

    def xWrite(self, data, offset) -> None:  # noqa: N802
        if offset >= 8 * 1024:
            raise apsw.FullError
        super().xWrite(data, offset)


@pytest.mark.parametrize(
    ("ending", "copies"),
    [
        (".partial", set()),
        ("-wal", {"acme-corp.db.schema-1"}),  # whether a failed commit is on disk can't be told: the copy stays
    ],
)
def test_a_disk_that_fills_up_meanwhile_leaves_the_book_as_it_was(
    older: Ledger, newer: pytest.MonkeyPatch, ending: str, copies: set[str]
) -> None:
    before = rows(older.path)
    default = apsw.vfs_names()[0]
    disk = FullDisk(ending)

    try:
        with pytest.raises(StorageUnavailable, match="Full"):
            Book.open_writer(older.folder, ORG)
    finally:
        apsw.set_default_vfs(default)
        disk.unregister()

    assert (version(older.path), rows(older.path)) == (1, before)
    assert beside(older.path) == {older.path.name} | copies
    older.reopen()
    assert older.findings() == []
    older.close()


def test_a_disk_without_room_for_the_copy_leaves_the_book_as_it_was(older: Ledger, newer: pytest.MonkeyPatch) -> None:
    newer.setattr(files, "free_bytes", lambda folder: 4096)

    with pytest.raises(StorageUnavailable, match="no room"):
        Book.open_writer(older.folder, ORG)

    assert version(older.path) == 1
    assert beside(older.path) == {older.path.name}


def test_what_an_attempt_left_that_was_cut_short_is_in_nobodys_way(older: Ledger, newer: pytest.MonkeyPatch) -> None:
    partial = older.path.with_name("acme-corp.db.schema-1.partial")
    partial.write_bytes(b"half a copy")
    copy_path(older.path, 1).write_bytes(b"a copy of an earlier attempt, older than the book is now")

    Book.open_writer(older.folder, ORG).close()

    assert beside(older.path) == {older.path.name, "acme-corp.db.schema-1"}
    assert version(copy_path(older.path, 1)) == 1


def _touch(folder: Path, told) -> None:
    try:
        connection = Book.open_writer(folder, ORG).connection
        told.put(connection.migrated_from)
        connection.close()
    except BaseException as error:
        told.put(repr(error))
        raise


def test_of_processes_that_touch_it_at_once_one_migrates(older: Ledger, newer: pytest.MonkeyPatch) -> None:
    fork = multiprocessing.get_context("fork")  # so that they are the newer program, too
    told = fork.Queue()
    processes = [fork.Process(target=_touch, args=(older.folder, told)) for _ in range(6)]

    for process in processes:
        process.start()
    heard = [told.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)

    assert sorted(heard, key=str) == [1, None, None, None, None, None]
    older.reopen()
    assert older.findings() == []
    assert len(list(older.reader.connection.execute("select 1 from notes"))) == 2
    older.close()


def test_an_older_registry_keeps_its_orgs_and_keys(tmp_path: Path) -> None:
    registry = Registry.open_writer(tmp_path)
    new = registry.create_org("acme-corp", name=None, currency=None, now=NOON)
    registry.close()

    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        with pytest.raises(SchemaOutdated):
            Registry.open_reader(tmp_path)
        registry = Registry.open_writer(tmp_path)

        assert [key.key_id for key in registry.keys("acme-corp")] == [new.key_id]
        assert version(registry_path(tmp_path)) == 2
        assert version(copy_path(registry_path(tmp_path), 1)) == 1
        registry.close()


def test_an_older_inbox_keeps_what_it_accepted(tmp_path: Path) -> None:
    inbox = Inbox.open(tmp_path)
    item = accepted(description="kept")
    inbox.accept([item])
    inbox.close()

    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        inbox = Inbox.open(tmp_path)

        assert list(inbox.waiting()) == [item]
        assert version(inbox_path(tmp_path)) == 2
        assert version(copy_path(inbox_path(tmp_path), 1)) == 1
        inbox.close()
