"""One call over HTTP: who is calling, attempts until one is answered, and no longer than the caller waits."""

import itertools
import random
from collections.abc import Callable, Mapping
from typing import NamedTuple

import httpx

from ledger_client.problems import LedgerUnreachable
from ledger_client.retries import RETRIED_STATUSES, Retries

WAIT_S_MAX = 10.0  # how long the server is asked to wait for a write in one request; then we ask again
ANSWER_S_MAX = 15.0  # how long an answer may take before the request counts as lost
MARGIN_S = 1.0  # for the way there and back, beyond what the server was asked to wait
NOT_RETRIED = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)  # our own mistake, and the same each time


class Call(NamedTuple):
    """A request that may be made several times: it is read-only, or carries its idempotency key in its body."""

    method: str
    path: str
    params: Mapping[str, str] = {}
    body: bytes | None = None
    idempotency_key: str | None = None
    respond_async: bool = False
    waits: bool = False


class Caller:
    """Makes calls. Any thread may use it. Clock, sleep and jitter are given, so that tests need not wait."""

    def __init__(
        self,
        http: httpx.Client,
        retries: Retries,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._http = http
        self._retries = retries
        self._jitter = jitter
        self._sleep = sleep
        self.clock = clock

    def make(self, call: Call, until_s: float) -> httpx.Response:
        """Make a call until it is answered, attempts run out, or the clock would pass `until_s`.

        Raises:
            LedgerUnreachable: the last attempt brought no answer; or it was turned away, but one before it was lost.
        """
        is_open = False
        for attempt in itertools.count(1):
            found = self._attempt(call, until_s)
            if isinstance(found, httpx.Response) and found.status_code not in RETRIED_STATUSES:
                return found
            is_open = is_open or _leaves_open(found)
            if attempt >= self._retries.attempts_max or not self.pause(attempt, until_s, _retry_after(found)):
                break
        if isinstance(found, httpx.Response) and not is_open:
            return found
        cause = None if isinstance(found, httpx.Response) else found
        raise LedgerUnreachable(f"{call.method} {call.path}: {found!r}", call.idempotency_key) from cause

    def pause(self, attempt: int, until_s: float, retry_after: str | None = None) -> bool:
        """Pause after an attempt; False, at once, if there is no time left for that and another attempt."""
        delay_s = self._retries.delay_s(attempt, retry_after, self._jitter())
        if self.clock() + delay_s >= until_s:
            return False
        self._sleep(delay_s)
        return True

    def _attempt(self, call: Call, until_s: float) -> httpx.Response | httpx.TransportError:
        left_s = max(until_s - self.clock(), MARGIN_S)
        try:
            return self._http.request(
                call.method,
                call.path,
                params=call.params,
                content=call.body,
                headers=_headers(call, left_s),
                timeout=min(left_s, ANSWER_S_MAX),
            )
        except NOT_RETRIED:
            raise
        except httpx.TransportError as error:
            return error


def _headers(call: Call, left_s: float) -> dict[str, str]:
    headers = {} if call.body is None else {"Content-Type": "application/json"}
    if call.respond_async:
        headers["Prefer"] = "respond-async"
    elif call.waits:
        headers["Prefer"] = f"wait={int(min(left_s - MARGIN_S, WAIT_S_MAX))}"
    return headers


def _retry_after(found: httpx.Response | httpx.TransportError) -> str | None:
    return found.headers.get("Retry-After") if isinstance(found, httpx.Response) else None


def _leaves_open(found: httpx.Response | httpx.TransportError) -> bool:
    """Tell whether the ledger may have taken the request all the same: it was sent, and its own answer did not come."""
    if isinstance(found, httpx.Response):
        return found.status_code in (502, 504)
    return not isinstance(found, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
