"""A book in which everything that can be wrong is wrong somewhere, and the names of what is in it."""

from tests.ledger_core.builders import Ledger

NOTHING, NOTHING_ELSE = 99, 98  # the ids of what does not exist
CASH, WALLET, EUROS, CLOSED, STRICT, BIG, FULL = 1, 2, 3, 4, 5, 6, 7
ACTIVE, RELEASED, BARE, CLOSING = 1, 2, 3, 4  # holds
REVERSED, OF_CLOSED, FROM_FULL = 2, 4, 6  # entries
MOST = 2**53 - 1


def make_wrong(ledger: Ledger) -> None:
    """Fill an empty book so that everything that can be wrong is wrong somewhere."""
    ledger.account("asset", code="1000")
    ledger.account("liability", overdraft_limit=0)
    ledger.account("asset", currency="EUR")
    ledger.account("liability")
    ledger.account("asset", overdraft_limit=0)
    ledger.account("asset")
    ledger.account("equity")
    ledger.post((CASH, 1000, "debit"), (WALLET, 1000, "credit"))
    ledger.post((CASH, 100, "debit"), (WALLET, 100, "credit"))
    ledger.reverse(REVERSED)
    ledger.post((CASH, 7, "debit"), (CLOSED, 7, "credit"))
    ledger.reverse(OF_CLOSED)
    ledger.post((FULL, 600, "debit"), (WALLET, 600, "credit"))
    ledger.post((WALLET, 600, "debit"), (CASH, 600, "credit"))
    ledger.hold(WALLET, 300, counter_account_id=CASH)
    ledger.release(ledger.hold(WALLET, 300, counter_account_id=CASH).id)
    ledger.hold(WALLET, 100)
    ledger.hold(WALLET, 100, counter_account_id=CLOSED)
    ledger.write("closure", account_id=CLOSED)
    fill(ledger)


def fill(ledger: Ledger) -> None:
    """Leave room for just 100 more in the totals of two accounts: 1024 * (2^53 - 1) + 923 + 100 = 2^63 - 1."""
    for _ in range(4):
        ledger.post(*[(BIG, MOST, "debit")] * 250, *[(FULL, MOST, "credit")] * 250)
    ledger.post(
        *[(BIG, MOST, "debit")] * 24, (BIG, 923, "debit"), *[(FULL, MOST, "credit")] * 24, (FULL, 923, "credit")
    )
