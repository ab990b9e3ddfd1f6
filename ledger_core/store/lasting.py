"""A file that its process keeps open: closed when it fails or is no more what lies at its path, and opened afresh."""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import apsw

from ledger_core.errors import StorageUnavailable
from ledger_core.store.connection import Connection, close, storage_errors


def has_moved(connection: Connection) -> bool:
    """Tell whether the file at a connection's path is another one now, or gone.

    SQLite would go on with the file that it has open, and what is written there is lost when it is closed.
    """
    moved = ctypes.c_int(0)
    connection.file_control("main", apsw.SQLITE_FCNTL_HAS_MOVED, ctypes.addressof(moved))
    return bool(moved.value)


class Lasting:
    """A connection for as long as its process lives. Any thread may use it, one at a time."""

    def __init__(self, open_: Callable[[], Connection], what: str) -> None:
        self._open = open_
        self._what = what
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend the connection for the length of a block, in which the errors of storage are told as such.

        Raises:
            StorageUnavailable: the file can't be opened, or failed; it is opened afresh next time.
        """
        with self._lock:
            connection = self._opened()
            try:
                with storage_errors(self._what):
                    yield connection
            except StorageUnavailable:
                self._close()
                raise

    def close(self) -> None:
        """Close the file. Its next use opens it again."""
        with self._lock:
            self._close()

    def _opened(self) -> Connection:
        if self._connection is not None and has_moved(self._connection):
            self._close()
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            close(connection)
