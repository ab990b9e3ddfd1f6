"""When a call that failed is made again: how often, and after how long."""

import re
from typing import NamedTuple

# 502 and 504 are a proxy's: like a broken connection, they leave open what became of the request.
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_SECONDS = re.compile(r"[0-9]{1,6}", re.ASCII)


class Retries(NamedTuple):
    """How often a call is made at most, and how long to pause in between: twice as long each time, up to a bound."""

    attempts_max: int = 6
    delay_s_min: float = 0.1
    delay_s_max: float = 5.0

    def delay_s(self, attempt: int, retry_after: str | None, jitter: float) -> float:
        """Return how long to pause after an attempt, counted from 1.

        What the server asked for comes on top: it is the least it wants. `jitter`, from 0 to 1, tells callers apart
        that failed together. A `Retry-After` that is a date, which this server never sends, is not understood.
        """
        asked_s = int(retry_after) if retry_after and _SECONDS.fullmatch(retry_after) else 0
        backoff_s = min(self.delay_s_max, self.delay_s_min * 2.0 ** (attempt - 1))
        return asked_s + backoff_s * (1 + jitter) / 2
