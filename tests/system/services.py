"""Another service, as a process of its own: plain Celery, and nothing of the ledger."""

import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

LANES = 4


def queue_of(slug: str) -> str:
    """Return the name of an org's lane, as the contract says."""
    return f"ledger.lane.{zlib.crc32(slug.encode()) % LANES}"


class Service:
    """A process of another service, on a stack's broker."""

    def __init__(self, broker_url: str) -> None:
        script = Path(__file__).with_name("plain_celery.py")
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(script), broker_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def submit(self, org: str, kind: str, command: object, **options: Any) -> dict[str, Any]:
        """Enqueue a command as the contract says, and return the task's result."""
        kwargs = {"org": org, "kind": kind, "command": command}
        return self.send(**{"queue": queue_of(org), "kwargs": kwargs, **options})["result"]  # type: ignore[no-any-return]

    def send(self, name: str = "ledger.submit", timeout_s: int = 30, **options: Any) -> dict[str, Any]:
        """Enqueue a task, and return what came of it; a timeout of 0 does not wait."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"name": name, "timeout_s": timeout_s, **options}) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert told["ours"] == []
        return told

    def end(self) -> None:
        """End the process."""
        self._process.communicate()
