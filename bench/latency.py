"""From accepted to applied: how long one who got a `202` waits for the outcome, at half the load that is taken."""

import json
import subprocess
import sys
from typing import NamedTuple

from bench.failures import Failure
from bench.place import Place
from bench.processes import start
from bench.sides import CONNECTIONS, accept

PAUSE_MS_MIN = 1.0
TRIES = 2


class Waits(NamedTuple):
    """From a `202` to its outcome, in milliseconds, at a load that was wanted and the one that was reached."""

    p50_ms: float
    p99_ms: float
    probes: int
    wanted: float
    reached: float


def measure(place: Place) -> Waits:
    """Measure at half of what the ledger accepts when it is asked for as much as it can."""
    accept(place, place.pace.warm_up_s)
    wanted = accept(place, place.pace.seconds).rate / 2
    cycle_ms = pause_ms = CONNECTIONS / wanted * 1e3
    for _ in range(TRIES):  # an answer takes time too, which is found out
        tried = accept(place, place.pace.warm_up_s, pause_ms)
        pause_ms = max(pause_ms + cycle_ms - CONNECTIONS / tried.rate * 1e3, PAUSE_MS_MIN)
    waits_s: list[float] = []
    reached = []
    for _ in range(place.pace.repeats):
        probe = _Probe(place)
        reached.append(accept(place, 2 * place.pace.seconds, pause_ms, probe.end).rate)
        waits_s += probe.waits_s
    waits_s.sort()
    p50_s, p99_s = (waits_s[len(waits_s) * part // 100] for part in (50, 99))
    return Waits(p50_s * 1e3, p99_s * 1e3, len(waits_s), wanted, sum(reached) / len(reached))


class _Probe:
    """A probe, from now until it is told to end."""

    def __init__(self, place: Place) -> None:
        self.waits_s: list[float] = []
        command = [sys.executable, "-m", "bench.probe"]
        self._process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{place.ledger.base_url} {place.org.slug} {place.org.key}\n")
        self._process.stdin.flush()

    def end(self) -> int:
        """End it, and return how many entries it posted.

        Raises:
            Failure: an answer was not as it must be.
        """
        output = self._process.communicate()[0]
        if self._process.returncode:
            raise Failure("an answer to the probe was not right")
        self.waits_s = json.loads(output)
        return len(self.waits_s)
