"""What must be well for the ledger to work: the broker, the data folder, and the workers."""

import os
import tempfile
import threading
import time
from pathlib import Path

from intake.auth import Doorkeeper
from intake.broker_watch import BrokerWatch
from ledger_core.errors import StorageUnavailable
from wire import lanes

FRESH_S = 1.0  # anybody may ask, and each check goes to the disk


class Health:
    """Checks what this intake needs. Any thread may use it."""

    def __init__(self, watch: BrokerWatch, doorkeeper: Doorkeeper, folder: Path, lanes: int) -> None:
        self._watch = watch
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
                self._found = {"storage": self._storage(), "workers": self._workers()}
                self._found_at_s = time.monotonic()
            return {"broker": self._watch.cause or "ok", **self._found}

    def _storage(self) -> str:
        try:
            self._doorkeeper.check()
            with tempfile.TemporaryFile(dir=self._folder) as probe:
                probe.write(b"x" * 4096)
                probe.flush()
                os.fsync(probe.fileno())
        except (OSError, StorageUnavailable):
            return "the data folder can't be written"
        return "ok"

    def _workers(self) -> str:
        idle = [lane for lane in range(self._lanes) if not lanes.is_owned(self._folder, lane)]
        return f"no worker for lanes {', '.join(map(str, idle))}" if idle else "ok"
