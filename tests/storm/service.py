"""Another service that writes by the queue, as a process of its own: `python -m tests.storm.service ...`.

It works until its standard input ends, and then prints what went wrong with it, if anything did.
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from ledgerctl.processes import die_with_parent
from tests.storm.callers import Caller
from tests.storm.journal import Journal
from tests.storm.requests import QueueCaller
from tests.storm.town import Town


class Service:
    """Such a process, from start to stop, as the storm sees it."""

    def __init__(self, name: str, url: str, journal: Path, seed: int) -> None:
        self.name = name
        command = [sys.executable, "-m", "tests.storm.service", name, url, str(journal), str(seed)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "it is there"

    def start(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"start\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """Let it end after the attempt that it is at."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def join(self, timeout_s: float) -> str | None:
        """Wait until it has ended; return what went wrong."""
        assert self._process.stdout is not None
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return f"hangs in a call for more than {timeout_s} s"
        return self._process.stdout.read().decode().strip() or None

    def kill(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.wait()


def main() -> int:
    """Work until standard input ends."""
    parser = argparse.ArgumentParser()
    for name in ("name", "url", "journal", "seed"):
        parser.add_argument(name)
    chosen = parser.parse_args()
    journal = Journal(Path(chosen.journal))
    by = QueueCaller(chosen.name, chosen.url, plain=chosen.name.startswith("plain"))
    caller = Caller(int(chosen.seed), by, journal, Town())
    print("ready", flush=True)
    sys.stdin.readline()
    caller.thread.start()
    sys.stdin.read()
    caller.stop()
    caller.thread.join()
    journal.close()
    if caller.error is not None:
        print(repr(caller.error), flush=True)
    os._exit(0)  # Celery's own end waits for a broker that may be away


if __name__ == "__main__":
    die_with_parent(signal.SIGKILL, os.getppid())
    sys.exit(main())
