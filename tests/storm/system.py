"""What a storm rages over: `ledgerctl up`, a broker beside it, and lines between them and to callers."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx

from ledgerctl.broker import socket_path
from ledgerctl.stack import counts_in_memory
from tests.storm.disk import Disk
from tests.system.stack import HTTP_TIMEOUT_S, Stack
from tests.waiting import eventually
from wire import broker

SUPERVISOR, WORKER, INTAKE, BROKER = "-m ledgerctl up", "-m workers", "-m intake", "valkey-server"
BROKER_SUPERVISOR = "-m tests.storm.broker"
MOVED_CLOCK, HOUSE = Path(__file__).parent / "moved_clock", Path(__file__).parents[2]
WORKERS, INTAKES = 2, 2
STOLEN_MAX = 200

Stolen = tuple[str, bytes]  # lane, message


class Proxy:
    """A line that can be broken, as a process of its own."""

    def __init__(self, listen: str, target: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.storm.proxy", listen, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().decode().strip()
        assert self.address, "the proxy listens"

    def command(self, name: str) -> None:
        """Have it do something: see `tests.storm.proxy`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name}\n".encode())
        self._process.stdin.flush()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


class System(Stack):
    """A stack whose surroundings can be made to fail."""

    def __init__(self, folder: Path, disk_of: Callable[[Path], Disk]) -> None:
        self.folder = folder
        data = folder / "data"
        self.disk = disk_of(data)
        self.stolen: deque[Stolen] = deque(maxlen=STOLEN_MAX)  # messages that may come back much later
        self._clock = folder / "clock"
        self.move_clock(0.0)
        self._port = _free_port()
        self.own_broker_url = f"redis+socket://{socket_path(data)}"
        (folder / "line").mkdir()
        self.to_broker = Proxy(str(folder / "line" / "broker.sock"), str(socket_path(data)))
        self.to_intake = Proxy("0", str(self._port))
        super().__init__(
            data,
            workers=WORKERS,
            environment={
                "LEDGER_REDIS_URL": f"redis+socket://{self.to_broker.address}",
                "PYTHONPATH": os.pathsep.join([str(MOVED_CLOCK), str(HOUSE)]),
                "STORM_CLOCK": str(self._clock),
                "LEDGER_LOG_LEVEL": "info",
            },
        )
        self._broker: subprocess.Popen[bytes] | None = None

    @property
    def options(self) -> list[str]:
        """The options of `ledgerctl up`: always the same port."""
        processes = ["--workers", str(WORKERS), "--intakes", str(INTAKES)]
        return ["--data", str(self.data), "--port", str(self._port), *processes, "--die-with-parent"]

    @property
    def callers_port(self) -> int:
        """The port at which callers reach intake, through a line that can be broken."""
        return int(self.to_intake.address)

    def start(self) -> "System":
        """Start the broker and everything else, and wait until it serves."""
        environment = {**self.environment(), "PYTHONPATH": ""}
        with self.log.open("ab") as log:
            self._broker = subprocess.Popen(
                [sys.executable, "-m", "tests.storm.broker", str(self.data)], env=environment, stdout=log, stderr=log
            )
        self.tend()
        self.base_url = f"http://127.0.0.1:{self._port}"
        self.http = httpx.Client(base_url=self.base_url, timeout=HTTP_TIMEOUT_S)
        self.wait_until_well()
        return self

    def wait_until_well(self) -> None:
        """Wait until it says of itself that it is well."""

        def well() -> bool:
            self.tend()
            return self.healthy()

        eventually(well, f"it is well; see {self.log}")

    def tend(self) -> None:
        """Start `ledgerctl up` if it does not run, as the machine's init would. It ends with the thread that calls."""
        if self._process is not None and self._process.poll() is None:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ledgerctl", "up", *self.options],
                env=self.environment(),
                stdout=log,
                stderr=log,
            )

    def close(self) -> None:
        """End everything, and leave nothing behind but the journal and the log."""
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        for started in (self._process, self._broker):
            if started is not None:
                started.wait(timeout=60)
        self.http.close()
        self.to_broker.close()
        self.to_intake.close()
        eventually(lambda: not self.processes(), "all its processes end")
        self.disk.close()
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(counts_in_memory(self.data), ignore_errors=True)

    def move_clock(self, seconds: float) -> None:
        """Move the clock of its processes away from the machine's."""
        new = self._clock.with_suffix(".new")
        if not self._clock.exists():
            new.write_bytes(bytes(8))
            new.rename(self._clock)
        with self._clock.open("r+b") as file:
            file.write(struct.pack("q", int(seconds * 1e9)))

    def pids(self, *parts: str) -> list[int]:
        """Return the processes of some kinds."""
        return [process.pid for part in parts for process in self.processes(part)]

    def broker(self) -> "broker.redis.Redis":
        """Return a client of the broker itself, past the line."""
        return broker.connect(self.own_broker_url, answer_timeout_s=1.0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
