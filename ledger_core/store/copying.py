"""Copying a file of ours while others use it."""

from contextlib import closing, suppress
from pathlib import Path

import apsw

from ledger_core.errors import StorageUnavailable
from ledger_core.store import files


class NoRoom(StorageUnavailable):
    """The disk has no room for a copy."""


def copy(source: apsw.Connection, target: Path) -> None:
    """Copy what is committed, as one state of it. It is whole and on disk before it has its name.

    Whoever writes meanwhile does not wait. A connection with a transaction under way would copy that, too.

    Raises:
        NoRoom: the copy does not fit.
        OSError, apsw.Error: a file can't be read or written.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        files.remove(partial)  # of an attempt that was cut short
        _check_room(source, partial)
        files.make_file(partial)
        _fill(source, partial)
        files.put_in_place(partial, target)
    except BaseException:
        with suppress(OSError):
            files.remove(partial)
        raise


def _check_room(source: apsw.Connection, partial: Path) -> None:
    needed, free = source.pragma("page_count") * source.pragma("page_size"), files.free_bytes(partial.parent)
    if free < needed:
        raise NoRoom(f"there is no room for that: it takes {needed} bytes, and {free} are free")


def _fill(source: apsw.Connection, partial: Path) -> None:
    with closing(apsw.Connection(str(partial), flags=apsw.SQLITE_OPEN_READWRITE)) as target:
        target.pragma("journal_mode", "off")  # it counts only once it is whole and in its place
        target.pragma("synchronous", 0)
        with target.backup("main", source, "main") as backup:
            backup.step(-1)  # in one step, and so of one state: in several it would begin anew after each commit
