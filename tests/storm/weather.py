"""The weather: carries out the faults of a plan, each at its time, and heals what is still wrong at the end."""

import heapq
import itertools
import time
from collections.abc import Sequence

from tests.storm.faults import ALL
from tests.storm.faults.fault import Fault, Impossible
from tests.storm.faults.lanes import LANES
from tests.storm.journal import Fault as Struck
from tests.storm.journal import Journal
from tests.storm.plan import Strike
from tests.storm.system import System

TEND_EVERY_S = 0.1
THROUGH_S_MAX = 60.0  # far beyond what it takes


class Weather:
    """Faults as they are due."""

    def __init__(self, system: System, journal: Journal, strikes: Sequence[Strike], seconds: float) -> None:
        self._system = system
        self._journal = journal
        self._seconds = seconds
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Strike, Fault | None]] = []  # a fault that began is there to end
        for strike in strikes:
            self._plan(strike.at_s, strike, None)

    def rage(self) -> None:
        """Let every fault strike and end; then everything that can be made well is."""
        began_at_s = time.monotonic()
        while self._due:
            self._system.tend()
            left_s = began_at_s + self._due[0][0] - time.monotonic()
            if left_s > 0:
                time.sleep(min(left_s, TEND_EVERY_S))
                continue
            _, _, strike, fault = heapq.heappop(self._due)
            if fault is None:
                self._begin(strike)
            else:
                fault.end()

    def last_wave(self) -> bool:
        """Bring back every message that was ever stolen, in all calm, and tell whether the workers get through."""
        client = self._system.broker()
        for lane, message in list(self._system.stolen):
            client.lpush(lane, message)
        give_up_at_s = time.monotonic() + THROUGH_S_MAX
        while any(client.llen(lane) for lane in LANES):
            if time.monotonic() > give_up_at_s:
                return False
            time.sleep(TEND_EVERY_S)
        return True

    def _begin(self, strike: Strike) -> None:
        fault = ALL[strike.fault](self._system, strike.pick)
        failed = None
        try:
            fault.begin()
        except Impossible as why:
            failed = str(why)
        else:
            self._plan(min(strike.at_s + strike.length_s, self._seconds), strike, fault)
        self._journal.append(Struck(strike.fault, strike.length_s, failed))

    def _plan(self, at_s: float, strike: Strike, fault: Fault | None) -> None:
        heapq.heappush(self._due, (at_s, next(self._numbers), strike, fault))
