"""The open books of a worker: a bounded cache, the least used closed first."""

import resource
from collections import OrderedDict
from pathlib import Path
from types import TracebackType

import apsw

from ledger_core.errors import OrgNotFound, StorageUnavailable, TooLate
from ledger_core.orgs import SLUG, is_registered
from ledger_core.store.book import Book, book_path
from ledger_core.store.lasting import has_moved
from workers.commits import COMMITS_MAX
from workers.outages import Outages

OPEN_BOOKS_MAX = 560  # of 1,000 orgs over two workers each has about 500; one takes 0.3 MB
BOOK_DESCRIPTORS = 3  # the file, its WAL, and the index of that
HEAVY_BOOKS_MAX = 16  # more, for heavy messages
OTHER_DESCRIPTORS = 64 + BOOK_DESCRIPTORS * HEAVY_BOOKS_MAX  # and sockets, lane locks, the registry, what is set aside
# What SQLite may take of memory: beyond the first, the books that were least used give back the pages that they read,
# and only when that is not enough, beyond the second, they are closed. That keeps the process below 250 MB.
WARM_BYTES_MAX = 148_000_000
SQLITE_BYTES_MAX = 154_000_000
WARM_BOOKS_MIN = 32  # the last used keep their pages in any case, up to 1 MB each
BUSY_TIMEOUT_MS = 1_000  # somebody's shell that locks a book must not hold up its lane for long

assert WARM_BYTES_MAX < SQLITE_BYTES_MAX, "a page that is read again costs less than a book that is opened again"
assert WARM_BOOKS_MIN > COMMITS_MAX, "what is being committed keeps its pages"


class Lent:
    """A block in which an org's book is lent."""

    __slots__ = ("_books", "_org")

    def __init__(self, books: "Books", org: str) -> None:
        self._books = books
        self._org = org

    def __enter__(self) -> Book:
        """Lend it."""
        return self._books.lend(self._org)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take it back."""
        self._books.take_back(self._org, error)


class Books:
    """The open books of a data folder, each for one thread at a time."""

    def __init__(self, folder: Path, outages: Outages, open_max: int = OPEN_BOOKS_MAX) -> None:
        self._folder = folder
        self._outages = outages
        self.open_max = min(open_max, _books_that_fit())
        self._open: OrderedDict[str, Book] = OrderedDict()  # the least used first
        self._warm: OrderedDict[str, Book] = OrderedDict()  # those of them that keep their pages, in that order
        self._lent: set[str] = set()
        self._failed_before: dict[str, int] = {}  # how often each open one's org was set aside before it was opened

    def lent(self, org: str) -> Lent:
        """Lend an org's book for the length of a block. One that fails in it is closed, and its org set aside.

        Raises:
            OrgNotFound: there is no such org.
            StorageUnavailable: its book can't be used, or its org is set aside.
        """
        return Lent(self, org)

    def lend(self, org: str) -> Book:
        """Return an org's book, which stays open until it is taken back. Raises as `lent` does."""
        self._outages.check(org)
        self._lent.add(org)
        try:
            return self.book(org)
        except BaseException as error:
            self.take_back(org, error)
            raise

    def take_back(self, org: str, error: BaseException | None) -> None:
        """Take a book back that was lent, with the error with which its use ended, if it did."""
        self._lent.discard(org)
        if isinstance(error, Exception) and not isinstance(error, OrgNotFound | TooLate):
            self.drop(org)
            if isinstance(error, StorageUnavailable):
                self._outages.begin(org, error)
            else:
                self._outages.suspect(org)

    def book(self, org: str) -> Book:
        """Return an org's book, open for writing.

        Raises:
            OrgNotFound: there is no such org.
            StorageUnavailable: its book can't be opened.
        """
        book = self._open.get(org)
        failed = self._outages.begun(org)  # by the book of another thread, too
        if book is not None and (self._failed_before[org] != failed or has_moved(book.connection)):
            self.drop(org)
            book = None
        if book is None:
            self._make_room()
            book = self._open[org] = self._opened(org)
            self._failed_before[org] = failed
        else:
            self._open.move_to_end(org)
        self._keep_warm(org, book)
        return book

    def drop(self, org: str) -> None:
        """Close an org's book, so that its next use starts afresh."""
        book = self._open.pop(org, None)
        self._warm.pop(org, None)
        self._failed_before.pop(org, None)
        if book is not None:
            book.close()

    def close(self) -> None:
        """Close all books."""
        self._warm.clear()
        while self._open:
            self._open.popitem()[1].close()

    def _make_room(self) -> None:
        """Close the books that were least used, until one more may be opened."""
        self._cool()
        for org in list(self._open):
            if len(self._open) < self.open_max and apsw.memory_used() < SQLITE_BYTES_MAX:
                return
            if org not in self._lent:  # a commit of it may be under way
                self.drop(org)

    def _keep_warm(self, org: str, book: Book) -> None:
        self._warm[org] = book
        self._warm.move_to_end(org)
        self._cool()

    def _cool(self) -> None:
        """Give back the pages of the books that were least used, until there is memory enough."""
        while len(self._warm) > WARM_BOOKS_MIN and apsw.memory_used() > WARM_BYTES_MAX:
            self._warm.popitem(last=False)[1].release_pages()

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


def _books_that_fit() -> int:
    """Return how many books may be open at once by the limit of descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max((soft - OTHER_DESCRIPTORS) // BOOK_DESCRIPTORS, COMMITS_MAX + 1)
