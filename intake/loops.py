"""The threads behind the requests, each with one thing to do; one pass of each is one method."""

import logging
import threading
import time
from collections.abc import Callable

import redis

from intake.acceptance import Acceptance, Sweeper
from intake.dispatch import Dispatch
from intake.operations import Operations
from intake.writes import Writes
from ledger_core.errors import StorageUnavailable
from wire.envelope import Malformed
from wire.replies import Listener

logger = logging.getLogger("ledger.intake")

TICK_S = 0.025
SWEEP_EVERY_S = 5.0
RECONNECT_S = 0.2


class Loops:
    """The threads, from start to stop."""

    def __init__(
        self,
        dispatch: Dispatch,
        writes: Writes,
        operations: Operations,
        listener: Listener,
        acceptance: Acceptance,
        sweeper: Sweeper,
    ) -> None:
        self._dispatch = dispatch
        self._writes = writes
        self._operations = operations
        self._listener = listener
        self._acceptance = acceptance
        self._sweeper = sweeper
        self._stopping = threading.Event()
        self._sweep_at_s = 0.0

    def start(self) -> None:
        """Start them. They end with the process, or by `stop`."""
        turns = (
            ("listener", self.listen_once),
            ("pulse", self.pulse_once),
            ("waits", self.wait_once),
            ("inbox", self._acceptance.commit_once),
        )
        for name, turn in turns:
            threading.Thread(target=self._run, args=(turn,), name=name, daemon=True).start()

    def stop(self) -> None:
        """Let them end after their turn."""
        self._stopping.set()

    def listen_once(self) -> None:
        """Take in the answers to one message, if they come within a second."""
        try:
            reply = self._listener.receive()
        except redis.RedisError as error:
            logger.warning("no answers from the broker: %s", error)
            self._stopping.wait(RECONNECT_S)
            return
        except Malformed as error:
            # Whoever waits for it sends the command again, and is told the outcome that is in the book.
            logger.error("dropped answers that can't be understood: %s", error)
            return
        if reply is not None:
            self._dispatch.resolve(reply)

    def pulse_once(self) -> None:
        """Do what is due now, then rest for a moment. A broker that stands still may hold this up for seconds."""
        now_s = time.monotonic()
        self._dispatch.tick()
        try:
            if now_s >= self._sweep_at_s:
                self._sweep_at_s = now_s + SWEEP_EVERY_S
                self._sweeper.sweep()
        except StorageUnavailable as error:
            logger.error("inbox: %s", error)
        self._stopping.wait(TICK_S)

    def wait_once(self) -> None:
        """Let those go on whose wait has run out, then rest for a moment. Nothing holds this up."""
        now_s = time.monotonic()
        self._writes.end_waits(now_s)
        self._operations.end_waits(now_s)
        self._stopping.wait(TICK_S)

    def _run(self, turn: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                turn()
            except Exception:
                logger.exception("a bug in %s", threading.current_thread().name)
                self._stopping.wait(RECONNECT_S)
