"""A WAL that is longer than what was committed: a sync of what is written over is cheaper than one of a longer file.

For a file that grew, the system syncs its own records too: of small commits over many books that was a third of what
the system had to do.
"""

import os
from contextlib import suppress
from functools import lru_cache

import apsw

PAGES_FIRST = 16  # that a connection writes before it does this: one that writes a little gains nothing
PAGES_AHEAD = 64  # by which a file is made longer
PAGES_SPARE = 16  # of those that are left when it is done again, more than most commits write
PAGES_MAX = 1_000  # then SQLite folds the WAL in, and begins it anew

_FRAME_HEADER_BYTES = 24  # sqlite.org/fileformat2.html#the_write_ahead_log


class Lengthening:
    """Makes the WAL of one connection longer, now and then."""

    __slots__ = ("_due_at",)

    def __init__(self) -> None:
        self._due_at = PAGES_FIRST

    def look(self, connection: apsw.Connection, page_bytes: int) -> None:
        """Make the WAL longer if what was committed comes near its end, in a transaction that has written nothing yet.

        Whoever holds the lock of writers is alone in adding to the file, so nothing lies behind its end. Zeros are no
        frames: whoever reads the file anew, be it after a crash, goes no further than what was committed.
        """
        written, _ = connection.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE)
        if written >= self._due_at:
            self._due_at = written + PAGES_AHEAD - PAGES_SPARE
            with suppress(OSError):  # then it grows with each commit
                _lengthen(connection.filename_wal, page_bytes + _FRAME_HEADER_BYTES)


def _lengthen(path: str, frame_bytes: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        added = min(PAGES_AHEAD * frame_bytes, PAGES_MAX * frame_bytes - size)
        if added > 0 and not _is_added(descriptor, added, size):
            os.ftruncate(descriptor, size)  # the last of a disk is for what is committed
    finally:
        os.close(descriptor)


def _is_added(descriptor: int, added: int, size: int) -> bool:
    try:
        return os.pwrite(descriptor, _zeros(added), size) == added
    except OSError:
        return False


@lru_cache(maxsize=2)  # nearly always as many
def _zeros(count: int) -> bytes:
    return bytes(count)
