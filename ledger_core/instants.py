"""Instants: microseconds since 1970-01-01T00:00:00Z in the code, RFC 3339 in UTC on the wire."""

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from ledger_core.limits import INSTANT_US_MAX, INSTANT_US_MIN

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)


def now_us() -> int:
    """Read the machine's clock. The one place that does; everything else is handed an instant."""
    return time.time_ns() // 1_000


@lru_cache(maxsize=1_024)  # what is written together happened together
def format_instant(at: int) -> str:
    """Write an instant as RFC 3339 in `Z`, with a fraction of 3 or 6 digits only where there is one."""
    seconds, micros = divmod(at, 1_000_000)
    text = _format_second(seconds)
    if not micros:
        return text + "Z"
    if micros % 1_000:
        return f"{text}.{micros:06d}Z"
    return f"{text}.{micros // 1_000:03d}Z"


@lru_cache(maxsize=1_024)
def _format_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def parse_instant(text: str) -> int:
    """Read an RFC 3339 date-time, with any offset, as microseconds since 1970.

    Raises:
        ValueError: it is not one, is finer than a microsecond, or lies outside the years 1970 to 9999.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("must be an RFC 3339 date-time, such as 2026-03-18T05:30:00Z, no finer than a microsecond")
    year, month, day, hour, minute, second, fraction, zulu, sign, offset_h, offset_min = match.groups()
    micros = int((fraction or "").ljust(6, "0"))
    if zulu:
        zone: timezone = UTC
    else:
        if int(offset_min) > 59 or int(offset_h) > 23:
            raise ValueError("must have an offset between -23:59 and +23:59")
        zone = timezone((-1 if sign == "-" else 1) * timedelta(hours=int(offset_h), minutes=int(offset_min)))
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micros, zone)
    except ValueError:
        raise ValueError("must be a date and a time that exist") from None
    at = (moment - _EPOCH) // _MICROSECOND
    if not INSTANT_US_MIN <= at <= INSTANT_US_MAX:
        raise ValueError("must lie between the years 1970 and 9999")
    return at
