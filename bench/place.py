"""Where a run takes place: the ledger and its rivals, each started when it is first asked for."""

import contextlib
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from bench import core, ledger
from bench.big_book import BigBook
from bench.books import make_org, place_holds
from bench.celery import Stock
from bench.ledger import Ledger
from bench.load import Load, Org, Target, put
from bench.processes import cpu_s, ended, family, start
from bench.rivals.stock import ACCOUNTS, ORG

ENDS_PER_S_MAX = 8_000  # holds that are captured, or released, in a second: so many are there to be


class Pace(NamedTuple):
    """How long things take. `seconds` is one measurement, which comes `repeats` times after a warm-up.

    Many short ones: what else the machine does changes from second to second, and all sides are to have the same of it.
    """

    seconds: int = 2
    warm_up_s: int = 2
    repeats: int = 7
    core_entries: int = 20_000

    @property
    def load_s(self) -> int:
        """How long a side is under load in a run."""
        return self.warm_up_s + self.repeats * self.seconds


class Echo(NamedTuple):
    """A running echo."""

    pid: int
    base_url: str

    def load(self, script: str, status_text: str, *, seconds: int, connections: int = 64) -> Load:
        """Put load on it."""
        before_s = cpu_s(pids := family(self.pid))
        load = put(Target(self.base_url, "/echo", script, 200, status_text), connections=connections, seconds=seconds)
        return load._replace(cores=(cpu_s(pids) - before_s) / seconds)


class Place:
    """What the sides of the rows share."""

    def __init__(self, folder: Path, pace: Pace, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self.pace = pace
        self.warm = {"apply", "raw-apply", "raw-bulk"}  # these have a process of their own, and warm up in it
        self._stack = stack
        self._ledgers: dict[str, Ledger] = {}
        self._next_hold: dict[str, int] = {}

    @property
    def ledger(self) -> Ledger:
        """The ledger as `ledgerctl up` runs it."""
        return self.ledger_of(intakes=1, workers=2)

    def ledger_of(self, *, intakes: int, workers: int, name: str = "") -> Ledger:
        """Return a ledger with so many processes, on a data folder of its own."""
        name = name or f"{intakes}x{workers}"
        if name not in self._ledgers:
            running = ledger.running(self.folder / name, workers=workers, intakes=intakes)
            self._ledgers[name] = self._stack.enter_context(running)
        return self._ledgers[name]

    @property
    def org(self) -> Org:
        """The org that most load goes to."""
        return self.ledger.org("one", entries=2_000)

    @cached_property
    def orgs(self) -> list[Org]:
        """A thousand orgs."""
        return [self.ledger.org(f"many-{number}", accounts=10) for number in range(1_000)]

    @cached_property
    def echo(self) -> Echo:
        """The echo under waitress as it comes."""
        return self._echo("stock")

    @cached_property
    def served(self) -> Echo:
        """The echo under intake's own server."""
        return self._echo("intake")

    @cached_property
    def stock(self) -> Stock:
        """The stock way, on the same broker, in a database of its own."""
        make_org(self.ledger.data, ORG, accounts=ACCOUNTS)
        stock = Stock(self.ledger.data, f"{self.ledger.broker_url}?virtual_host=1", self.folder / "stock.log")
        self._stack.enter_context(ended(stock.worker))
        return stock

    @cached_property
    def core(self) -> Path:
        """The folder with what the raw loop is to write."""
        folder = self.folder / "core"
        folder.mkdir()
        core.measured("record", folder, self.pace.core_entries)
        return folder

    def big_book(self, size: int) -> Org:
        """Return an org whose book has so many entries."""
        slug = f"book-of-{size}"
        if slug not in self.ledger.known:
            BigBook(self.ledger.data, size, slug).close()
            self.ledger.known[slug] = make_org(self.ledger.data, slug, accounts=0)
        return self.ledger.known[slug]

    def holds(self, slug: str) -> tuple[Org, int]:
        """Return an org with enough active holds for a run, and the first that is still to be ended."""
        org = self.ledger.org(slug, funds=10**12)
        if slug not in self._next_hold:
            place_holds(self.ledger.data, slug, 1_000, self.pace.load_s * ENDS_PER_S_MAX)
            self._next_hold[slug] = 1
        return org, self._next_hold[slug]

    def ended_holds(self, slug: str, count: int) -> None:
        """Note that so many of an org's holds are used up."""
        self._next_hold[slug] += count

    def verify(self) -> int:
        """Prove every book of every ledger, and return how many there are."""
        return sum(ledger.verify(each.data) for each in self._ledgers.values())

    def _echo(self, served_by: str) -> Echo:
        process = start([sys.executable, "-m", "bench.rivals.echo", served_by], stdout=subprocess.PIPE)
        self._stack.enter_context(ended(process))
        assert process.stdout is not None
        return Echo(process.pid, process.stdout.readline().strip())
