"""What an entry takes on disk, with all that belongs to it: lines, indexes, its hash, its operation."""

import uuid
from pathlib import Path

from bench import books
from bench.failures import Failure
from ledger_core.store.book import Book, book_path
from ledger_core.verify import verify

ORG = "disk"
ACCOUNTS = 1_000
ENTRIES = 20_000


def bytes_per_entry(folder: Path) -> float:
    """Fill a book with entries of two lines, each with a key of 36 characters, and return what each takes.

    Raises:
        Failure: the book is not right.
    """
    Book.create(folder, ORG, "USD", 0)
    book = Book.open_writer(folder, ORG)
    try:
        books.write(book, books.openings(ACCOUNTS))
        empty = _size(book, folder)
        pairs = books.pairs(ACCOUNTS, ENTRIES)
        books.write(book, [books.entry(pair, 50_000, str(uuid.uuid4())) for pair in pairs])
        if found := verify(book).findings:
            raise Failure(f"the book is not right: {found}")
        return (_size(book, folder) - empty) / ENTRIES
    finally:
        book.close()


def _size(book: Book, folder: Path) -> int:
    """Return the size of the file with all that was committed in it, and nothing left beside it."""
    book.connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    return book_path(folder, ORG).stat().st_size
