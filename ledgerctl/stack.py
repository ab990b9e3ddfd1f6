"""The processes of one `ledgerctl up`: the broker, the workers, and the HTTP servers on their one socket."""

import hashlib
import logging
import os
import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from ledgerctl import broker, presence, processes
from ledgerctl.options import Failed
from ledgerctl.presence import Presence
from ledgerctl.processes import Child
from wire import broker as wire_broker
from wire.lanes import LANES_DEFAULT
from wire.settings import whole, without_password

logger = logging.getLogger("ledger.up")

START_S_MAX = 30.0
LOOK_EVERY_S = 0.05


MEMORY = Path("/dev/shm")  # noqa: S108  # counts are mapped into memory: on a disk that is full that kills (SIGBUS)


class Stack:
    """The processes, from start to stop. `listener` is the socket that all HTTP servers accept from."""

    def __init__(self, data: Path, listener: socket.socket, *, workers: int, intakes: int) -> None:
        self._data = data
        self._told_to_stop = self._told_to_restart = False  # plain flags: a signal may come while a lock is held
        self._restarts = self._told_of_disk = 0
        self._had_terminal = processes.has_terminal()
        embedded = not os.environ.get("LEDGER_REDIS_URL")
        self._told_of_broker = embedded  # one of our own takes a moment to start; of another one we tell at once
        self.broker_url = os.environ.get("LEDGER_REDIS_URL") or broker.url(data)
        self._address = listener.getsockname()
        environment = {**os.environ, "LEDGER_DATA": str(data), "LEDGER_REDIS_URL": self.broker_url}
        fd = listener.fileno()
        serving = {**environment, "LEDGER_LISTEN_FD": str(fd), **_shared_metrics(data, intakes)}
        self._broker = [
            Child("broker", broker.command(data), broker.ENVIRONMENT, when_orphaned=signal.SIGTERM)
        ] if embedded else []  # fmt: skip
        self._workers = [
            Child(f"worker {number}", _python("workers"), {**environment, **_share(number, workers)})
            for number in range(workers)
        ]
        self._intakes = [
            Child(f"intake {number}", _python("intake"), serving, inherits=[fd]) for number in range(intakes)
        ]

    @property
    def base_url(self) -> str:
        """Where it serves."""
        host, port = self._address[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def broker_shown(self) -> str:
        """The broker's URL, for everybody's eyes."""
        return without_password(self.broker_url)

    def __enter__(self) -> "Stack":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._restart)
        presence.tell(self._data, Presence(os.getpid()))
        return self

    def __exit__(self, *_: object) -> None:
        for child in (*self._intakes, *self._workers, *self._broker):  # each before what it stands on
            child.stop()
        shutil.rmtree(counts_in_memory(self._data), ignore_errors=True)

    def wait_until_ready(self) -> bool:
        """Start everything, and wait until it serves; False when told to stop before.

        Raises:
            Failed: it does not come up, or the broker refuses the password.
        """
        give_up_at_s = time.monotonic() + START_S_MAX
        while self._look_again():
            for child in self._broker:
                child.keep_running()
            if self._reachable():
                for child in (*self._workers, *self._intakes):
                    child.keep_running()
                if self._healthy():
                    return True
            if time.monotonic() > give_up_at_s:
                what = "its HTTP server or its workers do not" if self._reachable() else "the broker does not"
                raise Failed(f"{what} answer within {START_S_MAX:.0f} s; broker: {self.broker_shown}")
        return False

    def wait_until_told_to_stop(self) -> None:
        """Keep everything running, and restart workers and HTTP servers one after the other when told to."""
        to_replace: list[Child] = []
        failed: list[str] = []
        untold: Presence | None = None
        while self._look_again():
            for child in (*self._broker, *self._workers, *self._intakes):
                if child not in to_replace[:1]:
                    child.keep_running()
            if untold is not None and self._tell(untold):
                untold = None
            if to_replace:
                done = to_replace[0].replace()
                if done is not None:
                    replaced = to_replace.pop(0)
                    failed += [] if done else [replaced.name]
                    if not to_replace:
                        self._restarts += 1
                        untold = Presence(os.getpid(), self._restarts, tuple(failed))
            elif self._told_to_restart:
                self._told_to_restart = False
                to_replace, failed = [*self._workers, *self._intakes], []

    def _tell(self, now: Presence) -> bool:
        """Write down what became of a restart; a disk that is full is no reason to end."""
        try:
            presence.tell(self._data, now)
        except OSError as error:
            if self._told_of_disk != now.restarts:
                self._told_of_disk = now.restarts
                logger.error("can't write down that restart %d is done; trying again: %s", now.restarts, error)
            return False
        return True

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._told_to_stop = True

    def _restart(self, number: int, frame: FrameType | None) -> None:
        """Restart; but SIGHUP also says that the terminal was closed, and then who started it is gone."""
        if self._had_terminal and not processes.has_terminal():
            self._told_to_stop = True
        else:
            self._told_to_restart = True

    def _look_again(self) -> bool:
        time.sleep(LOOK_EVERY_S)
        return not self._told_to_stop

    def _reachable(self) -> bool:
        client = wire_broker.connect(self.broker_url, answer_timeout_s=1.0)
        try:
            return bool(client.ping())
        except wire_broker.REFUSALS as error:
            raise Failed(f"the broker {self.broker_shown} does not let us in: {error}") from error
        except wire_broker.ERRORS as error:
            if not self._told_of_broker:
                self._told_of_broker = True
                logger.warning("waiting for the broker %s: %s", self.broker_shown, wire_broker.detail_of(error))
            return False
        finally:
            client.close()

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base_url}/health", timeout=2) as response:  # noqa: S310  # always http
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _python(module: str) -> list[str]:
    return [sys.executable, "-P", "-m", module]  # -P: nothing is imported from the folder that we happen to be in


def _share(number: int, workers: int) -> Mapping[str, str]:
    """Return which lanes a worker may own: a fair share, or all to stand by for, when there are more workers."""
    lanes = whole(os.environ, "LEDGER_LANES", LANES_DEFAULT, low=1, high=256)
    share = range(number, lanes, workers) if number < lanes else range(lanes)
    return {"LEDGER_WORKER_LANES": ",".join(map(str, share))}


def counts_in_memory(data: Path) -> Path:
    """Return where the HTTP servers of a data folder count together."""
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return MEMORY / f"ff-ledger-{os.getuid()}-{digest}-metrics"


def _shared_metrics(data: Path, intakes: int) -> Mapping[str, str]:
    """Return what several HTTP servers need to count together, as /metrics answers for all of them."""
    if intakes == 1:
        return {}
    for folder in (counts_in_memory(data), data / "metrics"):
        shutil.rmtree(folder, ignore_errors=True)  # counts begin with each run
        try:
            folder.mkdir(mode=0o700)
        except OSError:  # there is no such place, or it is somebody else's
            continue
        return {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    raise Failed(f"can't make {data / 'metrics'}")
