"""A migration that fails, or is cut short, leaves the file as it was."""

import apsw
import pytest

from ledger_core.errors import StorageUnavailable
from ledger_core.store import files
from ledger_core.store.book import Book
from ledger_core.store.migrate import copy_path
from tests import newer_program
from tests.ledger_core.builders import ORG, Ledger
from tests.ledger_core.store.on_disk import beside, rows, version

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
        with pytest.raises(StorageUnavailable, match="from schema 2 to 3, and stays as it was"):
            Book.open_writer(older.folder, ORG)

    assert (version(older.path), rows(older.path)) == (2, before)
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
        ("-wal", {"acme-corp.db.schema-2"}),  # whether a failed commit is on disk can't be told: the copy stays
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

    assert (version(older.path), rows(older.path)) == (2, before)
    assert beside(older.path) == {older.path.name} | copies
    older.reopen()
    assert older.findings() == []
    older.close()


def test_a_disk_without_room_for_the_copy_leaves_the_book_as_it_was(older: Ledger, newer: pytest.MonkeyPatch) -> None:
    newer.setattr(files, "free_bytes", lambda folder: 4096)

    with pytest.raises(StorageUnavailable, match="no room"):
        Book.open_writer(older.folder, ORG)

    assert version(older.path) == 2
    assert beside(older.path) == {older.path.name}


def test_what_an_attempt_left_that_was_cut_short_is_in_nobodys_way(older: Ledger, newer: pytest.MonkeyPatch) -> None:
    partial = older.path.with_name("acme-corp.db.schema-2.partial")
    partial.write_bytes(b"half a copy")
    copy_path(older.path, 2).write_bytes(b"a copy of an earlier attempt, older than the book is now")

    Book.open_writer(older.folder, ORG).close()

    assert beside(older.path) == {older.path.name, "acme-corp.db.schema-2"}
    assert version(copy_path(older.path, 2)) == 2
