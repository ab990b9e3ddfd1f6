"""The open books of a worker: a bounded cache, the least used closed first."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger_core.errors import OrgNotFound, StorageUnavailable, TooLate
from ledger_core.orgs import SLUG, is_registered
from ledger_core.store.book import Book, book_path
from ledger_core.store.lasting import has_moved
from workers.outages import Outages

OPEN_BOOKS_MAX = 320  # about 3 descriptors and 0.4 MB each
BUSY_TIMEOUT_MS = 1_000  # somebody's shell that locks a book must not hold up its lane for long


class Books:
    """The open books of a data folder, each for one thread at a time."""

    def __init__(self, folder: Path, outages: Outages, open_max: int = OPEN_BOOKS_MAX) -> None:
        self._folder = folder
        self._outages = outages
        self._open_max = open_max
        self._open: OrderedDict[str, Book] = OrderedDict()

    @contextmanager
    def lent(self, org: str) -> Iterator[Book]:
        """Lend an org's book for the length of a block. One that fails in it is closed, and its org set aside.

        Raises:
            OrgNotFound: there is no such org.
            StorageUnavailable: its book can't be used, or its org is set aside.
        """
        self._outages.check(org)
        try:
            yield self.book(org)
        except (OrgNotFound, TooLate):
            raise
        except StorageUnavailable as error:
            self.drop(org)
            self._outages.begin(org, error)
            raise
        except Exception:
            self.drop(org)
            self._outages.suspect(org)
            raise

    def book(self, org: str) -> Book:
        """Return an org's book, open for writing.

        Raises:
            OrgNotFound: there is no such org.
            StorageUnavailable: its book can't be opened.
        """
        book = self._open.get(org)
        if book is not None and has_moved(book.connection):
            self.drop(org)
            book = None
        if book is None:
            book = self._open[org] = self._opened(org)
            if len(self._open) > self._open_max:
                self._open.popitem(last=False)[1].close()
        else:
            self._open.move_to_end(org)
        return book

    def drop(self, org: str) -> None:
        """Close an org's book, so that its next use starts afresh."""
        book = self._open.pop(org, None)
        if book is not None:
            book.close()

    def close(self) -> None:
        """Close all books."""
        while self._open:
            self._open.popitem()[1].close()

    def _opened(self, org: str) -> Book:
        if not SLUG.fullmatch(org):
            raise OrgNotFound(org)
        try:
            book = Book.open_writer(self._folder, org)
        except StorageUnavailable:
            if not book_path(self._folder, org).exists() and not is_registered(self._folder, org):
                raise OrgNotFound(org) from None
            raise
        book.connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        return book
