"""The settings of a worker, read once from the environment."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from wire.settings import WHOLE, SettingError, log_level
from wire.settings import Settings as Shared
from wire.settings import settings as shared_settings


class Settings(NamedTuple):
    """The shared settings, which lanes this worker may own, and how much it logs."""

    shared: Shared
    own_lanes: tuple[int, ...]
    log_level: str


def settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read a worker's settings.

    Raises:
        SettingError: one of them has a value that it can't have.
    """
    shared = shared_settings(environ)
    return Settings(shared, _lanes(environ.get("LEDGER_WORKER_LANES"), shared.lanes), log_level(environ))


def _lanes(text: str | None, lanes: int) -> tuple[int, ...]:
    if not text:
        return tuple(range(lanes))
    parts = text.split(",")
    if not all(WHOLE.fullmatch(part) and int(part) < lanes for part in parts):
        raise SettingError(f"LEDGER_WORKER_LANES must be numbers from 0 to {lanes - 1}, such as 0,2, not {text!r}")
    return tuple(sorted({int(part) for part in parts}))
