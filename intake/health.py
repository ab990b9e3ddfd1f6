"""What must be well for the ledger to work: the broker, the data folder, and the workers."""

import os
import tempfile
import threading
import time
from pathlib import Path

from intake.acceptance import Acceptance
from intake.aside import Aside
from intake.auth import Doorkeeper
from intake.broker_watch import BrokerWatch
from ledger_core.errors import StorageUnavailable
from wire import lanes

NEEDED = ("broker", "storage", "workers")  # without one of these nothing can be written; the others are told
FRESH_S = 1.0  # anybody may ask, and each check goes to the disk


class Health:
    """Checks what this intake needs. Any thread may use it."""

    def __init__(
        self,
        watch: BrokerWatch,
        doorkeeper: Doorkeeper,
        folder: Path,
        lanes: int,
        acceptance: Acceptance,
        aside: Aside,
    ) -> None:
        self._watch = watch
        self._acceptance = acceptance
        self._aside = aside
        self._doorkeeper = doorkeeper
        self._folder = folder
        self._lanes = lanes
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._found_at_s = float("-inf")

    def run(self) -> dict[str, str]:
        """Check everything; each check comes to `ok` or to what is wrong. The disk is asked once a second at most."""
        with self._lock:
            if time.monotonic() - self._found_at_s >= FRESH_S:
                self._found = {
                    "storage": self._storage(),
                    "workers": self._workers(),
                    "inbox": self._inbox(),
                    "books": _counted(self._aside.orgs, "org is", "orgs are"),
                    "set_aside": self._items(),
                }
                self._found_at_s = time.monotonic()
            return {"broker": self._watch.cause or "ok", **self._found}

    def _storage(self) -> str:
        try:
            self._doorkeeper.check()
        except StorageUnavailable:
            return "the registry can't be read"
        try:
            for folder in (self._folder, self._folder / "books"):
                if folder.is_dir():
                    _write(folder)
        except OSError:
            return "the data folder can't be written"
        return "ok"

    def _inbox(self) -> str:
        try:
            self._acceptance.check()
        except StorageUnavailable:
            return "writes can't be accepted before they are applied"
        return "ok"

    def _items(self) -> str:
        if not self._aside.readable:
            return "what is set aside can't be read"
        return _counted(self._aside.items, "item is", "items are")

    def _workers(self) -> str:
        idle = [lane for lane in range(self._lanes) if not lanes.is_owned(self._folder, lane)]
        return f"no worker for lanes {', '.join(map(str, idle))}" if idle else "ok"


def _write(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"x" * 4096)
        probe.flush()
        os.fsync(probe.fileno())


def _counted(count: int, one: str, several: str) -> str:
    """Write how many are set aside: by number only, since anybody may ask."""
    return "ok" if count == 0 else f"{count} {one if count == 1 else several} set aside; see: ledgerctl set-aside"
