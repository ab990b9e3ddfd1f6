"""A whole ledger under test: `ledgerctl up` as a process, its children, and its end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from click.testing import CliRunner

from ledgerctl import keys, orgs, verify  # noqa: F401  # each adds its commands to the table
from ledgerctl.broker import socket_path
from ledgerctl.cli import cli
from tests.system.orgs import Org
from tests.waiting import eventually

HTTP_TIMEOUT_S = 60.0


class Process(NamedTuple):
    """A living process of a stack."""

    pid: int
    command: str


class Stack:
    """One `ledgerctl up` on a data folder. It may be started and stopped again and again on the same data."""

    program: Sequence[str] = (sys.executable, "-m", "ledgerctl")

    def __init__(
        self, data: Path, *, workers: int = 1, intakes: int = 1, environment: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self._workers = workers
        self._intakes = intakes
        self._environment = environment or {}
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.base_url = self.broker_url = ""
        self.http = httpx.Client(timeout=HTTP_TIMEOUT_S, limits=httpx.Limits(max_connections=200))

    def start(self) -> "Stack":
        """Start it, and wait for the line that says that it serves."""
        self._starts += 1
        with self.output.open("wb") as output, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.program, "up", *self.options],
                env=self.environment(),
                stdout=output,
                stderr=log,
            )
        ready = eventually(self._ready_line, f"it comes up; see {self.log}")
        _, self.base_url, _, self.broker_url, _, data = ready.split()
        assert Path(data) == self.data
        self.http.close()
        self.http = httpx.Client(
            base_url=self.base_url, timeout=HTTP_TIMEOUT_S, limits=httpx.Limits(max_connections=200)
        )
        return self

    @property
    def options(self) -> list[str]:
        """The options of `ledgerctl up`."""
        processes = ["--workers", str(self._workers), "--intakes", str(self._intakes)]
        return ["--data", str(self.data), "--port", "0", *processes]

    @property
    def output(self) -> Path:
        """What this start of it printed."""
        return self.data.parent / f"{self.data.name}.{self._starts}.out"

    @property
    def log(self) -> Path:
        """What all its starts and all their processes logged."""
        return self.data.parent / f"{self.data.name}.log"

    def environment(self) -> dict[str, str]:
        """Return the environment of its processes: this one's, without settings that happen to be in it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
        return {**kept, "LEDGER_DATA": str(self.data), **self._environment}

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal, check that no process of it is left, and return its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(timeout=60)
        self.http.close()
        eventually(lambda: not self.processes(), "all its processes end")
        return code

    def processes(self, part: str = "") -> list[Process]:
        """Return its living processes, orphans too, whose command line contains something."""
        setting = f"LEDGER_DATA={self.data}".encode()
        socket = str(socket_path(self.data))  # the broker writes it into its command line, over its environment
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if socket in command or setting in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(Process(int(folder.name), command))
            except OSError:  # it ended meanwhile, or is another user's
                continue
        return [process for process in found if part in process.command]

    def kill(self, part: str) -> None:
        """End the one process of that kind as a crash would, and wait until it is gone."""
        (victim,) = self.processes(part)
        self._kill(victim)

    def kill_one(self, part: str) -> None:
        """End one of the processes of that kind as a crash would, and wait until it is gone."""
        self._kill(self.processes(part)[0])

    def _kill(self, victim: Process) -> None:
        os.kill(victim.pid, signal.SIGKILL)
        eventually(lambda: has_ended(victim.pid), "the kernel has ended it")

    @contextmanager
    def halted(self, part: str) -> Iterator[None]:
        """Have its processes of one kind stand still for the length of a block."""
        victims = self.processes(part)
        assert victims, part
        for victim in victims:
            os.kill(victim.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for victim in victims:
                os.kill(victim.pid, signal.SIGCONT)

    def healthy(self) -> bool:
        """Tell whether it says of itself that it is well."""
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    def ctl(self, *arguments: str) -> str:
        """Run a command of `ledgerctl` on its data, in this process, and return what it printed."""
        done = CliRunner().invoke(cli, [*arguments, "--data", str(self.data)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    def shell(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `ledgerctl` on its data as an operator does, in a process of its own."""
        return subprocess.run(
            [*self.program, *arguments],
            env=self.environment() | environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def org(self, slug: str, *options: str) -> Org:
        """Create an org."""
        facts = json.loads(self.ctl("org", "create", slug, "--json", *options))
        return Org(self, facts["slug"], facts["api_key"])

    def proof(self, slug: str) -> dict[str, Any]:
        """Return what `ledgerctl verify` says of an org's book; it must be right."""
        report: dict[str, Any] = json.loads(self.ctl("verify", slug, "--json"))
        assert report["ok"], report
        return report

    def metric(self, name: str) -> float:
        """Return a number of /metrics."""
        for line in self.http.get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise AssertionError(f"/metrics has no {name}")

    def _ready_line(self) -> str | None:
        assert self._process is not None
        lines = self.output.read_text(encoding="utf-8").splitlines(keepends=True)
        for line in lines:
            if line.startswith("ready ") and line.endswith("\n"):
                return line
        assert self._process.poll() is None, f"it ended: {self.log.read_text(encoding='utf-8')[-3_000:]}"
        return None


def has_ended(pid: int) -> bool:
    """Tell whether a process is gone, its files and locks included: a zombie has given them back."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
