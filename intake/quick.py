"""Which requests are quick: nothing holds them up on the way to their answer, or to the next message of their lane.

They are served by the thread that reads all connections, so what they need must be at hand: neither the broker nor a
lock that somebody holds for long may be asked, and a book only if it is open already. A disk that turns out to be slow
is left to the pool of threads for a while.
"""

import re
import time
from typing import Any

from intake.auth import Doorkeeper
from intake.dispatch import Dispatch
from intake.readers import Readers
from intake.turns import NOBODY, STRANGERS, Whose
from ledger_core.limits import PAGE_ITEMS_DEFAULT

BODY_BYTES_MAX = 4_096  # an entry of some twenty lines; a larger body takes longer than handing it to another thread
SLOW_S = 0.02  # who took longer than this waited for a disk,
SLOW_FOR_S = 1.0  # and so would those who come next

_ORG_HEADER = "X_ORG_SLUG"  # as waitress writes header names
_BULK_PATH = "/v1/entries/bulk"
_ONE = re.compile(r"/v1/(?:accounts/[^/]+(?:/balance)?|entries/[^/]+|holds/[^/]+)", re.ASCII)
_LISTS = ("/v1/accounts", "/v1/entries", "/v1/holds")
_PARAMETER = rf"(?:cursor=[^&]*|order=[^&]*|account_id=[^&]*|limit=(?:[1-4]?[0-9]|{PAGE_ITEMS_DEFAULT}))"
# One way only to take a query apart: whoever may send one could else hold up all by a hundred bytes of it.
_PAGING = re.compile(f"(?:{_PARAMETER}(?:&{_PARAMETER})*)?")

assert PAGE_ITEMS_DEFAULT == 50, "what a quick page has at most is written out above"


class Quick:
    """Tells of a request, as its parser left it, whether it is quick."""

    def __init__(self, doorkeeper: Doorkeeper, dispatch: Dispatch, readers: Readers) -> None:
        self._doorkeeper = doorkeeper
        self._dispatch = dispatch
        self._readers = readers
        self._reads_from_s = 0.0

    def __call__(self, request: Any) -> bool:
        """Tell whether it is a small write, or a small read, of a caller who was let in just before."""
        if request.error is not None:
            return False
        if request.command == "POST":
            is_quick = self._is_quick_write(request)
        else:
            is_quick = request.command == "GET" and self._is_quick_read(request)
        return is_quick and bool(request.whose.is_let_in)

    def whose(self, request: Any) -> Whose:
        """Tell whose a request is: by its key, since anybody can name an org."""
        named = request.headers.get(_ORG_HEADER)
        if named is None:
            return NOBODY
        was_let_in, is_let_in = self._doorkeeper.recognized(named, request.headers.get("X_API_KEY"))
        return Whose(named if was_let_in else STRANGERS, named, is_let_in)

    def took(self, seconds: float) -> None:
        """Learn how long a quick request took."""
        if seconds > SLOW_S:
            self._reads_from_s = time.monotonic() + SLOW_FOR_S

    def _is_quick_write(self, request: Any) -> bool:
        if request.content_length > BODY_BYTES_MAX or request.chunked or request.path == _BULK_PATH:
            return False
        return not self._dispatch.is_away

    def _is_quick_read(self, request: Any) -> bool:
        is_one = _ONE.fullmatch(request.path) is not None
        if not is_one and not (request.path in _LISTS and _PAGING.fullmatch(request.query)):
            return False
        org = request.headers.get(_ORG_HEADER)
        return org is not None and self._readers.is_at_hand(org) and time.monotonic() >= self._reads_from_s
