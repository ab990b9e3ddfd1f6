"""Load on the stock way: callers in processes of their own, as many as make it fastest."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

from bench import books
from bench.failures import Failure
from bench.load import Load
from bench.processes import cpu_s, start
from bench.rivals.stock import ORG, POST

MODULE = [sys.executable, "-m", "bench.rivals.stock"]
TRY_S = 2.0


class Stock:
    """A running worker of the stock way, and its callers."""

    def __init__(self, data: Path, url: str, log: Path) -> None:
        self._data = data
        self._url = url
        self._processes: int | None = None  # not found out yet
        with log.open("wb") as output:
            self.worker = start([*MODULE, "worker", url, str(data)], stdout=output, stderr=output)

    def calls(self, task: str, *, callers: int, seconds: float) -> Load:
        """Call for a time, and find in the book what was answered.

        Raises:
            Failure: there are fewer or more entries than were answered.
        """
        processes = 1 if callers == 1 else self._best(callers)
        return self._calls(task, callers, seconds, processes)

    def _best(self, callers: int) -> int:
        """Return whether one process of callers is faster or two."""
        if self._processes is None:
            tried = {each: self._calls(POST, callers, TRY_S, each).rate for each in (1, 2)}
            self._processes = max(tried, key=lambda each: tried[each])
        return self._processes

    def _calls(self, task: str, callers: int, seconds: float, processes: int) -> Load:
        before = books.count(self._data, [ORG], books.ENTRIES)
        began_s = cpu_s([self.worker.pid])
        waits_s, took_s = self._called(task, callers, seconds, processes)
        cores = (cpu_s([self.worker.pid]) - began_s) / took_s
        made = books.count(self._data, [ORG], books.ENTRIES) - before
        if made != (len(waits_s) if task == POST else 0):
            raise Failure(f"Celery answered {len(waits_s)} calls of {task} and made {made} entries")
        waits_s.sort()
        p50_s, p99_s = (waits_s[len(waits_s) * part // 100] for part in (50, 99))
        return Load(len(waits_s), len(waits_s) / took_s, p50_s * 1e3, p99_s * 1e3, cores)

    def _called(self, task: str, callers: int, seconds: float, processes: int) -> tuple[list[float], float]:
        command = [*MODULE, "calls", self._url, task, str(seconds), str(callers // processes)]
        running = [start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(processes)]
        for process in running:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdout.readline()  # it is ready
        told = [process.communicate("go\n")[0] for process in running]
        if any(process.returncode for process in running):
            raise Failure("a caller of the stock way failed")
        found = [json.loads(each) for each in told]
        return list(itertools.chain(*(each["waits"] for each in found))), max(each["seconds"] for each in found)
