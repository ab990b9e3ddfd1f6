"""Which `ledgerctl up` serves a data folder, and what became of the last restart that it was asked for."""

import fcntl
import json
import os
from pathlib import Path
from typing import NamedTuple

from ledgerctl.options import Failed

LOCK = "up.lock"  # locked for as long as it runs
FACTS = "up.json"


class Presence(NamedTuple):
    """A running `ledgerctl up`: its process, how many restarts it has done, and what did not start in the last one."""

    pid: int
    restarts: int = 0
    failed: tuple[str, ...] = ()


def own(data: Path) -> int:
    """Be the one `ledgerctl up` of a data folder, until the returned descriptor is closed.

    Raises:
        Failed: there is another one.
    """
    descriptor = os.open(data / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Failed(f"another ledgerctl up serves {data} already") from None
    return descriptor


def tell(data: Path, presence: Presence) -> None:
    """Write down what there is to know. Only the owner may."""
    draft = data / f"{FACTS}.draft"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(presence._asdict()), encoding="utf-8")
    draft.rename(data / FACTS)


def find(data: Path) -> Presence:
    """Return the `ledgerctl up` that serves a data folder now.

    Raises:
        Failed: there is none.
    """
    none = Failed(f"no ledgerctl up serves {data}; start one with: ledgerctl up --data {data}")
    try:
        descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        raise none from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(data / FACTS)
    finally:
        os.close(descriptor)
    raise none


def _read(path: Path) -> Presence:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return Presence(int(facts["pid"]), int(facts["restarts"]), tuple(facts["failed"]))
    except (OSError, ValueError, KeyError) as error:
        raise Failed(f"ledgerctl up is starting, and has not written {path} yet; try again") from error
