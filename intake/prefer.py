"""The header `Prefer` (RFC 7240): how long a caller waits."""

import re
from typing import NamedTuple

from intake.settings import WAIT_S_MAX

_WAIT = re.compile(r'wait\s*=\s*"?(\d+)"?', re.ASCII | re.IGNORECASE)
_ASYNC = re.compile(r"respond-async", re.IGNORECASE)


class Preference(NamedTuple):
    """What was asked for, and is honoured. `wait_s` None: nothing was said."""

    respond_async: bool = False
    wait_s: int | None = None

    @property
    def applied(self) -> str | None:
        """The value of `Preference-Applied`; None when there was no preference."""
        parts = ["respond-async"] if self.respond_async else []
        if self.wait_s is not None:
            parts.append(f"wait={self.wait_s}")
        return ", ".join(parts) or None


NONE = Preference()


def parse_prefer(header: str | None) -> Preference:
    """Read the header. What can't be understood is ignored; of a preference that comes twice the first counts."""
    if header is None:
        return NONE
    respond_async, wait_s = False, None
    for part in header.split(","):
        preference = part.split(";")[0].strip()
        if _ASYNC.fullmatch(preference):
            respond_async = True
        elif (match := _WAIT.fullmatch(preference)) and wait_s is None:
            wait_s = min(int(match[1].lstrip("0")[:3] or 0), WAIT_S_MAX)
    return Preference(respond_async, wait_s)
