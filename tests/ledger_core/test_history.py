"""What an account stood at, at any instant: what was posted at that very instant counts."""

import random

import pytest

from ledger_core.errors import AccountNotFound
from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, NOON, SECOND, Ledger

EXPIRY = NOON + 60 * SECOND


def test_an_entry_counts_from_its_very_instant_on(chart: Ledger) -> None:
    chart.now = NOON + 10 * SECOND
    chart.post((CASH, 50, "debit"), (CUSTOMERS, 50, "credit"))
    chart.now = NOON + 20 * SECOND
    chart.post((CASH, 20, "credit"), (CUSTOMERS, 20, "debit"))
    chart.now = NOON + 30 * SECOND

    seen = [(at, chart.balance(CASH, NOON + at)) for at in (10 * SECOND - 1, 10 * SECOND, 20 * SECOND - 1, 20 * SECOND)]

    assert [(b.total, b.debits, b.credits, b.version) for _, b in seen] == [
        (0, 0, 0, 0),
        (50, 50, 0, 1),
        (50, 50, 0, 1),
        (30, 50, 20, 2),
    ]
    assert all(balance.as_of == NOON + at for at, balance in seen)


def test_everything_posted_at_one_instant_counts(chart: Ledger) -> None:
    for _ in range(3):
        chart.post((CASH, 5, "debit"), (CASH, 1, "credit"), (CUSTOMERS, 4, "credit"))
    at = chart.now
    chart.pass_s(1)
    chart.post((CASH, 5, "debit"), (CUSTOMERS, 5, "credit"))

    balance = chart.balance(CASH, at)

    assert (balance.debits, balance.credits, balance.version) == (15, 3, 6)


@pytest.mark.parametrize("at", [0, NOON - 1, NOON])
def test_before_an_account_had_lines_all_is_zero(chart: Ledger, at: int) -> None:
    chart.pass_s(10)
    chart.post((CASH, 50, "debit"), (CUSTOMERS, 50, "credit"))
    chart.pass_s(10)
    young = chart.account("asset")
    chart.post((young, 50, "debit"), (CUSTOMERS, 50, "credit"))
    chart.pass_s(10)

    for account_id in (CASH, young):
        balance = chart.balance(account_id, at)

        assert (balance.debits, balance.credits, balance.held, balance.version, balance.as_of) == (0, 0, 0, 0, at)


@pytest.mark.parametrize("ahead", [0, 1, 10**15])
def test_an_instant_in_the_future_is_answered_as_of_now(funded: Ledger, ahead: int) -> None:
    funded.hold(CUSTOMERS, 100, expires_in_s=60)
    funded.pass_s(10)

    balance = funded.balance(CUSTOMERS, funded.now + ahead)

    assert (balance.total, balance.held, balance.as_of) == (1000, 100, funded.now)


def test_the_balance_at_now_is_the_balance(funded: Ledger) -> None:
    funded.hold(CUSTOMERS, 100, expires_in_s=60)
    for seconds in (0, 59, 1, 1):
        funded.pass_s(seconds)

        assert funded.balance(CUSTOMERS, funded.now) == funded.balance(CUSTOMERS)


@pytest.mark.parametrize("settled", [False, True])
def test_a_hold_counts_until_just_before_its_expiry(funded: Ledger, settled: bool) -> None:
    funded.hold(CUSTOMERS, 100, expires_in_s=60)
    funded.hold(CUSTOMERS, 7)
    funded.now = EXPIRY + 10
    if settled:
        funded.account("asset")

    instants = (NOON - 1, NOON, EXPIRY - 1, EXPIRY, EXPIRY + 1)

    assert [funded.balance(CUSTOMERS, at).held for at in instants] == [0, 107, 107, 7, 7]


def test_what_was_held_follows_captures_and_releases(funded: Ledger) -> None:
    funded.hold(CUSTOMERS, 100, counter_account_id=FEES)
    for seconds, kind, fields in ((1, "capture", {"amount": 30, "final": False}), (2, "release", {})):
        funded.now = NOON + seconds * SECOND
        funded.write(kind, hold_id=1, **fields)
    funded.pass_s(10)

    at = [NOON, NOON + SECOND - 1, NOON + SECOND, NOON + 2 * SECOND - 1, NOON + 2 * SECOND]

    assert [funded.figures(CUSTOMERS, instant) for instant in at] == [
        (1000, 100, 900),
        (1000, 100, 900),
        (970, 70, 900),
        (970, 70, 900),
        (970, 0, 970),
    ]


@pytest.mark.parametrize("settled", [False, True])
def test_holds_that_expire_at_different_instants_before_any_writer_came(funded: Ledger, settled: bool) -> None:
    for seconds, amount in ((30, 1), (10, 2), (20, 4), (20, 8)):
        funded.hold(CUSTOMERS, amount, expires_in_s=seconds)
    funded.capture(1, amount=1, counter_account_id=FEES)
    funded.pass_s(60)
    if settled:
        funded.account("asset")

    held = [funded.balance(CUSTOMERS, NOON + seconds * SECOND).held for seconds in (0, 9, 10, 19, 20, 30)]

    assert held == [14, 14, 12, 12, 0, 0]


def test_history_does_not_change_when_more_is_written(funded: Ledger) -> None:
    """Look at every instant after each of many writes; no earlier answer may ever differ."""
    random_ = random.Random(7)
    known: dict[int, tuple[int, int, int]] = {}
    for _ in range(60):
        funded.pass_s(random_.choice([0, 1, 5]))
        match random_.randrange(5):
            case 0:
                funded.write(
                    "hold", account_id=CUSTOMERS, amount=random_.randint(1, 50), expires_in_s=random_.choice([3, 9])
                )
            case 1:
                funded.write("capture", hold_id=random_.randint(1, 9), amount=3, final=False, counter_account_id=FEES)
            case 2:
                funded.write("release", hold_id=random_.randint(1, 9))
            case _:
                funded.post((CUSTOMERS, 3, "debit"), (CASH, 3, "credit"))
        funded.pass_s(0.000001)
        for at, figures in known.items():
            assert funded.figures(CUSTOMERS, at) == figures
        known[funded.now - 1] = funded.figures(CUSTOMERS, funded.now - 1)


def test_the_history_of_no_account_is_not_found(chart: Ledger) -> None:
    with pytest.raises(AccountNotFound):
        chart.balance(99, NOON)
