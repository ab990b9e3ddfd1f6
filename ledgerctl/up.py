"""`ledgerctl up`: everything on this machine, from one command: broker, workers, intake."""

import os
import signal
import socket
import sys
from pathlib import Path

import click

from intake.serving import listening
from intake.settings import settings as intake_settings
from ledger_core.orgs import Registry
from ledgerctl import demo, presence, processes
from ledgerctl.options import Failed, Whole, new_data_option, tells_errors
from ledgerctl.stack import Stack
from wire import log
from wire.settings import log_level


@click.command()
@new_data_option
@click.option(
    "--host", envvar="LEDGER_HOST", default="127.0.0.1", show_default=True, help="Where to listen [env: LEDGER_HOST]."
)
@click.option(
    "--port",
    envvar="LEDGER_PORT",
    default=8080,
    show_default=True,
    type=Whole(0, 65_535),
    help="The port; 0 takes a free one [env: LEDGER_PORT].",
)
@click.option("--workers", default=2, show_default=True, type=Whole(1, 64), help="How many worker processes.")
@click.option("--intakes", default=1, show_default=True, type=Whole(1, 64), help="How many HTTP servers.")
@click.option("--demo", "with_demo", is_flag=True, help="Make a demo org on the first run; print a curl line to paste.")
@click.option("--die-with-parent", is_flag=True, help="End when the process that started this one ends.")
@tells_errors
def up(data: Path, host: str, port: int, workers: int, intakes: int, with_demo: bool, die_with_parent: bool) -> None:
    """Run the whole ledger here: its broker, its workers, and HTTP.

    Prints one line once it serves: ready URL broker BROKER_URL data DIR. Ends with Ctrl-C or SIGTERM, and leaves
    nothing running. `ledgerctl restart` changes its processes for new ones while it serves. LEDGER_REDIS_URL names an
    existing Redis or Valkey to use instead of the embedded broker.
    """
    log.start(log_level(os.environ))
    if die_with_parent:
        processes.die_with_parent(signal.SIGTERM, os.getppid())
    data = data.absolute()
    intake_settings({**os.environ, "LEDGER_HOST": host, "LEDGER_PORT": str(port)})  # what can't work is said now
    Registry.open_writer(data).close()
    lock = presence.own(data)
    listener = _listening(host, port)
    with Stack(data, listener, workers=workers, intakes=intakes) as stack:
        if stack.wait_until_ready():
            click.echo(f"ready {stack.base_url} broker {stack.broker_shown} data {data}")
            if with_demo:
                click.echo(demo.invitation(data, stack.base_url))
            sys.stdout.flush()
            stack.wait_until_told_to_stop()
    listener.close()
    os.close(lock)


def _listening(host: str, port: int) -> socket.socket:
    """Return the socket to serve on. It is open from here on: whoever connects while processes change waits."""
    try:
        return listening(host, port)
    except OSError as error:
        raise Failed(f"can't listen on {host} port {port}: {error.strerror}; --port takes another one") from error
