"""What the processes of a ledger hold after many orgs were touched."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bench.caller import Caller
from bench.ledger import Ledger
from bench.load import Org
from bench.processes import command_of, descriptors, family, memory_mb
from ledger_core.instants import now_us
from ledger_core.orgs import Registry

CALLERS = 8
PROCESSES = {"-m intake": "intake", "-m workers": "worker"}


class Held(NamedTuple):
    """What one process holds. `kind` is `intake` or `worker`."""

    kind: str
    memory_mb: float
    descriptors: int


def touch(ledger: Ledger, count: int) -> list[Held]:
    """Make so many orgs, write to each once and read it once over HTTP, and return what the processes hold then."""
    orgs = _made(ledger.data, count)
    numbers = itertools.count()
    local = threading.local()

    def touch_one(org: Org) -> None:
        if not hasattr(local, "caller"):
            local.caller = Caller(ledger.base_url)
        fields = {"name": "Cash", "type": "asset", "idempotency_key": f"cash-{next(numbers)}"}
        opened = local.caller.call(org, "/v1/accounts", 201, fields)
        local.caller.call(org, f"/v1/accounts/{opened['id']}/balance", 200)

    with ThreadPoolExecutor(CALLERS) as pool:
        for _ in pool.map(touch_one, orgs):
            pass
    return held(ledger)


def held(ledger: Ledger) -> list[Held]:
    """Return what the processes of a ledger hold, HTTP servers and workers."""
    found = []
    for pid in family(ledger.pid):
        for part, kind in PROCESSES.items():
            if part in command_of(pid):
                found.append(Held(kind, memory_mb(pid), descriptors(pid)))
    return found


def _made(data: Path, count: int) -> list[Org]:
    registry = Registry.open_writer(data)
    try:
        made = [registry.create_org(f"org-{n}", name=None, currency=None, now=now_us()) for n in range(count)]
    finally:
        registry.close()
    return [Org(each.org, each.api_key) for each in made]
