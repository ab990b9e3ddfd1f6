"""The settings of intake, read once from the environment."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from wire.settings import Settings as Shared
from wire.settings import log_level, whole
from wire.settings import settings as shared_settings

WAIT_S_MAX = 30  # the longest wait that a caller may ask for


class Settings(NamedTuple):
    """The shared settings; where to listen; how many threads; how long and for how much to wait.

    `listen_fd`: a descriptor, of a socket that listens already, to use in place of host and port.
    """

    shared: Shared
    host: str
    port: int
    listen_fd: int | None
    threads: int
    wait_s: int
    pending_per_org_max: int
    pending_max: int
    pending_bytes_max: int
    connections_max: int
    idle_s: int
    request_s: int
    log_level: str


def settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of intake.

    Raises:
        SettingError: one of them has a value that it can't have.
    """
    return Settings(
        shared=shared_settings(environ),
        host=environ.get("LEDGER_HOST") or "127.0.0.1",
        port=whole(environ, "LEDGER_PORT", 8080, low=0, high=65_535),
        listen_fd=whole(environ, "LEDGER_LISTEN_FD", 0, low=0, high=65_535) or None,
        threads=whole(environ, "LEDGER_THREADS", 16, low=1, high=1_000),
        wait_s=whole(environ, "LEDGER_WAIT_S", 10, low=0, high=WAIT_S_MAX),
        pending_per_org_max=whole(environ, "LEDGER_PENDING_PER_ORG", 5_000, low=1, high=1_000_000),
        pending_max=whole(environ, "LEDGER_PENDING", 50_000, low=1, high=10_000_000),
        pending_bytes_max=whole(environ, "LEDGER_PENDING_BYTES", 16 * 1024 * 1024, low=8 * 1024 * 1024, high=2**40),
        connections_max=whole(environ, "LEDGER_CONNECTIONS", 1_000, low=10, high=100_000),
        idle_s=whole(environ, "LEDGER_IDLE_S", 60, low=1, high=3_600),
        request_s=whole(environ, "LEDGER_REQUEST_S", 30, low=1, high=3_600),
        log_level=log_level(environ),
    )
