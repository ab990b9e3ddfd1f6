"""A ledger under load: `ledgerctl up` on a folder of its own, and each answer of it found in its books."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import books
from bench.failures import Failure
from bench.load import Load, Org, Target, put
from bench.processes import cpu_s, ended, family, start

PROGRAM = [sys.executable, "-m", "ledgerctl"]
# What is measured is how fast it accepts, not when it turns callers away; each run waits until all is applied.
ENVIRONMENT = {"LEDGER_PENDING_PER_ORG": "50000"}
LOG_CHARS = 3_000


class Ledger:
    """A running ledger."""

    def __init__(self, data: Path, pid: int, base_url: str, broker_url: str) -> None:
        self.data = data
        self.pid = pid
        self.base_url = base_url
        self.broker_url = broker_url
        self.known: dict[str, Org] = {}

    def org(self, slug: str, *, accounts: int = 1_000, entries: int = 0, funds: int = 0) -> Org:
        """Return an org, made when it is first asked for."""
        if slug not in self.known:
            made = books.make_org(self.data, slug, accounts=accounts, entries=entries, funds=funds)
            self.known[slug] = made
        return self.known[slug]

    def target(self, path: str, script: str, status: int, text: str, orgs: Sequence[Org]) -> Target:
        """Return where load goes."""
        return Target(self.base_url, path, script, status, text, orgs)

    def read(self, target: Target, *, connections: int, seconds: int) -> Load:
        """Put load on it that changes nothing."""
        before_s = cpu_s(pids := family(self.pid))
        load = put(target, connections=connections, seconds=seconds)
        return load._replace(cores=(cpu_s(pids) - before_s) / seconds)

    def write(
        self,
        target: Target,
        *,
        connections: int,
        seconds: int,
        question: str = books.ENTRIES,
        each: int = 1,
        beside: Callable[[], int] = lambda: 0,
    ) -> Load:
        """Put load on it, wait until all is applied, and find in the books what was answered; no more, no less.

        `question`: how to count what is made; an answer stands for `each` of them, and so does the rate.
        `beside`: ends whoever else makes some, and tells how many that were.

        Raises:
            Failure: there are fewer than were answered, or more than were asked for.
        """
        slugs = [org.slug for org in target.orgs]
        before = books.count(self.data, slugs, question)
        load = self.read(target, connections=connections, seconds=seconds)
        least = load.answers * each + beside()
        made = books.settled(self.data, slugs, question, before + least, load.p99_ms / 1e3) - before
        if made > least + connections * each:  # wrk cuts what is under way at its end, one for each connection
            raise Failure(f"{target.path}: {least} were answered, and {made} were made")
        return load._replace(rate=load.rate * each)


@contextlib.contextmanager
def running(data: Path, *, workers: int = 2, intakes: int = 1) -> Iterator[Ledger]:
    """Run a ledger for the length of a block.

    Raises:
        Failure: it does not start.
    """
    options = ["--data", str(data), "--port", "0", "--workers", str(workers), "--intakes", str(intakes)]
    log = data.with_suffix(".log")
    with log.open("wb") as errors:
        process = start(
            [*PROGRAM, "up", *options, "--die-with-parent"], ENVIRONMENT, stdout=subprocess.PIPE, stderr=errors
        )
    with ended(process):
        assert process.stdout is not None
        words = process.stdout.readline().split()
        if not words:
            raise Failure(f"the ledger does not start:\n{log.read_text(encoding='utf-8')[-LOG_CHARS:]}")
        yield Ledger(data, process.pid, words[1], words[3])


def verify(data: Path) -> int:
    """Prove every book of a data folder with `ledgerctl verify`, and return how many there are.

    Raises:
        Failure: one of them is not right.
    """
    process = start([*PROGRAM, "verify", "--data", str(data)], stdout=subprocess.PIPE)
    output = process.communicate()[0]
    if process.returncode:
        wrong = [line for line in output.splitlines() if ": right;" not in line]
        raise Failure("\n".join(["a book is not right:", *wrong[:20]]))
    return len(output.splitlines())
