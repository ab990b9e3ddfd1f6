"""Lanes: each org's writes go through one Celery queue, and one worker at a time takes from it."""

import fcntl
import os
import zlib
from pathlib import Path

LANES_DEFAULT = 4
LANE_PREFIX = "ledger.lane."


def lane_of(org: str, lanes: int) -> int:
    """Return the number of an org's lane: CRC-32 of its slug, modulo the number of lanes."""
    return zlib.crc32(org.encode()) % lanes


def queue_of(lane: int) -> str:
    """Return the name of a lane's Celery queue."""
    return f"{LANE_PREFIX}{lane}"


def lock_path(folder: Path, lane: int) -> Path:
    """Return the file whose lock says who owns a lane of a data folder."""
    return folder / "lanes" / f"{lane}.lock"


def is_owned(folder: Path, lane: int) -> bool:
    """Tell whether a living worker owns a lane: the kernel knows, whatever the worker last said of itself."""
    try:
        descriptor = os.open(lock_path(folder, lane), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
