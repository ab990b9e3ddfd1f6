"""Reports as callers see them: as JSON, and as the rows of a table for CSV (RFC 4180). Amounts are minor units."""

from collections.abc import Iterable, Sequence

from typing_extensions import TypedDict

from ledger_core.commands import Amount as PositiveAmount
from ledger_core.commands import Id
from ledger_core.instants import format_instant
from ledger_core.money import AccountType, Side
from ledger_core.reports import (
    Amount,
    BalanceSheets,
    IncomeStatements,
    Period,
    Statement,
    StatementLine,
    TrialBalance,
)
from wire.resources import Time

Cell = int | str | None


class StatementLineJson(TypedDict):
    """A line of a statement, and the balance after it."""

    entry_id: Id
    posted_at: Time
    description: str | None
    direction: Side
    amount: PositiveAmount
    balance: int
    version: int


StatementJson = TypedDict(
    "StatementJson",
    {
        "account_id": Id,
        "currency": str,
        "normal_side": Side,
        "from": Time | None,
        "to": Time | None,
        "as_of": Time,
        "opening_balance": int,
        "debits": int,
        "credits": int,
        "closing_balance": int,
        "lines": list[StatementLineJson],
        "next_cursor": str | None,
    },
)


class TrialBalanceRowJson(TypedDict):
    """What an account stood at, in the column of its side."""

    account_id: Id | None
    code: str | None
    name: str
    type: AccountType | None
    currency: str
    debits: int
    credits: int
    debit_balance: int
    credit_balance: int


class TotalsJson(TypedDict):
    """The sums of a trial balance in one currency: debits equal credits in both pairs."""

    currency: str
    debits: int
    credits: int
    debit_balance: int
    credit_balance: int


class TrialBalanceJson(TypedDict):
    """What every account stood at."""

    as_of: Time
    accounts: list[TrialBalanceRowJson]
    totals: list[TotalsJson]


class AmountJson(TypedDict):
    """An account and an amount, signed towards its normal side."""

    account_id: Id
    code: str | None
    name: str
    amount: int


class BalanceSheetJson(TypedDict):
    """What was had and owed in one currency: total_assets = total_liabilities + total_equity."""

    currency: str
    assets: list[AmountJson]
    liabilities: list[AmountJson]
    equity: list[AmountJson]
    earnings: int
    total_assets: int
    total_liabilities: int
    total_equity: int


class BalanceSheetsJson(TypedDict):
    """A balance sheet for each currency."""

    as_of: Time
    currencies: list[BalanceSheetJson]


class IncomeStatementJson(TypedDict):
    """What was earned and spent in one currency: net_income = total_revenue - total_expenses."""

    currency: str
    revenue: list[AmountJson]
    expenses: list[AmountJson]
    total_revenue: int
    total_expenses: int
    net_income: int


IncomeStatementsJson = TypedDict(
    "IncomeStatementsJson",
    {"from": Time | None, "to": Time | None, "as_of": Time, "currencies": list[IncomeStatementJson]},
)


def statement_json(statement: Statement, next_cursor: str | None) -> StatementJson:
    """Write a statement, or a page of it."""
    from_, to, as_of = _period(statement.period)
    return {
        "account_id": statement.account.id,
        "currency": statement.account.currency,
        "normal_side": statement.account.normal_side,
        "from": from_,
        "to": to,
        "as_of": as_of,
        "opening_balance": statement.opening_balance,
        "debits": statement.debits,
        "credits": statement.credits,
        "closing_balance": statement.closing_balance,
        "lines": [_line_json(line) for line in statement.lines],
        "next_cursor": next_cursor,
    }


STATEMENT_COLUMNS = ("entry_id", "posted_at", "description", "direction", "amount", "balance", "version")


def statement_rows(lines: Iterable[StatementLine]) -> Iterable[Sequence[Cell]]:
    """Write lines of a statement as rows of STATEMENT_COLUMNS."""
    for line in lines:
        at = format_instant(line.posted_at)
        yield line.entry_id, at, line.description, line.side, line.amount, line.balance, line.version


def opening_row(statement: Statement) -> Sequence[Cell]:
    """Write the opening balance as a row of STATEMENT_COLUMNS."""
    return None, format_instant(statement.period.start), "Opening balance", None, None, statement.opening_balance, None


def closing_row(statement: Statement) -> Sequence[Cell]:
    """Write the closing balance as a row of STATEMENT_COLUMNS."""
    to_at, as_of = statement.period.to_at, statement.period.as_of
    end = format_instant(as_of if to_at is None else to_at)
    return None, end, "Closing balance", None, None, statement.closing_balance, None


def trial_balance_json(trial: TrialBalance) -> TrialBalanceJson:
    """Write a trial balance."""
    return {
        "as_of": format_instant(trial.as_of),
        "accounts": [
            {
                "account_id": row.account_id,
                "code": row.code,
                "name": row.name,
                "type": row.type,
                "currency": row.currency,
                "debits": row.debits,
                "credits": row.credits,
                "debit_balance": row.debit_balance,
                "credit_balance": row.credit_balance,
            }
            for row in trial.accounts
        ],
        "totals": [
            {
                "currency": totals.currency,
                "debits": totals.debits,
                "credits": totals.credits,
                "debit_balance": totals.debit_balance,
                "credit_balance": totals.credit_balance,
            }
            for totals in trial.totals
        ],
    }


def trial_balance_table(trial: TrialBalance) -> Iterable[Sequence[Cell]]:
    """Write a trial balance as a table, a row of names first, its totals last."""
    yield "account_id", "code", "name", "type", "currency", "debits", "credits", "debit_balance", "credit_balance"
    for row in trial.accounts:
        yield *row, row.debit_balance, row.credit_balance
    for totals in trial.totals:
        yield None, None, "Total", None, *totals


def balance_sheets_json(sheets: BalanceSheets) -> BalanceSheetsJson:
    """Write balance sheets."""
    return {
        "as_of": format_instant(sheets.as_of),
        "currencies": [
            {
                "currency": sheet.currency,
                "assets": _amounts_json(sheet.assets),
                "liabilities": _amounts_json(sheet.liabilities),
                "equity": _amounts_json(sheet.equity),
                "earnings": sheet.earnings,
                "total_assets": sheet.total_assets,
                "total_liabilities": sheet.total_liabilities,
                "total_equity": sheet.total_equity,
            }
            for sheet in sheets.currencies
        ],
    }


def balance_sheets_table(sheets: BalanceSheets) -> Iterable[Sequence[Cell]]:
    """Write balance sheets as a table, a row of names first."""
    yield "currency", "section", "account_id", "code", "name", "amount"
    for sheet in sheets.currencies:
        currency = sheet.currency
        yield from _section(currency, "assets", sheet.assets)
        yield currency, "assets", None, None, "Total assets", sheet.total_assets
        yield from _section(currency, "liabilities", sheet.liabilities)
        yield currency, "liabilities", None, None, "Total liabilities", sheet.total_liabilities
        yield from _section(currency, "equity", sheet.equity)
        yield currency, "equity", None, None, "Earnings", sheet.earnings
        yield currency, "equity", None, None, "Total equity", sheet.total_equity


def income_statements_json(statements: IncomeStatements) -> IncomeStatementsJson:
    """Write income statements."""
    from_, to, as_of = _period(statements.period)
    return {
        "from": from_,
        "to": to,
        "as_of": as_of,
        "currencies": [
            {
                "currency": statement.currency,
                "revenue": _amounts_json(statement.revenue),
                "expenses": _amounts_json(statement.expenses),
                "total_revenue": statement.total_revenue,
                "total_expenses": statement.total_expenses,
                "net_income": statement.net_income,
            }
            for statement in statements.currencies
        ],
    }


def income_statements_table(statements: IncomeStatements) -> Iterable[Sequence[Cell]]:
    """Write income statements as a table, a row of names first."""
    yield "currency", "section", "account_id", "code", "name", "amount"
    for statement in statements.currencies:
        currency = statement.currency
        yield from _section(currency, "revenue", statement.revenue)
        yield currency, "revenue", None, None, "Total revenue", statement.total_revenue
        yield from _section(currency, "expenses", statement.expenses)
        yield currency, "expenses", None, None, "Total expenses", statement.total_expenses
        yield currency, "net income", None, None, "Net income", statement.net_income


def _line_json(line: StatementLine) -> StatementLineJson:
    return {
        "entry_id": line.entry_id,
        "posted_at": format_instant(line.posted_at),
        "description": line.description,
        "direction": line.side,
        "amount": line.amount,
        "balance": line.balance,
        "version": line.version,
    }


def _amounts_json(amounts: Iterable[Amount]) -> list[AmountJson]:
    return [
        {"account_id": item.account_id, "code": item.code, "name": item.name, "amount": item.amount} for item in amounts
    ]


def _section(currency: str, section: str, amounts: Iterable[Amount]) -> Iterable[Sequence[Cell]]:
    return ((currency, section, *item) for item in amounts)


def _period(period: Period) -> tuple[str | None, str | None, str]:
    from_at, to_at, as_of = period
    return (
        None if from_at is None else format_instant(from_at),
        None if to_at is None else format_instant(to_at),
        format_instant(as_of),
    )
