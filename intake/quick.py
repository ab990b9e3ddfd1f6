"""Which requests are quick: nothing holds them up on the way to the next message of their lane.

They are served by the thread that reads all connections, so what they need must be in memory: neither a disk, nor the
broker, nor a lock that somebody holds for long may be asked.
"""

from typing import Any

from intake.auth import Doorkeeper
from intake.dispatch import Dispatch

BODY_BYTES_MAX = 4_096  # an entry of some twenty lines; a larger body takes longer than handing it to another thread
BULK_PATH = "/v1/entries/bulk"


class Quick:
    """Tells of a request, as its parser left it, whether it is quick."""

    def __init__(self, doorkeeper: Doorkeeper, dispatch: Dispatch) -> None:
        self._doorkeeper = doorkeeper
        self._dispatch = dispatch

    def __call__(self, request: Any) -> bool:
        """Tell whether it is a small write, waited for, of a caller who was let in just before."""
        if request.error is not None or request.command != "POST" or request.content_length > BODY_BYTES_MAX:
            return False
        headers = request.headers
        if request.chunked or headers.get("PREFER") or request.path == BULK_PATH or self._dispatch.is_away:
            return False
        return self._doorkeeper.remembers(headers.get("X_ORG_SLUG"), headers.get("X_API_KEY"))
