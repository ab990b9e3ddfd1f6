"""Having what is due published by a thread of its own: the broker may hold up whoever publishes, but not the server."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

REST_S = 1.0


class Outgoing:
    """What the thread that made this sets off; the others publish by themselves."""

    def __init__(self) -> None:
        self._server_thread = threading.get_ident()
        self._is_due = False
        self._calls: SimpleQueue[None] = SimpleQueue()
        self.send_due: Callable[[], None] = lambda: None

    def due(self) -> None:
        """Have what is due published: soon after the next `flush` if this is the server's thread, else now."""
        if threading.get_ident() == self._server_thread:
            self._is_due = True
        else:
            self.send_due()

    def flush(self) -> None:
        """Have the publishing thread called, if something is due."""
        if self._is_due:
            self._is_due = False
            self._calls.put(None)

    def publish_once(self) -> None:
        """Wait a moment for a call, and publish all that is due."""
        try:
            self._calls.get(timeout=REST_S)
        except Empty:
            return
        self.send_due()
