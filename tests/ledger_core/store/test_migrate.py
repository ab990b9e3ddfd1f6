"""A file of an older program is brought up to date when it is first touched, once, whole or not at all."""

import multiprocessing
from pathlib import Path

import pytest

from ledger_core.errors import SchemaOutdated
from ledger_core.inbox import Inbox, inbox_path
from ledger_core.orgs import Registry, registry_path
from ledger_core.store.book import Book, book_path
from ledger_core.store.migrate import copy_path
from ledger_core.store.versions import STEPS, FileKind
from tests import newer_program
from tests.ledger_core.builders import CASH, CUSTOMERS, NOON, ORG, SECOND, Ledger, answer, posting
from tests.ledger_core.store.on_disk import beside, rows, version
from tests.ledger_core.test_inbox import accepted


def test_an_older_book_is_brought_up_to_date_and_stays_what_it_was(older: Ledger, newer: pytest.MonkeyPatch) -> None:
    before = rows(older.path)

    older.reopen()

    assert version(older.path) == 3
    assert rows(older.path) == before
    assert older.findings() == []
    assert older.post((CASH, 7, "debit"), (CUSTOMERS, 7, "credit")).id == 6
    assert older.findings() == []
    older.close()


def test_a_book_of_the_first_schema_goes_on(tmp_path: Path) -> None:
    """What it writes is the same; the index of times goes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STEPS, FileKind.BOOK, STEPS[FileKind.BOOK][:1])
        older = Ledger(tmp_path)
        older.account(type="asset", name="Cash")
        older.account(type="liability", name="Customers")
        for _ in range(3):
            older.post((CASH, 7, "debit"), (CUSTOMERS, 7, "credit"))
            older.pass_s(1)
        older.close()
    before = rows(older.path)

    older.reopen()

    assert (version(older.path), version(copy_path(older.path, 1))) == (2, 1)
    assert rows(older.path) == rows(copy_path(older.path, 1)) == before
    assert older.findings() == []
    assert older.post((CASH, 7, "debit"), (CUSTOMERS, 7, "credit")).id == 4
    assert older.balance(CASH, at=NOON + SECOND).total == 14
    assert not list(older.reader.connection.execute("select 1 from sqlite_schema where name = 'entries_by_time'"))
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

    copy = copy_path(older.path, 2)
    assert copy.name == "acme-corp.db.schema-2"
    assert beside(older.path) == {older.path.name, copy.name}
    assert copy.stat().st_mode & 0o777 == 0o600
    assert version(copy) == 2
    assert rows(copy) == before


def test_the_copy_put_back_is_a_whole_book_of_the_older_program(older: Ledger) -> None:
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        older.reopen()
        older.close()

    copy_path(older.path, 2).replace(older.path)
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
    assert rows(copy_path(older.path, 2)) == before
    older.close()


def test_a_new_book_needs_no_copy(tmp_path: Path, newer: pytest.MonkeyPatch) -> None:
    Book.create(tmp_path, "other", "USD", NOON)

    assert version(book_path(tmp_path, "other")) == 3
    assert not copy_path(book_path(tmp_path, "other"), 0).exists()


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

    assert sorted(heard, key=str) == [2, None, None, None, None, None]
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
