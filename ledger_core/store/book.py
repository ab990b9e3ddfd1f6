"""A book: one org's SQLite file, open for its writer or for a reader."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ledger_core.errors import StorageUnavailable
from ledger_core.store import files
from ledger_core.store.connection import (
    Begun,
    Connection,
    close,
    open_reader,
    open_writer,
    roomy,
    storage_errors,
    transaction,
)
from ledger_core.store.private import data_folder, private_folder
from ledger_core.store.reading import Snapshot, Statement
from ledger_core.store.versions import FileKind


class Book:
    """An open book. One thread at a time may use it."""

    def __init__(self, org: str, connection: Connection) -> None:
        self.org = org
        self.connection = connection
        self._statement = Statement(connection, org)
        self._snapshot = Snapshot(connection, org)
        self._begun = Begun(connection, org)

    @classmethod
    def create(cls, folder: Path, org: str, currency: str, now: int) -> str:
        """Create an org's empty book, unless it is there; return its currency, which may then be another one.

        Raises:
            StorageUnavailable: the folder can't be written.
        """
        path = book_path(folder, org)
        with storage_errors(org):
            data_folder(folder)
            private_folder(path.parent)
            files.make_file(path)
        connection = open_writer(path, FileKind.BOOK, create=True)
        try:
            with transaction(connection, org):
                connection.execute(
                    "insert into book (id, org, currency, created_at, last_at) values (1, ?, ?, ?, ?)"
                    " on conflict do nothing",
                    (org, currency, now, now),
                )
                row = connection.execute("select currency from book").fetchone()
                assert row is not None, "it is there now"
                return str(row[0])
        finally:
            connection.close()

    @classmethod
    def open_writer(cls, folder: Path, org: str) -> "Book":
        """Open an org's book to write, and bring it up to date if it is an older program's.

        Raises:
            StorageUnavailable: it is missing, foreign, a newer program's, another org's, or can't be opened.
        """
        return cls(org, open_writer(book_path(folder, org), FileKind.BOOK))._checked()

    @classmethod
    def open_reader(cls, folder: Path, org: str) -> "Book":
        """Open an org's book to read.

        Raises:
            SchemaOutdated: it is an older program's.
            StorageUnavailable: it is missing, foreign, a newer program's, another org's, or can't be opened.
        """
        return cls(org, open_reader(book_path(folder, org), FileKind.BOOK))._checked()

    def transaction(self) -> AbstractContextManager[None]:
        """Write everything of a block, or nothing."""
        return transaction(self.connection, self.org)

    def begun(self, *, is_large: bool) -> AbstractContextManager[Callable[[], None]]:
        """Write everything of a block once it calls what it is given, in whichever thread; else nothing.

        `is_large`: that is more than a few pages.
        """
        return self._begun_with_room() if is_large else self._begun

    @contextmanager
    def _begun_with_room(self) -> Iterator[Callable[[], None]]:
        with self._begun as commit, roomy(self.connection):
            yield commit

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what a block wrote in a transaction if it raises, and nothing else of the transaction."""
        with self.connection:
            yield

    def snapshot(self) -> Snapshot:
        """Read everything of a block from one state of the book."""
        return self._snapshot

    def errors(self) -> Statement:
        """Run one statement, which sees one state of the book by itself."""
        return self._statement

    def release_pages(self) -> None:
        """Give back the memory of the pages that were read, which are read again when they are needed."""
        self.connection.release_memory()

    def close(self) -> None:
        """Close the file."""
        close(self.connection)

    def _checked(self) -> "Book":
        with storage_errors(self.org):
            row = self.connection.execute("select org from book", can_cache=False).fetchone()
        if row is None or row[0] != self.org:
            self.close()
            raise StorageUnavailable(f"{self.org}: the book in its place belongs to {row[0] if row else 'nobody'}")
        return self


def book_path(folder: Path, org: str) -> Path:
    """Return where an org's book lies under the data folder."""
    return folder / "books" / f"{org}.db"
