"""Watching the broker: whether it takes messages, as whoever last tried found, and since when it does not."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from wire.publisher import Trouble

logger = logging.getLogger("ledger.intake")

BEAT_S = 0.5  # how often it is asked: nobody writes for long before its absence is known
OVERDUE_S = 1.0  # an asking that takes longer found nobody, whatever holds it up: a name that is looked up may
TELL_EVERY_S = 10.0  # a broker that comes and goes must not fill the log


class Asked(Protocol):
    """What can tell whether there is a broker: `wire.publisher.Publisher`."""

    def trouble(self) -> Trouble | None:
        """Tell what is wrong with the broker; None when a message can be published. Connects, if need be."""


class BrokerWatch:
    """Knows whether the broker is away. Any thread may use it; one thread asks.

    `cause` is what is wrong with it, None while it is there.
    """

    def __init__(self, broker: Asked) -> None:
        self._broker = broker
        self._lock = threading.Lock()
        self._asked_at_s: float | None = None
        self._went_at_s = 0.0
        self._told_at_s = float("-inf")
        self._told = False  # whether the log knows that it went
        self._suspected = threading.Event()
        self._was_asked = threading.Event()
        self.cause: str | None = None
        self.on_back: Callable[[], None] = lambda: None

    def ask_once(self) -> None:
        """Ask the broker how it is."""
        self._asked_at_s = time.monotonic()
        trouble = self._broker.trouble()
        if trouble is None:
            self._is_back()
        else:
            self.went_away(trouble.cause, trouble.detail)
        self._asked_at_s = None
        self._was_asked.set()

    def wait_until_asked(self) -> None:
        """Wait until it is known for the first time how the broker is, or until that is overdue."""
        self._was_asked.wait(OVERDUE_S)

    def rest(self) -> None:
        """Wait until it is time to ask again, or until somebody suspects that the broker went away."""
        if self._suspected.wait(BEAT_S):
            self._suspected.clear()

    def suspect(self) -> None:
        """Have the broker asked at once, unless it is known to be away."""
        if self.cause is None:
            self._suspected.set()

    def look(self, now_s: float) -> None:
        """Notice an asking that does not end."""
        asked_at_s = self._asked_at_s
        if asked_at_s is not None and now_s - asked_at_s > OVERDUE_S:
            self.went_away("the broker does not answer", f"for more than {OVERDUE_S:.0f} s of asking or looking it up")

    def went_away(self, cause: str, detail: str = "") -> None:
        """Note that the broker takes no messages, and why: for callers, and in detail for the log."""
        with self._lock:
            now_s = time.monotonic()
            if self.cause is None:
                self._went_at_s = now_s
                if self._asked_at_s is None:
                    self._suspected.set()  # whoever met it is not the one who asks: it may be there
                self._told = now_s - self._told_at_s >= TELL_EVERY_S
                if self._told:
                    self._told_at_s = now_s
                    logger.error("%s; new writes are refused until it is back%s", cause, detail and f" ({detail})")
            self.cause = cause

    def _is_back(self) -> None:
        with self._lock:
            if self.cause is None:
                return
            self.cause = None
            if self._told:
                logger.warning("the broker is back after %.1f s", time.monotonic() - self._went_at_s)
        self.on_back()
