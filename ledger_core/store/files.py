"""Folders and files as the system keeps them: only their owner gets in, and power loss does not undo that they exist.

A new name is on disk only once its folder was synced; syncing the file alone is not enough (fsync(2)).
"""

import os
from contextlib import suppress
from pathlib import Path


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, with all above it, unless it is there.

    Raises:
        OSError: it can't be made.
    """
    if path.is_dir():
        with suppress(OSError):  # of a folder above that is not ours to read
            sync_folder(path.parent)  # whoever made this one may have been killed before that
        return
    if path.parent != path:
        make_folder(path.parent)
    try:
        os.mkdir(path, 0o700)  # noqa: PTH102  # as all of this module: what tests of power loss stand in for is `os`
    except FileExistsError:
        if not path.is_dir():
            raise
    sync_folder(path.parent)


def make_file(path: Path) -> None:
    """Make an empty file that only its owner may open, unless it is there.

    One that is there is not even opened: closing it would let go of the locks that SQLite has on it in this process.
    SQLite gives what it puts beside a file (-wal, -shm, -journal) the same mode.

    Raises:
        OSError: it can't be made.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    os.close(descriptor)
    sync_folder(path.parent)


def put_in_place(made: Path, path: Path) -> None:
    """Put a file that is whole into its place, on disk: after a crash what was there before is there, or it is.

    Raises:
        OSError: it can't be done.
    """
    descriptor = os.open(made, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(made, path)  # noqa: PTH105
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file, if it is there.

    Raises:
        OSError: it can't be removed.
    """
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108


def sync_folder(path: Path) -> None:
    """Put on disk which names are in a folder.

    Raises:
        OSError: it can't be done.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_bytes(folder: Path) -> int:
    """Return how much more may be written to a folder's disk.

    Raises:
        OSError: it can't be told.
    """
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
