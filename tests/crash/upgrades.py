"""An upgrade that loses its power: each file is as it was or as it should be, and a copy of what it was is there."""

import shutil
from pathlib import Path

import apsw
import pytest

from ledger_core.inbox import Inbox, inbox_path
from ledger_core.orgs import Registry, registry_path
from ledger_core.store.book import Book, book_path
from ledger_core.store.migrate import copy_path
from ledger_core.store.versions import FileKind
from ledger_core.upgrade import upgrade
from ledger_core.verify import verify
from tests import newer_program
from tests.crash.disk import Answered, Submitted
from tests.crash.recording import Recording
from tests.crash.turns import Turns
from tests.ledger_core.builders import CASH, NOON, ORG, Ledger, answer
from tests.ledger_core.test_inbox import accepted

OTHER = "globex"


class Upgrade:
    """A data folder of an older program, which the newer one upgrades. Step 0: nothing yet; 1: all is upgraded."""

    def __init__(self, folder: Path, turns: int) -> None:
        """Fill a folder. One book is as a crash leaves it: what was written last is in its WAL alone."""
        before = folder.with_name("before")
        registry = Registry.open_writer(before)
        self._keys = [registry.create_org(slug, name=None, currency=None, now=NOON) for slug in (ORG, OTHER)]
        registry.close()
        self._waiting = [accepted(description="kept") for _ in range(3)]
        inbox = Inbox.open(before)
        inbox.accept(self._waiting)
        inbox.close()
        driver = Ledger(before)
        source = Turns(driver, seed=1)
        self._told = []
        for _ in range(turns):
            sent = source.next()
            outcomes = driver.apply(*sent)
            source.learn(sent, outcomes)
            self._told += [(item, answer(outcome)) for item, outcome in zip(sent, outcomes, strict=True)]
        shutil.copytree(before, folder, ignore=shutil.ignore_patterns("*-shm"))
        assert (folder / "books" / f"{ORG}.db-wal").stat().st_size > 0
        driver.close()
        self._now = driver.now
        paths = (book_path(before, ORG), book_path(before, OTHER), registry_path(before), inbox_path(before))
        self._before = {path.relative_to(before): (schema_version(path), rows(path)) for path in paths}

    def run(self, record: Recording) -> None:
        """Upgrade everything, as the newer program does it."""
        record.note(Answered(0))
        record.note(Submitted(1))
        assert all(done.copy and not done.problem for done in upgrade(record.root))
        record.note(Answered(1))

    def check(self, folder: Path, answered: int, submitted: int) -> None:
        """Check what power loss left: file by file; then that the upgrade goes on, and everything is there."""
        looked_at = folder.with_name(f"{folder.name}-looked-at")  # looking folds the WAL in
        shutil.copytree(folder, looked_at)
        try:
            for path, (older, before) in self._before.items():
                self._is_old_or_new(looked_at / path, older, before, answered)
            self._older_program_still_reads(looked_at)
        finally:
            shutil.rmtree(looked_at)
        assert not [done.problem for done in upgrade(folder) if done.problem]
        self._all_is_there(folder)

    @staticmethod
    def _is_old_or_new(path: Path, older: int, before: object, answered: int) -> None:
        version = schema_version(path)
        assert version in ((older + 1,) if answered == 1 else (older, older + 1)), f"{path.name} has schema {version}"
        assert rows(path) == before, f"{path.name} is not what it was"
        if version != older:
            copy = copy_path(path, older)
            assert (schema_version(copy), rows(copy)) == (older, before), f"the copy of {path.name} is not what it was"

    def _older_program_still_reads(self, folder: Path) -> None:
        if schema_version(book_path(folder, OTHER)) == newer_program.OURS[FileKind.BOOK]:
            with pytest.MonkeyPatch.context() as patch:
                newer_program.uninstall(patch)
                book = Book.open_writer(folder, OTHER)
                assert verify(book).findings == []
                book.close()

    def _all_is_there(self, folder: Path) -> None:
        driver = _driver_of(folder)
        try:
            again = [item._replace(submission=-number) for number, (item, _) in enumerate(self._told, start=1)]
            driver.now = self._now
            assert [answer(outcome) for outcome in driver.apply(*again)] == [told for _, told in self._told]
            assert driver.account() > CASH
            assert driver.findings() == []
        finally:
            driver.close()
        registry = Registry.open_reader(folder)
        assert [registry.keys(new.org)[0].key_id for new in self._keys] == [new.key_id for new in self._keys]
        registry.close()
        inbox = Inbox.open(folder)
        assert list(inbox.waiting()) == self._waiting
        inbox.close()


def rows(path: Path) -> object:
    """Return all rows of a file's own tables, without what the newer program adds."""
    connection = apsw.Connection(str(path))
    try:
        return {
            table: [row[:width] for row in connection.execute(f"select * from {table}")]
            for table, width in newer_program.WIDTHS.items()
            if connection.table_exists(None, table)
        }
    finally:
        connection.close()


def schema_version(path: Path) -> int:
    """Return a file's schema version."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        return int(connection.pragma("user_version"))
    finally:
        connection.close()


def _driver_of(folder: Path) -> Ledger:
    driver = Ledger.__new__(Ledger)
    driver.folder, driver.org, driver.now = folder, ORG, NOON
    driver.book, driver.reader = Book.open_writer(folder, ORG), Book.open_reader(folder, ORG)
    driver._submissions = iter(range(1 << 40, 1 << 41))
    return driver
