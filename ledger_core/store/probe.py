"""Trying whether a book can be used: its file is opened, read, written, and checked for damage."""

from pathlib import Path
from typing import TypeAlias

import apsw

from ledger_core.errors import StorageUnavailable
from ledger_core.store import load, save
from ledger_core.store.book import Book, book_path
from ledger_core.store.connection import storage_errors

_ILL = (apsw.CorruptError, apsw.NotADBError, apsw.IOError)

Signature: TypeAlias = tuple[tuple[int, ...], ...]


def try_book(folder: Path, org: str, now: int) -> None:
    """Write to an org's book: its clock, and nothing else.

    Raises:
        StorageUnavailable: it can't be opened, or written.
    """
    book = Book.open_writer(folder, org)
    try:
        with book.transaction():
            save.last_at(book.connection, max(now, load.book(book.connection).last_at))
    finally:
        book.close()


def check_book(folder: Path, org: str) -> None:
    """Read every page of an org's book. The time this takes grows with the book.

    Raises:
        StorageUnavailable: it can't be opened or read, or is damaged.
    """
    book = Book.open_reader(folder, org)
    try:
        with storage_errors(org):
            finding = book.connection.execute("pragma integrity_check(1)").get
    finally:
        book.close()
    if finding != "ok":
        raise StorageUnavailable(f"{org}: the book is damaged: {finding}")


def is_ill(folder: Path, org: str, error: StorageUnavailable) -> bool:
    """Tell whether an error says that an org's book is damaged, another's, gone, or on a disk that fails.

    Else it may be this process, or a lock, by which it can't be used just now.
    """
    cause = error.__cause__
    return cause is None or isinstance(cause, _ILL) or not book_path(folder, org).is_file()


def signature(folder: Path, org: str) -> Signature:
    """Return what changes when somebody puts another file in a book's place, or mends it where it is."""
    path = book_path(folder, org)
    found: list[tuple[int, ...]] = []
    for file in (path, path.with_name(path.name + "-wal")):
        try:
            state = file.stat()
            found.append((state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))
        except OSError as error:
            found.append((error.errno or 0,))
    return tuple(found)
