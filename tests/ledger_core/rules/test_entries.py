"""Posting: who is checked, against what, and what an entry leaves behind."""

import pytest

from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, Ledger, refusal

AMOUNT_MAX = 2**53 - 1


def test_an_entry_moves_both_sides(chart: Ledger) -> None:
    posted = chart.post((CASH, 50_000, "debit"), (CUSTOMERS, 50_000, "credit"), description="Customer deposit")

    assert (posted.id, posted.posted_at, posted.description) == (1, chart.now, "Customer deposit")
    assert chart.figures(CASH) == (50_000, 0, 50_000)
    assert chart.figures(CUSTOMERS) == (50_000, 0, 50_000)
    assert chart.findings() == []


def test_an_entry_is_read_as_it_was_posted(chart: Ledger) -> None:
    posted = chart.post(
        (CASH, 7, "debit"), (FEES, 2, "credit"), (CUSTOMERS, 5, "credit"), metadata={"b": "2", "a": "é"}
    )

    assert chart.read_entry(posted.id) == posted
    assert [(line.account_id, line.amount, line.side) for line in posted.lines] == [
        (CASH, 7, "debit"),
        (FEES, 2, "credit"),
        (CUSTOMERS, 5, "credit"),
    ]


def test_each_line_carries_what_its_account_stands_at(chart: Ledger) -> None:
    chart.post((CASH, 7, "debit"), (FEES, 7, "credit"))

    posted = chart.post((CASH, 5, "debit"), (CASH, 2, "credit"), (FEES, 3, "credit"))

    assert [(line.version, line.debits, line.credits) for line in posted.lines] == [(2, 12, 0), (3, 12, 2), (2, 0, 10)]


def test_an_account_may_stand_on_both_sides(chart: Ledger) -> None:
    chart.post((CASH, 5, "debit"), (CASH, 5, "credit"))

    balance = chart.balance(CASH)
    assert (balance.total, balance.debits, balance.credits, balance.version) == (0, 5, 5, 2)


def test_an_entry_balances_in_each_currency(chart: Ledger) -> None:
    euros, lent = chart.account("asset", currency="EUR"), chart.account("liability", currency="EUR")

    chart.post((CASH, 110, "debit"), (euros, 100, "debit"), (FEES, 110, "credit"), (lent, 100, "credit"))

    assert [chart.balance(id_).total for id_ in (CASH, euros, FEES, lent)] == [110, 100, 110, 100]
    assert chart.findings() == []


def test_equal_numbers_of_two_currencies_do_not_balance(chart: Ledger) -> None:
    euros = chart.account("asset", currency="EUR")

    why = refusal(chart.entry((CASH, 100, "debit"), (euros, 100, "credit")))

    assert (why.code, why.facts) == ("unbalanced_entry", {"currency": "USD", "debits": 100, "credits": 0})


def test_the_first_currency_out_of_balance_is_named(chart: Ledger) -> None:
    euros, lent = chart.account("asset", currency="EUR"), chart.account("liability", currency="EUR")

    why = refusal(chart.entry((CASH, 9, "debit"), (euros, 5, "debit"), (CUSTOMERS, 9, "credit"), (lent, 6, "credit")))

    assert why.facts == {"currency": "EUR", "debits": 5, "credits": 6}


@pytest.mark.parametrize(
    ("limit", "spent", "allowed"),
    [
        (None, 100, True),
        (None, 101, True),
        (None, AMOUNT_MAX, True),
        (0, 100, True),
        (0, 101, False),
        (30, 130, True),
        (30, 131, False),
    ],
)
def test_an_overdraft_limit_bounds_what_entries_take(
    ledger: Ledger, limit: int | None, spent: int, allowed: bool
) -> None:
    wallet, cash = ledger.account("liability", overdraft_limit=limit), ledger.account("asset")
    ledger.post((cash, 100, "debit"), (wallet, 100, "credit"))

    outcome = ledger.entry((wallet, spent, "debit"), (cash, spent, "credit"))

    assert (outcome.refusal is None) is allowed
    assert ledger.balance(wallet).total == (100 - spent if allowed else 100)


@pytest.mark.parametrize(("type_", "taking", "giving"), [("asset", "credit", "debit"), ("expense", "credit", "debit")])
def test_taking_from_a_debit_normal_account_is_a_credit(ledger: Ledger, type_: str, taking: str, giving: str) -> None:
    till, other = ledger.account(type_, overdraft_limit=0), ledger.account("equity")
    ledger.post((till, 10, giving), (other, 10, taking))

    why = refusal(ledger.entry((till, 11, taking), (other, 11, giving)))

    assert why.facts == {"account_id": till, "required": 11, "available": 10, "held": 0, "total": 10}


@pytest.mark.parametrize("type_", ["liability", "equity", "revenue"])
def test_taking_from_a_credit_normal_account_is_a_debit(ledger: Ledger, type_: str) -> None:
    wallet, other = ledger.account(type_, overdraft_limit=0), ledger.account("asset")

    why = refusal(ledger.entry((wallet, 1, "debit"), (other, 1, "credit")))

    assert why.facts == {"account_id": wallet, "required": 1, "available": 0, "held": 0, "total": 0}


def test_only_the_net_effect_of_an_entry_is_checked(ledger: Ledger) -> None:
    wallet, cash = ledger.account("liability", overdraft_limit=0), ledger.account("asset")
    ledger.post((cash, 10, "debit"), (wallet, 10, "credit"))

    ledger.post((wallet, 500, "debit"), (wallet, 495, "credit"), (cash, 5, "credit"))

    assert ledger.balance(wallet).total == 5


def test_required_is_what_an_entry_takes_net(ledger: Ledger) -> None:
    wallet, cash = ledger.account("liability", overdraft_limit=0), ledger.account("asset")
    ledger.post((cash, 10, "debit"), (wallet, 10, "credit"))

    why = refusal(ledger.entry((wallet, 500, "debit"), (wallet, 480, "credit"), (cash, 20, "credit")))

    assert why.facts == {"account_id": wallet, "required": 20, "available": 10, "held": 0, "total": 10}


def test_whoever_puts_money_in_is_not_refused_for_what_was_wrong_before(ledger: Ledger) -> None:
    overdrawn, cash = ledger.account("liability"), ledger.account("asset")
    ledger.post((overdrawn, 100, "debit"), (cash, 100, "credit"))

    ledger.post((cash, 1, "debit"), (overdrawn, 1, "credit"))
    ledger.post((overdrawn, 5, "debit"), (overdrawn, 5, "credit"))

    assert ledger.balance(overdrawn).total == -99


def test_the_first_account_without_funds_is_named(ledger: Ledger) -> None:
    first, second, cash = (ledger.account("liability", overdraft_limit=0) for _ in range(3))

    why = refusal(ledger.entry((cash, 9, "credit"), (second, 5, "debit"), (first, 4, "debit")))

    assert why.facts["account_id"] == second


@pytest.mark.parametrize(("limit", "spendable"), [(None, 60), (0, 60), (25, 85)])
def test_an_entry_never_spends_what_is_held(ledger: Ledger, limit: int | None, spendable: int) -> None:
    wallet, cash = ledger.account("liability", overdraft_limit=limit), ledger.account("asset")
    ledger.post((cash, 100, "debit"), (wallet, 100, "credit"))
    ledger.hold(wallet, 40)

    why = refusal(ledger.entry((wallet, spendable + 1, "debit"), (cash, spendable + 1, "credit")))
    ledger.post((wallet, spendable, "debit"), (cash, spendable, "credit"))

    assert why.facts == {"account_id": wallet, "required": spendable + 1, "available": 60, "held": 40, "total": 100}
    assert ledger.figures(wallet) == (100 - spendable, 40, 60 - spendable)


def test_totals_go_up_to_2_to_the_63_minus_1(ledger: Ledger) -> None:
    cash, equity = ledger.account("asset"), ledger.account("equity")
    most = 2**63 - 1
    for _ in range(4):
        ledger.post(*[(cash, AMOUNT_MAX, "debit")] * 250, *[(equity, AMOUNT_MAX, "credit")] * 250)
    rest = most - 1000 * AMOUNT_MAX
    whole, part = divmod(rest, AMOUNT_MAX)
    ledger.post(
        *[(cash, AMOUNT_MAX, "debit")] * whole, (cash, part, "debit"),
        *[(equity, AMOUNT_MAX, "credit")] * whole, (equity, part, "credit"),
    )  # fmt: skip
    before = ledger.dump()

    why = refusal(ledger.entry((equity, 1, "debit"), (cash, 1, "debit"), (equity, 2, "credit")))

    assert (why.code, why.facts) == ("balance_overflow", {"account_id": equity})
    assert ledger.balance(cash).total == ledger.balance(equity).total == most
    assert ledger.dump() == before
    assert ledger.findings() == []


def test_posting_into_an_account_just_opened_in_the_same_transaction(ledger: Ledger) -> None:
    opened = [ledger.submission("account", {"name": "A", "type": type_}) for type_ in ("asset", "equity")]
    posted = ledger.submission(
        "entry",
        {
            "lines": [
                {"account_id": 1, "amount": 5, "direction": "debit"},
                {"account_id": 2, "amount": 5, "direction": "credit"},
            ]
        },
    )

    outcomes = ledger.apply(*opened, posted)

    assert all(outcome.refusal is None for outcome in outcomes)
    assert ledger.balance(1).total == 5
