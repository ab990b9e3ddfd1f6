"""`ledgerctl up`: everything on this machine, from one command: broker, workers, intake."""

import fcntl
import logging
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import click

from intake.settings import settings as intake_settings
from ledger_core.orgs import Registry
from ledgerctl import broker, demo
from ledgerctl.options import Failed, data_option, tells_errors
from ledgerctl.processes import Child, die_with_parent
from wire import broker as wire_broker
from wire import log
from wire.lanes import LANES_DEFAULT
from wire.settings import log_level, whole

logger = logging.getLogger("ledger.up")

START_S_MAX = 30.0
STOP_S_MAX = 10.0
LOOK_EVERY_S = 0.05


@click.command()
@data_option
@click.option(
    "--host", envvar="LEDGER_HOST", default="127.0.0.1", show_default=True, help="Where to listen [env: LEDGER_HOST]."
)
@click.option(
    "--port",
    envvar="LEDGER_PORT",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="The port; 0 takes a free one [env: LEDGER_PORT].",
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="How many worker processes.")
@click.option("--demo", "with_demo", is_flag=True, help="Make a demo org on the first run; print a curl line to paste.")
@click.option("--die-with-parent", is_flag=True, help="End when the process that started this one ends.")
@tells_errors
def up(data: Path, host: str, port: int, workers: int, with_demo: bool, die_with_parent: bool) -> None:
    """Run the whole ledger here: its broker, its workers, and HTTP.

    Prints one line once it serves: ready URL broker BROKER_URL data DIR. Ends with Ctrl-C or SIGTERM, and leaves
    nothing running. LEDGER_REDIS_URL names an existing Redis or Valkey to use instead of the embedded broker.
    """
    log.start(log_level(os.environ))
    if die_with_parent:
        _die_with_parent()
    data = data.absolute()
    intake_settings({**os.environ, "LEDGER_HOST": host, "LEDGER_PORT": str(port)})  # what can't work is said now
    Registry.open_writer(data).close()
    lock = _own(data)
    port = _bindable(host, port)
    broker_url = os.environ.get("LEDGER_REDIS_URL") or broker.url(data)
    stack = _Stack(data, host, port, workers, broker_url, embedded="LEDGER_REDIS_URL" not in os.environ)
    with stack:
        base_url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        if stack.wait_until_ready(base_url):
            click.echo(f"ready {base_url} broker {_without_password(broker_url)} data {data}")
            if with_demo:
                click.echo(demo.invitation(data, base_url))
            sys.stdout.flush()
            stack.wait_until_told_to_stop()
    os.close(lock)


class _Stack:
    """The processes, from start to stop."""

    def __init__(self, data: Path, host: str, port: int, workers: int, broker_url: str, *, embedded: bool) -> None:
        self._broker_url = broker_url
        self._told_to_stop = False  # a plain flag: a signal may come while an event holds its own lock
        environment = {
            **os.environ,
            "LEDGER_DATA": str(data),
            "LEDGER_HOST": host,
            "LEDGER_PORT": str(port),
            "LEDGER_REDIS_URL": broker_url,
        }
        self._broker = [
            Child("broker", broker.command(data), environment, when_orphaned=signal.SIGTERM)
        ] if embedded else []  # fmt: skip
        self._workers = [
            Child(f"worker {number}", _python("workers"), {**environment, **_share(number, workers)})
            for number in range(workers)
        ]
        self._intake = [Child("intake", _python("intake"), environment)]

    def __enter__(self) -> "_Stack":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for child in (*self._intake, *self._workers, *self._broker):  # each before what it stands on
            child.stop(STOP_S_MAX)

    def wait_until_ready(self, base_url: str) -> bool:
        """Start everything, and wait until it serves; False when told to stop before.

        Raises:
            Failed: it does not come up.
        """
        give_up_at_s = time.monotonic() + START_S_MAX
        while self._look_again():
            for child in self._broker:
                child.keep_running()
            if self._reachable():
                for child in (*self._workers, *self._intake):
                    child.keep_running()
                if _healthy(base_url):
                    return True
            if time.monotonic() > give_up_at_s:
                what = "its HTTP server or its workers do not" if self._reachable() else "the broker does not"
                raise Failed(f"{what} answer within {START_S_MAX:.0f} s; broker: {_without_password(self._broker_url)}")
        return False

    def wait_until_told_to_stop(self) -> None:
        """Keep everything running."""
        while self._look_again():
            for child in (*self._broker, *self._workers, *self._intake):
                child.keep_running()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._told_to_stop = True

    def _look_again(self) -> bool:
        time.sleep(LOOK_EVERY_S)
        return not self._told_to_stop

    def _reachable(self) -> bool:
        client = wire_broker.connect(self._broker_url, answer_timeout_s=1.0)
        try:
            return bool(client.ping())
        except wire_broker.ERRORS:
            return False
        finally:
            client.close()


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _share(number: int, workers: int) -> Mapping[str, str]:
    """Return which lanes a worker may own: a fair share, or all to stand by for, when there are more workers."""
    lanes = whole(os.environ, "LEDGER_LANES", LANES_DEFAULT, low=1, high=256)
    share = range(number, lanes, workers) if number < lanes else range(lanes)
    return {"LEDGER_WORKER_LANES": ",".join(map(str, share))}


def _own(data: Path) -> int:
    descriptor = os.open(data / "up.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failed(f"another ledgerctl up serves {data} already") from None
    return descriptor


def _die_with_parent() -> None:
    die_with_parent(signal.SIGTERM, os.getppid())


def _bindable(host: str, port: int) -> int:
    """Return the port, or a free one for 0; somebody else's server there would answer in our place."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Failed(f"can't listen on {host} port {port}: {error.strerror}; --port takes another one") from error
        return int(probe.getsockname()[1])


def _healthy(base_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url}/health", timeout=2) as response:  # noqa: S310  # always http
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")).geturl()
