"""Settings shared by intake, workers and `ledgerctl`, read once from the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from wire import broker
from wire.lanes import LANES_DEFAULT

REDIS_URL_DEFAULT = "redis://127.0.0.1:6379/0"
SCHEMES = ("redis", "rediss", "redis+socket")

WHOLE = re.compile(r"[0-9]{1,18}")
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingError(ValueError):
    """A setting has a value that it can't have."""


class Settings(NamedTuple):
    """Where the books lie, where the broker is, and how many lanes there are."""

    data: Path
    redis_url: str
    lanes: int


def settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the shared settings.

    Raises:
        SettingError: one of them has a value that it can't have.
    """
    return Settings(
        data=Path(environ.get("LEDGER_DATA") or "data"),
        redis_url=_broker_url(environ.get("LEDGER_REDIS_URL") or REDIS_URL_DEFAULT),
        lanes=whole(environ, "LEDGER_LANES", LANES_DEFAULT, low=1, high=256),
    )


def without_password(url: str) -> str:
    """Return a broker's URL as it may be shown: who logs in, with what, and options are left out."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    login = "***@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{login}{host}{parts.path}"


def _broker_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        ok = parts.port != 0 and bool(parts.path if parts.scheme == "redis+socket" else parts.hostname)
        broker.connect(url).close()  # to which nothing is connected yet; it reads the options
    except (ValueError, TypeError):  # which quotes what it could not read as a port, such as the end of a password
        ok = False
    if not ok or parts.scheme not in SCHEMES or parts.fragment:
        raise SettingError(
            "LEDGER_REDIS_URL must be redis://[:password@]host[:port]/database, rediss://... or redis+socket:///path;"
            " in a password write / as %2F, # as %23, ? as %3F, @ as %40 and % as %25"
        )
    if parts.scheme == "rediss" and "ssl_cert_reqs=" not in parts.query:  # Celery has no default; ours is to check it
        url += ("&" if parts.query else "?") + "ssl_cert_reqs=required"
    return url


def whole(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    """Read a setting that is a whole number between two bounds.

    Raises:
        SettingError: it is not.
    """
    text = environ.get(name) or str(default)
    if not (WHOLE.fullmatch(text) and low <= int(text) <= high):
        raise SettingError(f"{name} must be a whole number from {low} to {high}, not {text!r}")
    return int(text)


def log_level(environ: Mapping[str, str]) -> str:
    """Read how much to log.

    Raises:
        SettingError: it is no level.
    """
    level = (environ.get("LEDGER_LOG_LEVEL") or "info").lower()
    if level not in LOG_LEVELS:
        raise SettingError(f"LEDGER_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {level!r}")
    return level
