"""Tickets: what waits for a lane, and what it takes of memory, which is what its bytes are bounded for."""

import gc
import json
import tracemalloc

import pytest

from intake.settings import settings
from intake.tickets import Ticket
from ledger_core.commands import Command, PostBulk, PostEntry
from tests.builders import submission

TIMES_MAX = 14  # measured: 10 for bulks, 13 for single entries
WAITING_BYTES_MAX = 256 * 1024 * 1024  # beside which a process of 1 GiB, as in compose, has room for all else
FEW, MANY = 50, 500


def _entry(number: int) -> dict[str, object]:
    lines = [
        {"account_id": account_id, "amount": 50_000, "direction": side}
        for account_id, side in ((1, "debit"), (2, "credit"))
    ]
    return {"idempotency_key": f"a-key-{number:010d}", "description": "Customer deposit by bank card", "lines": lines}


def _command(entries: int, number: int) -> Command:
    """Read a command as it comes over HTTP."""
    if entries == 1:
        return PostEntry.model_validate_json(json.dumps(_entry(number)))
    return PostBulk.model_validate_json(json.dumps({"entries": [_entry(number * entries + n) for n in range(entries)]}))


@pytest.mark.parametrize(("entries", "count"), [(1, 2_000), (FEW, 40), (MANY, 10)])
def test_what_waits_takes_no_more_memory_than_its_bytes_stand_for(entries: int, count: int) -> None:
    _command(entries, 0).fields()
    gc.collect()
    tracemalloc.start()
    tickets = [Ticket(n, "acme", submission(_command(entries, n)), accepted=False) for n in range(count)]
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken / sum(ticket.bytes for ticket in tickets) < TIMES_MAX
    assert settings({}).pending_bytes_max * TIMES_MAX < WAITING_BYTES_MAX
