"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

DEADLINE_S = 60.0  # far beyond what anything takes: a test that waits this long has failed
LOOK_EVERY_S = 0.01


def eventually(condition: Callable[[], Found], what: str, *, within_s: float = DEADLINE_S) -> Found:
    """Wait until a condition is truthy, and return what it came to."""
    give_up_at_s = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > give_up_at_s:
            raise AssertionError(f"waited {within_s:.0f} s in vain: {what}")
        time.sleep(LOOK_EVERY_S)
    return found
