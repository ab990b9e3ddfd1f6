"""The open books of a worker: a bounded cache, the least used closed first."""

from collections import OrderedDict
from pathlib import Path

from ledger_core.errors import OrgNotFound, StorageUnavailable
from ledger_core.orgs import SLUG, Registry
from ledger_core.store.book import Book, book_path

OPEN_BOOKS_MAX = 320  # about 3 descriptors and 0.4 MB each


class Books:
    """The open books of a data folder, each for one thread at a time."""

    def __init__(self, folder: Path, open_max: int = OPEN_BOOKS_MAX) -> None:
        self._folder = folder
        self._open_max = open_max
        self._open: OrderedDict[str, Book] = OrderedDict()

    def book(self, org: str) -> Book:
        """Return an org's book, open for writing.

        Raises:
            OrgNotFound: there is no such org.
            StorageUnavailable: its book can't be opened.
        """
        book = self._open.get(org)
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
            return Book.open_writer(self._folder, org)
        except StorageUnavailable:
            if not book_path(self._folder, org).exists() and not self._registered(org):
                raise OrgNotFound(org) from None
            raise

    def _registered(self, org: str) -> bool:
        registry = Registry.open_reader(self._folder)
        try:
            return registry.org(org) is not None
        finally:
            registry.close()
