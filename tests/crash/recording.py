"""Recording what the product does to its files: an SQLite VFS for what SQLite does, and `os` for the rest."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from ledger_core.store import files
from tests.crash.disk import FOLDER, Disk, Event, Link, Rename, Sync, SyncFolder, Truncate, Unlink, Write

_NAME = "recording"
_NEW_JOURNAL = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


class Recording:
    """What was done to the files of a folder, in order. `names` are the files that there are now, by number.

    `lying`: syncs that say that they are done, and do nothing; the checks must find that out.
    `failing`: how many of the next syncs of a WAL fail.
    """

    def __init__(self, root: Path, *, lying: bool = False) -> None:
        self.root = root
        self.before = Disk(root)
        self.names = dict(self.before.names)
        self.events: list[Event] = []
        self._lying = lying
        self._files = len(self.before.files)
        self.failing = 0

    def note(self, event: Event) -> None:
        """Put an event down, unless it is a sync that lies."""
        if not (self._lying and isinstance(event, (Sync, SyncFolder))):
            self.events.append(event)

    def path(self, path: str | os.PathLike[str] | None) -> str | None:
        """Return a path as it is under the root; None when it lies elsewhere."""
        if path is None or not Path(path).is_relative_to(self.root):
            return None
        return str(Path(path).relative_to(self.root))

    def made(self, path: str, *, folder: bool = False) -> None:
        """Put down that a name was made, and what for."""
        number = FOLDER if folder else self._files
        self._files += not folder
        self.names[path] = number
        self.note(Link(path, number))

    def removed(self, path: str) -> None:
        """Put down that a name was removed."""
        del self.names[path]
        self.note(Unlink(path))

    def moved(self, path: str, to: str) -> None:
        """Put down that a name was changed for another."""
        self.names[to] = self.names.pop(path)
        self.note(Rename(path, to))

    def synced_folder(self, path: str) -> None:
        """Put down that the names in a folder were put on disk."""
        self.note(SyncFolder(path))


@contextmanager
def recording(root: Path, *, lying: bool = False) -> Iterator[Recording]:
    """Record what is done to the files below a folder for the length of a block. None of them may be open before."""
    root.mkdir(mode=0o700, exist_ok=True)
    record = Recording(root, lying=lying)
    before = apsw.vfs_names()[0]  # the default comes first
    vfs = _Vfs(before, record)
    files.os = _Os(record)  # type: ignore[assignment,attr-defined]
    try:
        yield record
    finally:
        files.os = os  # type: ignore[attr-defined]
        apsw.set_default_vfs(before)
        vfs.unregister()


class _Vfs(apsw.VFS):
    def __init__(self, base: str, record: Recording) -> None:
        self._base = base
        self._record = record
        super().__init__(_NAME, base, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
        full = name.filename() if isinstance(name, apsw.URIFilename) else name
        path = self._record.path(full)
        if path is None:
            return super().xOpen(name, flags)
        there = Path(full).exists()
        opened = _File(self._base, name, flags, self._record, path)
        if not there:
            self._record.made(path)
        opened.number = self._record.names[path]
        return opened

    def xDelete(self, name: str, sync_folder: bool) -> None:  # noqa: N802
        if not Path(name).exists():
            return  # which SQLite does not mind, but APSW raises
        super().xDelete(name, sync_folder)
        path = self._record.path(name)
        if path is not None:
            self._record.removed(path)
            if sync_folder:
                self._record.synced_folder(str(Path(path).parent))


class _File(apsw.VFSFile):
    def __init__(self, base: str, name: Any, flags: list[int], record: Recording, path: str) -> None:
        self._record = record
        self._folder = str(Path(path).parent)
        # As SQLite's unix VFS does it: the first sync of a journal or WAL that may be new takes its folder with it.
        self._syncs_folder = bool(flags[0] & apsw.SQLITE_OPEN_CREATE and flags[0] & _NEW_JOURNAL)
        self._is_wal = path.endswith("-wal")
        self.number = FOLDER
        super().__init__(base, name, flags)

    def xLock(self, level: int) -> None:  # noqa: N802
        try:
            super().xLock(level)
        except apsw.IOError as error:  # of a reader that is the last to close: SQLite does not mind, but APSW raises
            raise apsw.BusyError from error

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._record.note(Write(self.number, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        super().xTruncate(size)
        self._record.note(Truncate(self.number, size))

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self._record.failing and self._is_wal:
            self._record.failing -= 1
            raise apsw.exception_for(apsw.SQLITE_IOERR_FSYNC)
        super().xSync(flags)
        self._record.note(Sync(self.number))
        if self._syncs_folder:
            self._syncs_folder = False
            self._record.synced_folder(self._folder)


class _Os:
    """Stands in for `os` in `ledger_core.store.files`; what it does not record it leaves to it."""

    def __init__(self, record: Recording) -> None:
        self._record = record
        self._open: dict[int, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def mkdir(self, path: Path, mode: int) -> None:
        os.mkdir(path, mode)  # noqa: PTH102
        relative = self._record.path(path)
        if relative is not None:
            self._record.made(relative, folder=True)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        there = Path(path).exists()
        descriptor = os.open(path, flags, mode)
        relative = self._record.path(path)
        if relative is not None:
            if not there:
                self._record.made(relative)
            self._open[descriptor] = relative
        return descriptor

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        os.close(descriptor)

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)
        path = self._open.get(descriptor)
        if path is None:
            return
        if (self._record.root / path).is_dir():
            self._record.synced_folder(path)
        else:
            self._record.note(Sync(self._record.names[path]))

    def replace(self, path: Path, to: Path) -> None:
        os.replace(path, to)  # noqa: PTH105
        self._record.moved(str(self._record.path(path)), str(self._record.path(to)))

    def unlink(self, path: Path) -> None:
        os.unlink(path)  # noqa: PTH108
        self._record.removed(str(self._record.path(path)))
