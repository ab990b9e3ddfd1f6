"""Sides, account types and currencies: what an amount of minor units is an amount of."""

from enum import StrEnum

CURRENCY_PATTERN = r"^[A-Z0-9]{3,12}$"
CURRENCY_DEFAULT = "USD"


class Side(StrEnum):
    """The two sides of double entry. They are sides, not signs."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def other(self) -> "Side":
        """The side across."""
        return Side.CREDIT if self is Side.DEBIT else Side.DEBIT


DEBIT, CREDIT = Side.DEBIT, Side.CREDIT  # for loops over lines: looked up in the class, each costs five times as much


class AccountType(StrEnum):
    """The five types of account."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    REVENUE = "revenue"
    EXPENSE = "expense"


NORMAL_SIDE = {
    AccountType.ASSET: Side.DEBIT,
    AccountType.EXPENSE: Side.DEBIT,
    AccountType.LIABILITY: Side.CREDIT,
    AccountType.EQUITY: Side.CREDIT,
    AccountType.REVENUE: Side.CREDIT,
}


def net(normal_side: Side, debits: int, credits: int) -> int:
    """Sum two sides into one signed number of minor units, positive towards the normal side."""
    return debits - credits if normal_side is Side.DEBIT else credits - debits
