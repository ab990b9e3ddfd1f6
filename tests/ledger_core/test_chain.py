"""The hash chain can be replayed by anyone: here with nothing but the standard library."""

import hashlib
import json

from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, Ledger


def test_the_chain_is_what_its_description_says(chart: Ledger) -> None:
    chart.post((CASH, 1000, "debit"), (CUSTOMERS, 1000, "credit"), description='é "\u2028" 😀', idempotency_key="k")
    chart.post((CASH, 5, "debit"), (CASH, 5, "credit"), metadata={"b": "2", "a": "/"})
    chart.hold(CUSTOMERS, 10, counter_account_id=FEES)
    chart.capture(1)
    chart.reverse(3)

    previous = bytes(32)
    for entry_id in range(1, 5):
        entry = chart.read_entry(entry_id)
        lines = [
            [line.account_id, line.side, line.amount, line.version, line.debits, line.credits] for line in entry.lines
        ]
        content = [
            entry.id,
            entry.posted_at,
            entry.description,
            entry.idempotency_key,
            dict(entry.metadata),
            entry.reverses,
            entry.hold_id,
            lines,
        ]
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        previous = hashlib.sha256(previous + text.encode()).digest()

        assert entry.hash == previous
