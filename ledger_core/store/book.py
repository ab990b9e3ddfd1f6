"""A book: one org's SQLite file, open for its writer or for a reader."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from ledger_core.errors import StorageUnavailable
from ledger_core.store.connection import (
    FileKind,
    open_reader,
    open_writer,
    snapshot,
    storage_errors,
    transaction,
)


class Book:
    """An open book. One thread at a time may use it."""

    def __init__(self, org: str, connection: apsw.Connection) -> None:
        self.org = org
        self.connection = connection

    @classmethod
    def create(cls, folder: Path, org: str, currency: str, now: int) -> None:
        """Create an org's empty book, unless it is there.

        Raises:
            StorageUnavailable: the folder can't be written.
        """
        path = book_path(folder, org)
        with storage_errors(org):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives -wal and -shm the same mode
        connection = open_writer(path, FileKind.BOOK, create=True)
        try:
            with transaction(connection, org):
                connection.execute(
                    "insert into book (id, org, currency, created_at, last_at) values (1, ?, ?, ?, ?)"
                    " on conflict do nothing",
                    (org, currency, now, now),
                )
        finally:
            connection.close()

    @classmethod
    def open_writer(cls, folder: Path, org: str) -> "Book":
        """Open an org's book to write.

        Raises:
            StorageUnavailable: it is missing, foreign, another org's, or can't be opened.
        """
        return cls(org, open_writer(book_path(folder, org), FileKind.BOOK))._checked()

    @classmethod
    def open_reader(cls, folder: Path, org: str) -> "Book":
        """Open an org's book to read.

        Raises:
            StorageUnavailable: it is missing, foreign, another org's, or can't be opened.
        """
        return cls(org, open_reader(book_path(folder, org), FileKind.BOOK))._checked()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write everything of a block, or nothing."""
        with transaction(self.connection, self.org):
            yield

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what a block wrote in a transaction if it raises, and nothing else of the transaction."""
        with self.connection:
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read everything of a block from one state of the book."""
        with snapshot(self.connection, self.org):
            yield

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Run one statement, which sees one state of the book by itself."""
        with storage_errors(self.org):
            yield

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def _checked(self) -> "Book":
        with storage_errors(self.org):
            row = self.connection.execute("select org from book").fetchone()
        if row is None or row[0] != self.org:
            self.close()
            raise StorageUnavailable(f"{self.org}: the book in its place belongs to {row[0] if row else 'nobody'}")
        return self


def book_path(folder: Path, org: str) -> Path:
    """Return where an org's book lies under the data folder."""
    return folder / "books" / f"{org}.db"
