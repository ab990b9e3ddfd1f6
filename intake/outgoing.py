"""Having what is due published by a thread of its own: the broker may hold up whoever publishes, but not the server."""

from collections.abc import Callable
from queue import Empty, SimpleQueue

REST_S = 1.0


class Outgoing:
    """Has `send_due` called by a thread that may be held up. Any thread may use it."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[None] = SimpleQueue()
        self.send_due: Callable[[], None] = lambda: None

    def call(self) -> None:
        """Have what is due published."""
        self._calls.put(None)

    def publish_once(self) -> None:
        """Wait a moment for a call, and publish all that is due."""
        try:
            self._calls.get(timeout=REST_S)
        except Empty:
            return
        self.send_due()
