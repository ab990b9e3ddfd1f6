"""A statement as CSV is read a page at a time, while others write."""

from itertools import islice
from pathlib import Path

import pytest

from intake.readers import Readers
from intake.resources.reports import AccountStatement
from ledger_core.instants import format_instant
from tests.ledger_core.builders import CASH, FEES, SECOND, Ledger

CENTURY_S = 100 * 365 * 86_400


@pytest.fixture
def ahead(tmp_path: Path) -> Ledger:
    """A book whose clock was once a century ahead, so that everything is posted at one instant from then on."""
    ledger = Ledger(tmp_path)
    ledger.account("asset", name="Cash")
    ledger.account("liability", name="Customers")
    ledger.account("revenue", name="Fees")
    ledger.pass_s(CENTURY_S)
    for _ in range(2):
        ledger.post(*[(CASH, 1, "debit"), (FEES, 1, "credit")] * 250)
    return ledger


def test_the_closing_balance_is_that_after_the_last_line_whatever_is_posted_meanwhile(ahead: Ledger) -> None:
    rows = AccountStatement(Readers(ahead.folder))._rows(ahead.org, CASH, {})
    first = list(islice(rows, 500))

    ahead.pass_s(-1)
    ahead.post((CASH, 7, "debit"), (FEES, 7, "credit"))
    *rest, last, closing = rows

    assert (first[1][5], first[2][5]) == (0, 1)
    assert len(rest) >= 1
    assert closing[1:3] == (format_instant(ahead.now + SECOND), "Closing balance")
    assert closing[5] == last[5]
