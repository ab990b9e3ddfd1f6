"""`ledgerctl restart`: new processes in the place of the old ones, while they serve."""

import os
import signal
import time
from pathlib import Path

import click

from ledgerctl import presence
from ledgerctl.options import Failed, data_option, tells_errors

LOOK_EVERY_S = 0.05


@click.command()
@data_option
@tells_errors
def restart(data: Path) -> None:
    """Restart the workers and the HTTP servers of a running `ledgerctl up`, one after the other, under load.

    Each new process has started before its old one ends, and takes over its lanes or its socket: no caller is turned
    away. A new version is taken into use so: install it, then run this. If a new process does not start, the old one
    goes on, and the exit code is 1. The broker, and `ledgerctl up` itself, go on as they are.
    """
    before = presence.find(data)
    os.kill(before.pid, signal.SIGHUP)
    while (now := presence.find(data)).restarts == before.restarts and now.pid == before.pid:
        time.sleep(LOOK_EVERY_S)
    if now.pid != before.pid:
        raise Failed("ledgerctl up itself was started anew meanwhile")
    if now.failed:
        raise Failed(f"did not start, and runs on as it was: {', '.join(now.failed)}; see the log of ledgerctl up")
    click.echo("restarted")
