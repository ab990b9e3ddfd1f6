"""The end of a turn of the server's loop: what several requests set off happens once for all of them, in its thread."""

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger("ledger.intake")


class EndOfTurn:
    """What is yet to be called. Made by the thread of the server; any thread may use it.

    `wake` has the server take a turn now, if it waits for something to happen.
    """

    def __init__(self) -> None:
        self._server_thread = threading.get_ident()
        self._calls: dict[Callable[[], None], None] = {}  # in their order, each once
        self.wake: Callable[[], None] = lambda: None

    def call(self, call: Callable[[], None]) -> None:
        """Have something called by the thread of the server, once it has served what it read."""
        self._calls[call] = None
        if threading.get_ident() != self._server_thread:
            self.wake()

    def come(self) -> None:
        """Call all of it. The thread of the server does so; a fault of one is no other's."""
        for call in list(self._calls):
            del self._calls[call]
            try:
                call()
            except Exception:
                logger.exception("a bug at the end of a turn")
