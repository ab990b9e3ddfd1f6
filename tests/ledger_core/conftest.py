"""What these tests share: a fresh book, and one with a small chart of accounts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger_core.builders import CASH, CUSTOMERS, Ledger
from tests.ledger_core.town import make_wrong


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new, empty book."""
    driver = Ledger(tmp_path)
    yield driver
    driver.close()


@pytest.fixture
def chart(ledger: Ledger) -> Ledger:
    """A book with cash (account 1, an asset), customers (2, a liability) and fees (3, revenue), all empty."""
    ledger.account(type="asset", name="Cash")
    ledger.account(type="liability", name="Customers")
    ledger.account(type="revenue", name="Fees")
    return ledger


@pytest.fixture
def funded(chart: Ledger) -> Ledger:
    """The chart, with 1000 of customers' money (entry 1)."""
    chart.post((CASH, 1000, "debit"), (CUSTOMERS, 1000, "credit"))
    return chart


@pytest.fixture
def town(ledger: Ledger) -> Ledger:
    """A book in which everything that can be wrong is wrong somewhere."""
    make_wrong(ledger)
    return ledger
