"""Reports: a statement of one account, and what all accounts together say. Amounts are minor units.

Everything is read from one state of the book, and debits equal credits in all of it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ledger_core import reads
from ledger_core.limits import INSTANT_US_MIN
from ledger_core.model import Account
from ledger_core.money import NORMAL_SIDE, AccountType, Side, net
from ledger_core.store import lists
from ledger_core.store import reports as rows
from ledger_core.store.book import Book


class Period(NamedTuple):
    """From an instant (inclusive; None: the beginning) to another (exclusive; None: up to `as_of` and with it)."""

    from_at: int | None
    to_at: int | None
    as_of: int

    @property
    def start(self) -> int:
        """The first instant of it."""
        return INSTANT_US_MIN if self.from_at is None else min(self.from_at, self.end)

    @property
    def end(self) -> int:
        """The first instant after it, never beyond what has happened."""
        return self.as_of + 1 if self.to_at is None else min(self.to_at, self.as_of + 1)


class StatementLine(NamedTuple):
    """A line of a statement, and the account's balance after it, signed towards the normal side."""

    place: int
    entry_id: int
    posted_at: int
    description: str | None
    side: Side
    amount: int
    balance: int
    version: int


class Statement(NamedTuple):
    """What moved on an account in a period, or a part of it.

    The balances and sums are those of the whole period, whatever part of its lines this is.
    """

    account: Account
    period: Period
    opening_balance: int
    closing_balance: int
    debits: int
    credits: int
    lines: Sequence[StatementLine]


class TrialBalanceRow(NamedTuple):
    """What an account stood at, in the column of the side on which it stood."""

    account_id: int | None
    code: str | None
    name: str
    type: AccountType | None
    currency: str
    debits: int
    credits: int

    @property
    def debit_balance(self) -> int:
        """By how much debits exceed credits."""
        return max(self.debits - self.credits, 0)

    @property
    def credit_balance(self) -> int:
        """By how much credits exceed debits."""
        return max(self.credits - self.debits, 0)


class Totals(NamedTuple):
    """The sums of a trial balance in one currency. Debits equal credits, in both pairs."""

    currency: str
    debits: int
    credits: int
    debit_balance: int
    credit_balance: int


class TrialBalance(NamedTuple):
    """What every account stood at, at an instant."""

    as_of: int
    accounts: Sequence[TrialBalanceRow]
    totals: Sequence[Totals]


class Amount(NamedTuple):
    """An account and an amount, signed towards its normal side."""

    account_id: int
    code: str | None
    name: str
    amount: int


class BalanceSheet(NamedTuple):
    """What an org had and owed in one currency. Assets equal liabilities, equity and earnings together."""

    currency: str
    assets: Sequence[Amount]
    liabilities: Sequence[Amount]
    equity: Sequence[Amount]
    total_assets: int
    total_liabilities: int
    earnings: int
    total_equity: int


class BalanceSheets(NamedTuple):
    """A balance sheet for each currency, at an instant."""

    as_of: int
    currencies: Sequence[BalanceSheet]


class IncomeStatement(NamedTuple):
    """What an org earned and spent in one currency."""

    currency: str
    revenue: Sequence[Amount]
    expenses: Sequence[Amount]
    total_revenue: int
    total_expenses: int
    net_income: int


class IncomeStatements(NamedTuple):
    """An income statement for each currency, of a period."""

    period: Period
    currencies: Sequence[IncomeStatement]


def statement(
    book: Book, account_id: int, now: int, *, from_at: int | None, to_at: int | None, after: int, limit: int
) -> Statement:
    """Read a statement, of which `limit` lines at most beyond the place `after` (0: from the first).

    Raises:
        AccountNotFound: there is none.
    """
    account = reads.account(book, account_id)
    with book.snapshot():
        period = Period(from_at, to_at, reads.present(book, now))
        opening = lists.standing(book.connection, account_id, period.start - 1)
        closing = lists.standing(book.connection, account_id, period.end - 1)
        low, high = lists.entries_between(book.connection, period.start, period.end)
        found = rows.lines(
            book.connection,
            account_id,
            after=max(after, rows.place_after_entry(low)),
            before_entry=high,
            limit=limit,
        )
    side = account.normal_side
    return Statement(
        account=account,
        period=period,
        opening_balance=net(side, opening.debits, opening.credits),
        closing_balance=net(side, closing.debits, closing.credits),
        debits=closing.debits - opening.debits,
        credits=closing.credits - opening.credits,
        lines=[_statement_line(side, row) for row in found],
    )


def trial_balance(book: Book, now: int, at: int | None = None) -> TrialBalance:
    """Read what every account stood at, at an instant; one in the future is answered as of now."""
    as_of, standings = _standings(book, now, at)
    accounts = [TrialBalanceRow._make((*row[:3], AccountType(row.type), *row[4:])) for row in standings]
    return TrialBalance(as_of, accounts, [_totals(currency, accounts) for currency in _currencies(standings)])


def balance_sheets(book: Book, now: int, at: int | None = None) -> BalanceSheets:
    """Read what the org had and owed at an instant; one in the future is answered as of now."""
    as_of, standings = _standings(book, now, at)
    return BalanceSheets(as_of, [_balance_sheet(currency, standings) for currency in _currencies(standings)])


def income_statements(book: Book, now: int, *, from_at: int | None, to_at: int | None) -> IncomeStatements:
    """Read what the org earned and spent in a period."""
    with book.snapshot():
        period = Period(from_at, to_at, reads.present(book, now))
        before = {row.account_id: row for row in rows.standings(book.connection, period.start - 1)}
        after = rows.standings(book.connection, period.end - 1)
    moved = [_moved(row, before.get(row.account_id)) for row in after]
    return IncomeStatements(period, [_income_statement(currency, moved) for currency in _currencies(moved)])


def _standings(book: Book, now: int, at: int | None) -> tuple[int, list[rows.StandingRow]]:
    with book.snapshot():
        as_of = reads.present(book, now)
        if at is not None:
            as_of = min(as_of, at)
        return as_of, rows.standings(book.connection, as_of)


def _statement_line(side: Side, row: rows.LineRow) -> StatementLine:
    return StatementLine(
        row.place,
        row.entry_id,
        row.posted_at,
        row.description,
        Side.DEBIT if row.debit else Side.CREDIT,
        row.debit or row.credit,
        net(side, row.debits, row.credits),
        row.version,
    )


def _currencies(standings: Iterable[rows.StandingRow]) -> list[str]:
    return sorted({row.currency for row in standings})


def _totals(currency: str, accounts: Iterable[TrialBalanceRow]) -> Totals:
    of_currency = [row for row in accounts if row.currency == currency]

    def total(figure: Callable[[TrialBalanceRow], int]) -> int:
        return sum(map(figure, of_currency))

    return Totals(
        currency,
        total(lambda row: row.debits),
        total(lambda row: row.credits),
        total(lambda row: row.debit_balance),
        total(lambda row: row.credit_balance),
    )


def _amounts(standings: Iterable[rows.StandingRow], currency: str, type_: AccountType) -> list[Amount]:
    side = NORMAL_SIDE[type_]
    return [
        Amount(row.account_id, row.code, row.name, net(side, row.debits, row.credits))
        for row in standings
        if row.currency == currency and row.type == type_
    ]


def _sum(amounts: Iterable[Amount]) -> int:
    return sum(item.amount for item in amounts)


def _balance_sheet(currency: str, standings: Sequence[rows.StandingRow]) -> BalanceSheet:
    income = _income_statement(currency, standings)
    assets = _amounts(standings, currency, AccountType.ASSET)
    liabilities = _amounts(standings, currency, AccountType.LIABILITY)
    equity = _amounts(standings, currency, AccountType.EQUITY)
    return BalanceSheet(
        currency,
        assets,
        liabilities,
        equity,
        total_assets=_sum(assets),
        total_liabilities=_sum(liabilities),
        earnings=income.net_income,
        total_equity=_sum(equity) + income.net_income,
    )


def _income_statement(currency: str, standings: Sequence[rows.StandingRow]) -> IncomeStatement:
    revenue = _amounts(standings, currency, AccountType.REVENUE)
    expenses = _amounts(standings, currency, AccountType.EXPENSE)
    earned, spent = _sum(revenue), _sum(expenses)
    return IncomeStatement(currency, revenue, expenses, earned, spent, earned - spent)


def _moved(row: rows.StandingRow, before: rows.StandingRow | None) -> rows.StandingRow:
    if before is None:
        return row
    return row._replace(debits=row.debits - before.debits, credits=row.credits - before.credits)
