"""Books open for reading: a bounded pool, each lent to one request at a time."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from ledger_core.errors import SchemaOutdated, StorageUnavailable
from ledger_core.store.book import Book
from ledger_core.store.lasting import has_moved
from ledger_core.store.probe import is_ill

IDLE_BOOKS_MAX = 256  # about 3 descriptors and 0.2 MB each


class Readers:
    """The books of a data folder, open to read. Any thread may use it.

    `on_ill` is told of each time that a book was found to be ill: see `is_ill`.
    """

    def __init__(
        self,
        folder: Path,
        idle_max: int = IDLE_BOOKS_MAX,
        on_ill: Callable[[str, StorageUnavailable], None] = lambda org, error: None,
    ) -> None:
        self._folder = folder
        self._on_ill = on_ill
        self._idle_max = idle_max
        self._lock = threading.Lock()
        self._idle: OrderedDict[int, Book] = OrderedDict()  # by identity, the least used first
        self._by_org: dict[str, list[Book]] = {}

    def book(self, org: str) -> "Loan":
        """Lend an org's book for the length of a block. One that failed in it is closed, and opened afresh next time.

        Raises:
            StorageUnavailable: it can't be opened.
        """
        return Loan(self, org)

    def take(self, org: str) -> Book:
        """Lend an org's book until it is given back.

        Raises:
            StorageUnavailable: it can't be opened.
        """
        try:
            return self.take_open(org) or self._opened(org)
        except StorageUnavailable as error:
            self.failed(org, error)
            raise

    def failed(self, org: str, error: StorageUnavailable) -> None:
        """Take note of how a book could not be read."""
        if is_ill(self._folder, org, error):
            self._on_ill(org, error)

    def take_open(self, org: str) -> Book | None:
        """Lend an org's book until it is given back, if one is open and idle: nothing waits for a file to be opened."""
        book = self._take(org)
        if book is not None and has_moved(book.connection):
            book.close()  # what it has open is not what lies there, and what others write is not in it
            return None
        return book

    def is_at_hand(self, org: str) -> bool:
        """Tell whether an org's book is open and idle."""
        return org in self._by_org

    def give_back(self, book: Book) -> None:
        """Keep a book for the next who asks, and close the one that nobody asked for the longest, if there are many."""
        with self._lock:
            self._idle[id(book)] = book
            self._by_org.setdefault(book.org, []).append(book)
            if len(self._idle) <= self._idle_max:
                return
            _, oldest = self._idle.popitem(last=False)
            books = self._by_org[oldest.org]
            books.remove(oldest)
            if not books:
                del self._by_org[oldest.org]
        oldest.close()

    def close(self) -> None:
        """Close all books that are not lent."""
        with self._lock:
            for book in self._idle.values():
                book.close()
            self._idle.clear()
            self._by_org.clear()

    def _opened(self, org: str) -> Book:
        try:
            return Book.open_reader(self._folder, org)
        except SchemaOutdated:  # the first touch after an upgrade may be a read, and for some orgs the only one
            Book.open_writer(self._folder, org).close()
            return Book.open_reader(self._folder, org)

    def _take(self, org: str) -> Book | None:
        with self._lock:
            books = self._by_org.get(org)
            if not books:
                return None
            book = books.pop()
            if not books:
                del self._by_org[org]
            del self._idle[id(book)]
            return book


class Loan:
    """A book that is lent for the length of a block."""

    def __init__(self, readers: Readers, org: str) -> None:
        self._readers = readers
        self._org = org

    def __enter__(self) -> Book:
        """Lend it."""
        self._book = self._readers.take(self._org)
        return self._book

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take it back."""
        if isinstance(error, StorageUnavailable):
            self._book.close()
            self._readers.failed(self._org, error)
        else:
            self._readers.give_back(self._book)
