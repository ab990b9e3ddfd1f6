"""Folders and files that others can read after all, such as ones copied from elsewhere: they are closed to them."""

import logging
import stat
from contextlib import suppress
from pathlib import Path

from ledger_core.errors import StorageUnavailable
from ledger_core.store.files import make_folder

logger = logging.getLogger("ledger.storage")

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_OTHERS = 0o077
_OURS = {"registry.db", "inbox.db", "set_aside.db", "books", "lanes"}  # by any of them a data folder is known


def data_folder(path: Path) -> None:
    """Make a data folder that only this user can enter; one that others can enter is closed to them, with a warning.

    A folder that holds other things is left as it is: whoever else uses them would be locked out.

    Raises:
        StorageUnavailable: others can enter it, and it is not ours to close.
        OSError: it can't be made.
    """
    if path.is_dir() and path.stat().st_mode & _OTHERS:
        names = {item.name for item in path.iterdir()} - {"lost+found"}
        if names and not names & _OURS:
            raise _open_to_others(path, "it holds other things than a ledger")
    private_folder(path)


def private_folder(path: Path) -> None:
    """Make a folder in a data folder, likewise.

    Raises:
        StorageUnavailable: others can enter it, and it is not ours to close.
        OSError: it can't be made.
    """
    make_folder(path)
    mode = path.stat().st_mode
    if not mode & _OTHERS:
        return
    with suppress(OSError):
        path.chmod(FOLDER_MODE)
    if path.stat().st_mode & _OTHERS:  # some file systems take any mode and keep their own
        raise _open_to_others(path, "its mode can't be changed")
    logger.warning("%s could be entered by other users (mode %o); now it is 700", path, stat.S_IMODE(mode))


def close_to_others(path: Path) -> None:
    """Take a file's mode back to 600, with a warning, if there is such a file.

    One that isn't ours is left: its folder keeps others out. A symbolic link is left too: what it leads to is not ours.
    """
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) or not mode & _OTHERS:
            return
        path.chmod(FILE_MODE)
    except OSError:
        return
    logger.warning("%s could be read by other users (mode %o); now it is 600", path, stat.S_IMODE(mode))


def _open_to_others(path: Path, why: str) -> StorageUnavailable:
    return StorageUnavailable(
        f"{path} can be entered by other users, and {why}; choose a data folder that is the ledger's own"
    )
