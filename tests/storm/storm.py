"""A storm from beginning to end: load and faults, then calm, then the audit."""

import gc
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ledgerctl.cli import cli  # noqa: F401  # its commands are run in this process
from tests.storm.audit import Violation, audit
from tests.storm.callers import TIMEOUTS_S, Caller
from tests.storm.disk import Disk, disk_of
from tests.storm.journal import Journal, read
from tests.storm.observe import observe
from tests.storm.plan import FAULTS, ORGS, strikes
from tests.storm.report import Figures, figures
from tests.storm.requests import HttpCaller, QueueCaller
from tests.storm.service import Service
from tests.storm.settle import AUDITOR, Settlement
from tests.storm.stories import Storybook
from tests.storm.system import System
from tests.storm.town import Town, founding
from tests.storm.watch import Watcher
from tests.storm.weather import Weather

CALLER_ENDS_S_MAX = 45.0  # no call may take longer than this, whatever happens
PATIENT_S = 35.0
HTTP_CALLERS = 8
SERVICES = ("queue0", "queue1", "plain0")  # by `LedgerQueue`, and by Celery alone


def storm(
    folder: Path,
    *,
    seed: int,
    seconds: float,
    faults: Sequence[str] = FAULTS,
    disk_of: Callable[[Path], Disk] = disk_of,
) -> Figures:
    """Rage for that many seconds over a ledger in a folder, and return what it came to. Journal and log stay there."""
    system = System(folder, disk_of)
    try:
        system.start()
        raging = _Storm(system, seed)
        try:
            return raging.run(seconds, faults)
        finally:
            raging.close()
    finally:
        system.close()


class _Storm:
    def __init__(self, system: System, seed: int) -> None:
        self._system = system
        self._seed = seed
        self._keys = {slug: system.org(slug).api_key for slug in ORGS}
        self._journal = Journal(system.folder / "journal")
        self._town = Town()
        self._broker_url = system.environment()["LEDGER_REDIS_URL"]
        self._watcher = Watcher(self._http("watcher", TIMEOUTS_S[0]), self._journal, self._town)
        self._callers = [
            Caller(
                seed, self._http(f"http{n}", TIMEOUTS_S[n % len(TIMEOUTS_S)]), self._journal, self._town, self._watcher
            )
            for n in range(HTTP_CALLERS)
        ]
        self._services = [Service(name, self._broker_url, self._journal.path, seed) for name in SERVICES]

    def run(self, seconds: float, faults: Sequence[str]) -> Figures:
        self._found()
        weather = Weather(self._system, self._journal, strikes(self._seed, seconds, faults), seconds)
        began_at_s = time.monotonic()
        hung = self._rage(weather, seconds)
        span = began_at_s, time.monotonic()
        self._settle()
        stuck = [] if weather.last_wave() else [Violation("odd", "lanes", "are not worked through in all calm")]
        self._journal.close()
        book = Storybook(read(self._journal.path))
        observed = [observe(self._system, slug, key) for slug, key in self._keys.items()]
        violations = hung + stuck + audit(book.stories, observed)
        if violations:
            shutil.copytree(self._system.data / "books", self._system.folder / "books")
        return figures(book, violations, seed=self._seed, span=span, disk=self._system.disk.name)

    def close(self) -> None:
        """End every caller, whatever it is at, while there is still a broker for Celery to say goodbye to."""
        for each in (self._watcher, *self._callers):
            each.stop()
        for service in self._services:
            service.kill()
        gc.collect()

    def _found(self) -> None:
        founder = self._http("founder", PATIENT_S)
        for write in founding():
            self._journal.append(write)
            self._journal.append(founder.write(write, "sync"))
        founder.close()

    def _rage(self, weather: Weather, seconds: float) -> list[Violation]:
        """Let load and faults go, and tell of the callers that did not come back in order."""
        over_at_s = time.monotonic() + seconds
        for runner in (self._watcher, *self._callers):
            runner.thread.start()
        for service in self._services:
            service.start()
        weather.rage()
        time.sleep(max(over_at_s - time.monotonic(), 0.0))
        self._system.wait_until_well()
        for each in (self._watcher, *self._callers, *self._services):
            each.stop()
        ends = [(caller.name, caller.join(CALLER_ENDS_S_MAX)) for caller in (*self._callers, *self._services)]
        return [Violation("odd", name, error) for name, error in ends if error is not None]

    def _settle(self) -> None:
        settlement = Settlement(
            self._journal,
            lambda: self._http(AUDITOR, PATIENT_S),
            lambda: QueueCaller(AUDITOR, self._broker_url, plain=True),
        )
        settlement.settle(Storybook(read(self._journal.path)).stories.values())
        settlement.repeat(Storybook(read(self._journal.path)).stories.values())

    def _http(self, name: str, timeout_s: float) -> HttpCaller:
        return HttpCaller(name, self._system.callers_port, self._keys, timeout_s)
