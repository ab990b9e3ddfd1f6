"""Statements and reports, against sums that are worked out anew from every line of random books."""

import random
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import pytest

from ledger_core import reports
from ledger_core.errors import AccountNotFound
from ledger_core.money import Side
from ledger_core.reports import Statement
from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, NOON, SECOND, Ledger
from tests.ledger_core.naive import NORMAL, SIGN

ALL = 10_000
TYPES = ["asset", "liability", "equity", "revenue", "expense"]
CURRENCIES = ["EUR", "JPY", "USD"]
SEEDS = range(4)


class Posted(NamedTuple):
    """A line as it was sent, and when it was posted."""

    entry_id: int
    at: int
    account_id: int
    amount: int
    side: str


class RandomBook:
    """A book of random entries, and each line of it. Some entries share an instant; some name an account twice."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self.ledger, self.lines, self.random = ledger, list[Posted](), random.Random(seed)
        self.types: list[tuple[str, str, int]] = []  # type, currency, opened at, by id
        for type_, currency in product(TYPES, CURRENCIES):
            self._open(type_, currency)
        for number in range(60):
            if self.random.random() < 0.7:
                ledger.pass_s(self.random.choice([0.000001, 0.5, 1, 30]))
            if number in (20, 40):
                self._open(self.random.choice(TYPES), self.random.choice(CURRENCIES))
            self._post()
        ledger.reverse(7)
        self._note(61, [(id_, amount, _other(side)) for id_, amount, side in self._sides(7)])
        ledger.pass_s(1)

    def instants(self) -> list[int]:
        """Return instants at which something was posted, and those around them."""
        chosen = self.random.sample(sorted({line.at for line in self.lines}), 8)
        around = {at + by for at in chosen for by in (-1, 0, 1)}
        return sorted(around | {NOON - SECOND, NOON, self.ledger.now})

    def net(self, account_id: int, until: int, since: int = 0) -> int:
        """Sum an account's lines from an instant to another, both inclusive, towards its normal side."""
        debit = NORMAL[self.types[account_id - 1][0]]
        return sum(debit * SIGN[line.side] * line.amount for line in self.of(account_id, until, since))

    def of(self, account_id: int, until: int, since: int = 0) -> list[Posted]:
        return [line for line in self.lines if line.account_id == account_id and since <= line.at <= until]

    def side(self, side: str, account_id: int, until: int, since: int = 0) -> int:
        return sum(line.amount for line in self.of(account_id, until, since) if line.side == side)

    def ids(self, currency: str, until: int, *types: str) -> list[int]:
        """Return the accounts of a currency and of these types that existed at an instant."""
        return [
            id_
            for id_, (type_, of, opened_at) in enumerate(self.types, 1)
            if of == currency and opened_at <= until and type_ in (types or TYPES)
        ]

    def _open(self, type_: str, currency: str) -> None:
        self.ledger.account(type_, currency=currency)
        self.types.append((type_, currency, self.ledger.now))

    def _post(self) -> None:
        sides: list[tuple[int, int, str]] = []
        for currency in self.random.sample(CURRENCIES, self.random.choice([1, 1, 2])):
            for _ in range(self.random.choice([1, 1, 2])):
                amount = self.random.randint(1, 1_000)
                one, other = (self.random.choice(self.ids(currency, self.ledger.now)) for _ in range(2))
                sides += [(one, amount, "debit"), (other, amount, "credit")]
        self.random.shuffle(sides)
        self._note(self.ledger.post(*sides).id, sides)

    def _note(self, entry_id: int, sides: list[tuple[int, int, str]]) -> None:
        self.lines += [Posted(entry_id, self.ledger.now, *side) for side in sides]

    def _sides(self, entry_id: int) -> list[tuple[int, int, str]]:
        return [(line.account_id, line.amount, line.side) for line in self.lines if line.entry_id == entry_id]


def _other(side: str) -> str:
    return "credit" if side == "debit" else "debit"


@pytest.fixture(params=SEEDS)
def books(ledger: Ledger, request: pytest.FixtureRequest) -> RandomBook:
    """A book with random entries in three currencies."""
    return RandomBook(ledger, request.param)


def statement(ledger: Ledger, account_id: int, **options: Any) -> Statement:
    wanted = {"from_at": None, "to_at": None, "after": 0, "limit": ALL, **options}
    return reports.statement(ledger.reader, account_id, ledger.now, **wanted)


def test_a_statement_is_what_its_lines_sum_up_to_from_inclusive_to_exclusive(books: RandomBook) -> None:
    instants = [None, *books.instants()]
    for from_at, to_at in product(instants[::3], instants[::2]):
        if from_at is not None and to_at is not None and from_at > to_at:
            continue
        first, last = from_at or 0, books.ledger.now if to_at is None else to_at - 1
        for id_ in range(1, len(books.types) + 1):
            found = statement(books.ledger, id_, from_at=from_at, to_at=to_at)
            expected = books.of(id_, last, first)

            assert found.opening_balance == books.net(id_, first - 1)
            assert found.closing_balance == books.net(id_, last)
            assert found.debits == books.side("debit", id_, last, first)
            assert found.credits == books.side("credit", id_, last, first)
            assert [(line.entry_id, line.posted_at, line.side, line.amount) for line in found.lines] == [
                (line.entry_id, line.at, line.side, line.amount) for line in expected
            ]


def test_opening_and_movement_are_closing_and_each_line_carries_the_balance_on(books: RandomBook) -> None:
    middle = books.lines[len(books.lines) // 2].at
    for id_, (type_, _, _) in enumerate(books.types, 1):
        found = statement(books.ledger, id_, from_at=middle)
        debit = NORMAL[type_]

        balance, version = found.opening_balance, len(books.of(id_, middle - 1))
        for line in found.lines:
            balance += debit * SIGN[line.side] * line.amount
            version += 1
            assert (line.balance, line.version) == (balance, version)
        assert found.opening_balance + debit * (found.debits - found.credits) == found.closing_balance == balance


def test_statements_of_two_periods_that_meet_are_one_of_both(books: RandomBook) -> None:
    for at in books.instants():
        for id_ in (1, 4, 7):
            before, since = statement(books.ledger, id_, to_at=at), statement(books.ledger, id_, from_at=at)
            whole = statement(books.ledger, id_)

            assert before.closing_balance == since.opening_balance
            assert [*before.lines, *since.lines] == list(whole.lines)
            assert before.debits + since.debits == whole.debits


def pages(ledger: Ledger, account_id: int, limit: int, **period: Any) -> Iterator[Statement]:
    after = 0
    while (page := statement(ledger, account_id, after=after, limit=limit, **period)).lines:
        yield page
        after = page.lines[-1].place


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_of_a_statement_visit_each_line_once(books: RandomBook, limit: int) -> None:
    period = {"from_at": books.lines[20].at, "to_at": books.lines[-20].at}
    for id_ in range(1, 16):
        whole = statement(books.ledger, id_, **period)

        walked = list(pages(books.ledger, id_, limit, **period))

        assert [line for page in walked for line in page.lines] == list(whole.lines)
        assert all(page._replace(lines=()) == whole._replace(lines=()) for page in walked)
        assert all(len(page.lines) == limit for page in walked[:-1])


def test_an_account_that_stands_several_times_in_one_entry_has_a_line_for_each(chart: Ledger) -> None:
    sides = [(CASH, 1, "debit"), (CUSTOMERS, 3, "credit"), (CASH, 4, "debit"), (CASH, 2, "credit")]
    for _ in range(3):
        chart.post(*sides)

    whole = statement(chart, CASH)
    walked = [line for page in pages(chart, CASH, 2) for line in page.lines]

    assert [line.balance for line in whole.lines] == [1, 5, 3, 4, 8, 6, 7, 11, 9]
    assert [line.version for line in whole.lines] == list(range(1, 10))
    assert walked == list(whole.lines)


def test_pages_go_through_an_entry_of_as_many_lines_as_there_may_be(chart: Ledger) -> None:
    chart.post(*[(CASH, 1, "debit"), (CASH, 1, "credit")] * 250)
    chart.post((CASH, 7, "debit"), (FEES, 7, "credit"))

    walked = [line for page in pages(chart, CASH, 499) for line in page.lines]

    assert [line.version for line in walked] == list(range(1, 502))
    assert (walked[0].balance, walked[499].balance, walked[500].balance) == (1, 0, 7)


def test_what_is_posted_between_two_pages_of_an_open_period_comes_at_its_end(funded: Ledger) -> None:
    funded.post((CASH, 5, "debit"), (FEES, 5, "credit"))
    first = statement(funded, CASH, limit=1)
    funded.pass_s(1)
    funded.post((CASH, 7, "debit"), (FEES, 7, "credit"))

    rest = statement(funded, CASH, after=first.lines[-1].place)

    assert [line.amount for line in (*first.lines, *rest.lines)] == [1000, 5, 7]
    assert (first.closing_balance, rest.closing_balance) == (1005, 1012)


def test_a_statement_of_what_has_not_happened_yet_ends_now(funded: Ledger) -> None:
    future = statement(funded, CASH, from_at=NOON + 99 * SECOND, to_at=NOON + 999 * SECOND)
    open_end = statement(funded, CASH, to_at=NOON + 999 * SECOND)

    assert (future.opening_balance, future.closing_balance, list(future.lines)) == (1000, 1000, [])
    assert (open_end.opening_balance, open_end.closing_balance, len(open_end.lines)) == (0, 1000, 1)
    assert open_end.period.as_of == funded.now


def test_a_statement_of_an_account_that_is_not_there_is_refused(funded: Ledger) -> None:
    with pytest.raises(AccountNotFound):
        statement(funded, 99)


def test_a_trial_balance_is_what_all_lines_sum_up_to(books: RandomBook) -> None:
    for at in books.instants():
        found = reports.trial_balance(books.ledger.reader, books.ledger.now, at)

        assert found.as_of == at
        assert [row.account_id for row in found.accounts] == sorted(
            id_ for currency in CURRENCIES for id_ in books.ids(currency, at)
        )
        for row in found.accounts:
            assert row.account_id is not None
            sums = tuple(books.side(side, row.account_id, at) for side in ("debit", "credit"))
            assert (row.debits, row.credits) == sums
            assert (row.debit_balance, row.credit_balance) == (max(sums[0] - sums[1], 0), max(sums[1] - sums[0], 0))


def test_debits_are_credits_in_each_currency_of_a_trial_balance_at_any_instant(books: RandomBook) -> None:
    for at in books.instants():
        found = reports.trial_balance(books.ledger.reader, books.ledger.now, at)

        assert [totals.currency for totals in found.totals] == ([] if at < NOON else CURRENCIES)
        for totals in found.totals:
            rows = [row for row in found.accounts if row.currency == totals.currency]
            assert totals.debits == totals.credits == sum(row.debits for row in rows)
            assert totals.debit_balance == totals.credit_balance == sum(row.credit_balance for row in rows)


def test_assets_are_liabilities_equity_and_earnings_at_any_instant(books: RandomBook) -> None:
    for at in books.instants():
        for sheet in reports.balance_sheets(books.ledger.reader, books.ledger.now, at).currencies:
            assets, liabilities, equity, revenue, expenses = (
                {id_: books.net(id_, at) for id_ in books.ids(sheet.currency, at, type_)}
                for type_ in ("asset", "liability", "equity", "revenue", "expense")
            )

            assert {item.account_id: item.amount for item in sheet.assets} == assets
            assert {item.account_id: item.amount for item in sheet.liabilities} == liabilities
            assert {item.account_id: item.amount for item in sheet.equity} == equity
            assert sheet.earnings == sum(revenue.values()) - sum(expenses.values())
            assert sheet.total_equity == sum(equity.values()) + sheet.earnings
            assert sheet.total_assets == sum(assets.values()) == sheet.total_liabilities + sheet.total_equity


def test_an_income_statement_is_what_was_earned_and_spent_from_inclusive_to_exclusive(books: RandomBook) -> None:
    instants = [None, *books.instants()]
    for from_at, to_at in product(instants[::2], instants[::2]):
        if from_at is not None and to_at is not None and from_at > to_at:
            continue
        first, last = from_at or 0, books.ledger.now if to_at is None else to_at - 1

        found = reports.income_statements(books.ledger.reader, books.ledger.now, from_at=from_at, to_at=to_at)

        for income in found.currencies:
            earned = {id_: books.net(id_, last, first) for id_ in books.ids(income.currency, last, "revenue")}
            spent = {id_: books.net(id_, last, first) for id_ in books.ids(income.currency, last, "expense")}
            assert {item.account_id: item.amount for item in income.revenue} == earned
            assert {item.account_id: item.amount for item in income.expenses} == spent
            assert (income.total_revenue, income.total_expenses) == (sum(earned.values()), sum(spent.values()))
            assert income.net_income == sum(earned.values()) - sum(spent.values())


def test_the_net_income_of_a_period_is_the_change_of_earnings_over_it(books: RandomBook) -> None:
    from_at, to_at = books.lines[20].at, books.lines[-20].at
    earnings = [
        {sheet.currency: sheet.earnings for sheet in reports.balance_sheets(books.ledger.reader, to_at, at).currencies}
        for at in (from_at - 1, to_at - 1)
    ]

    found = reports.income_statements(books.ledger.reader, books.ledger.now, from_at=from_at, to_at=to_at)

    assert {income.currency: income.net_income for income in found.currencies} == {
        currency: earnings[1][currency] - earnings[0][currency] for currency in CURRENCIES
    }


def test_reports_of_the_future_are_as_of_now_and_those_before_the_beginning_are_empty(funded: Ledger) -> None:
    trial = reports.trial_balance(funded.reader, funded.now, NOON + 99 * SECOND)
    sheets = reports.balance_sheets(funded.reader, funded.now, NOON + 99 * SECOND)
    before = reports.trial_balance(funded.reader, funded.now, NOON - 1)

    assert (trial.as_of, sheets.as_of) == (funded.now, funded.now)
    assert trial.accounts == reports.trial_balance(funded.reader, funded.now).accounts
    assert (before.accounts, before.totals) == ([], [])


def test_holds_move_nothing_in_any_report_until_they_are_captured(funded: Ledger) -> None:
    before = reports.trial_balance(funded.reader, funded.now).accounts
    funded.hold(CUSTOMERS, 100, counter_account_id=FEES)

    placed = reports.trial_balance(funded.reader, funded.now).accounts
    funded.capture(1, amount=60)
    captured = reports.income_statements(funded.reader, funded.now, from_at=None, to_at=None)

    assert placed == before
    assert [income.net_income for income in captured.currencies] == [60]
    assert [line.side for line in statement(funded, FEES).lines] == [Side.CREDIT]
