"""The journal: every request, every answer and every fault, in a file outside the ledger that is only appended to."""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

SYNC_EVERY_S = 0.05


class Write(NamedTuple):
    """A write that a caller set out to make. `tag` is its own: what it makes carries it, and so tells whose it is.

    `key` is the idempotency key, None for a task that its task id alone names; `address` the id of its URL.
    """

    tag: str
    org: str
    kind: str
    fields: dict[str, Any]
    address: int | None
    key: str | None


class Answer(NamedTuple):
    """What came back for a write. `status` is HTTP's; `took_s` how long the caller waited; `at_s` monotonic."""

    tag: str
    caller: str
    status: int
    body: str
    replayed: bool
    operation: str | None
    took_s: float
    at_s: float


class Lost(NamedTuple):
    """No answer came back, so nobody knows what became of that attempt, unless it never left (`sent` False)."""

    tag: str
    caller: str
    cause: str
    sent: bool
    took_s: float
    at_s: float


class Poll(NamedTuple):
    """What an operation was said to be when somebody asked. `body` is its result or its error."""

    tag: str
    operation: str
    status: str
    http_status: int | None
    body: str | None


class Read(NamedTuple):
    """What a read said of the thing that a write was just answered with."""

    tag: str
    status: int
    body: str


class Fault(NamedTuple):
    """A fault that struck, and why it could not, if it could not."""

    fault: str
    length_s: float
    failed: str | None


Record = Write | Answer | Lost | Poll | Read | Fault
_KINDS: dict[str, Any] = {kind.__name__: kind for kind in (Write, Answer, Lost, Poll, Read, Fault)}


class Journal:
    """A journal that is being written. Any thread may append; what was appended is on disk a moment later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._closing = threading.Event()
        self._syncer = threading.Thread(target=self._sync, name="journal", daemon=True)
        self._syncer.start()

    def append(self, record: Record) -> None:
        """Append a record: the file has it when this returns, however this process ends."""
        line = json.dumps([type(record).__name__, *record]).encode() + b"\n"
        written = os.write(self._file, line)
        assert written == len(line), "the disk of the journal is full"

    def close(self) -> None:
        """Put everything on disk, and close the file."""
        self._closing.set()
        self._syncer.join()
        os.close(self._file)

    def _sync(self) -> None:
        ended = False
        while not ended:
            ended = self._closing.wait(SYNC_EVERY_S)
            os.fsync(self._file)


def read(path: Path) -> Iterator[Record]:
    """Yield the records of a journal, in their order."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            kind, *fields = json.loads(line)
            yield _KINDS[kind](*fields)


def monotonic_s() -> float:
    """Return the instant that a record carries."""
    return round(time.monotonic(), 6)
