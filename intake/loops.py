"""The threads behind the requests, each with one thing to do; one pass of each is one method."""

import logging
import threading
import time
from collections.abc import Callable

from intake.acceptance import Acceptance, Sweeper
from intake.aside import Aside
from intake.auth import RENEW_EVERY_S, Doorkeeper
from intake.broker_watch import BrokerWatch
from intake.dispatch import Dispatch
from intake.listening import Listening
from intake.operations import Operations
from intake.writes import Writes
from ledger_core.errors import StorageUnavailable
from wire import broker
from wire.publisher import Publisher

logger = logging.getLogger("ledger.intake")

TICK_S = 0.025
SWEEP_EVERY_S = 5.0
RECONNECT_S = 0.2
LOOK_EVERY_S = 1.0
LOOK_UPS = 4  # books that are opened at a time, to see what is known of a write; one of them may be held up


class Loops:
    """The threads, from start to stop. `soon` has something called by the thread of the server."""

    def __init__(
        self,
        watch: BrokerWatch,
        dispatch: Dispatch,
        publisher: Publisher,
        writes: Writes,
        operations: Operations,
        listening: Listening,
        acceptance: Acceptance,
        sweeper: Sweeper,
        aside: Aside,
        doorkeeper: Doorkeeper,
        soon: Callable[[Callable[[], None]], None],
    ) -> None:
        self._watch = watch
        self._aside = aside
        self._doorkeeper = doorkeeper
        self._dispatch = dispatch
        self._publisher = publisher
        self._writes = writes
        self._operations = operations
        self._listening = listening
        self._acceptance = acceptance
        self._sweeper = sweeper
        self._soon = soon
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start them. They end with the process, or by `stop`."""
        self._start("broker", self.ask_once)
        self._watch.wait_until_asked()  # what is sent before is not sent; but reads don't wait for ever for a name
        turns = (
            ("listener", self.connect_once),
            ("pulse", self.pulse_once),
            ("sweeper", self.sweep_once),
            ("waits", self.wait_once),
            ("inbox", self._acceptance.commit_once),
            *[(f"look-up-{n}", self._acceptance.look_up_once) for n in range(LOOK_UPS)],
            ("set-aside", self.look_once),
            ("registry", self.renew_once),
        )
        for name, turn in turns:
            self._start(name, turn)

    def stop(self) -> None:
        """Let them end after their turn."""
        self._stopping.set()

    def connect_once(self) -> None:
        """Connect to the reply list if nothing does, then rest for a moment. A name may hold this up for long."""
        try:
            if self._listening.connect():
                self._soon(self._listening.take_in)
        except broker.ERRORS as error:
            logger.debug("no connection for answers: %s", error)  # whoever watches the broker tells of it, once
            self._watch.suspect()
        self._stopping.wait(RECONNECT_S)

    def ask_once(self) -> None:
        """Ask the broker how it is, then rest for a moment. A name that can't be found may hold this up for long."""
        self._watch.ask_once()
        self._watch.rest()

    def pulse_once(self) -> None:
        """Have sent what is due now, and given up what the broker does not answer, then rest for a moment."""
        self._dispatch.tick()
        if self._publisher.is_overdue:
            self._soon(self._publisher.take_in)
        self._stopping.wait(TICK_S)

    def sweep_once(self) -> None:
        """Go through the inbox, then rest for some seconds. A long inbox, or a slow disk, may hold this up."""
        try:
            self._sweeper.sweep()
        except StorageUnavailable as error:
            logger.error("inbox: %s", error)
        self._stopping.wait(SWEEP_EVERY_S)

    def wait_once(self) -> None:
        """Let those go on whose wait has run out, then rest for a moment. Nothing holds this up."""
        now_s = time.monotonic()
        self._watch.look(now_s)
        self._dispatch.turn_away()
        self._writes.end_waits(now_s)
        self._operations.end_waits(now_s)
        self._stopping.wait(TICK_S)

    def look_once(self) -> None:
        """Take in what is set aside, then rest for a moment."""
        self._aside.refresh()
        self._stopping.wait(LOOK_EVERY_S)

    def renew_once(self) -> None:
        """Look whether those who were let in still may be, then rest for a moment. A slow disk may hold this up."""
        self._doorkeeper.renew()
        self._stopping.wait(RENEW_EVERY_S)

    def _start(self, name: str, turn: Callable[[], None]) -> None:
        threading.Thread(target=self._run, args=(turn,), name=name, daemon=True).start()

    def _run(self, turn: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                turn()
            except Exception:
                logger.exception("a bug in %s", threading.current_thread().name)
                self._stopping.wait(RECONNECT_S)
