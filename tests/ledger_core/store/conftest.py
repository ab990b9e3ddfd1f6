"""What these tests share: a book of this program, and a program that is newer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import newer_program
from tests.ledger_core.builders import CASH, CUSTOMERS, Ledger, posting


@pytest.fixture
def older(tmp_path: Path) -> Ledger:
    """A book of this program, closed, with something of everything in it."""
    driver = Ledger(tmp_path)
    driver.account(type="asset", name="Cash")
    driver.account(type="liability", name="Customers")
    driver.post((CASH, 1000, "debit"), (CUSTOMERS, 1000, "credit"))
    driver.capture(driver.hold(CUSTOMERS, 300, counter_account_id=CASH).id, amount=100, final=False)
    driver.write("bulk", entries=[posting((CASH, 1, "debit"), (CUSTOMERS, 1, "credit"))] * 3)
    driver.entry((CASH, 1, "debit"), (CUSTOMERS, 2, "credit"), idempotency_key="refused")
    driver.close()
    return driver


@pytest.fixture
def newer(older: Ledger) -> Iterator[pytest.MonkeyPatch]:
    """The book of an older program, and this program is the newer one."""
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        yield patch
