"""Owning lanes: an exclusive `flock` for each, which the kernel gives back however its holder ends."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from ledger_core.store.connection import storage_errors
from ledger_core.store.private import data_folder, private_folder
from wire.lanes import lock_path


class LaneLocks:
    """The lanes that this process owns, and waits for. What it owns it keeps until it ends.

    Raises:
        StorageUnavailable: the data folder can't be used.
    """

    def __init__(self, folder: Path, lanes: Iterable[int]) -> None:
        self._changed = threading.Condition()
        self._owned: set[int] = set()
        self._on_owned: Callable[[int], None] = lambda _: None
        with storage_errors("data folder"):
            data_folder(folder)
        for lane in lanes:
            self._contend(lock_path(folder, lane), lane)

    def wait_for_one(self) -> set[int]:
        """Wait until this process owns a lane at least, and return those that it then owns."""
        with self._changed:
            self._changed.wait_for(lambda: self._owned)
            return set(self._owned)

    def owns(self, lane: int) -> bool:
        """Tell whether this process owns a lane."""
        return lane in self._owned

    def follow(self, on_owned: Callable[[int], None]) -> None:
        """Tell of each lane that this process owns, now and as it falls to it. Replaces whoever was told before."""
        with self._changed:
            self._on_owned = on_owned
            for lane in self._owned:
                on_owned(lane)

    def _contend(self, path: Path, lane: int) -> None:
        """Take a lane if nobody owns it; else stand by for it in the background, and take it when its owner ends."""
        with storage_errors("lane locks"):
            private_folder(path.parent)
            descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            name = f"standby-{lane}"
            threading.Thread(target=self._stand_by, args=(descriptor, lane), name=name, daemon=True).start()
        else:
            self._owned.add(lane)

    def _stand_by(self, descriptor: int, lane: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with self._changed:
            self._owned.add(lane)
            self._changed.notify_all()
            self._on_owned(lane)
