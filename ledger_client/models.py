"""What the ledger answers, as frozen records, field by field as the contract has them. Amounts are minor units.

A field that a later ledger adds is no error here, and is dropped.
"""

from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ledger_core.commands import Kind
from ledger_core.model import AccountStatus, HoldStatus
from ledger_core.money import AccountType, Side


class _Answered(BaseModel):
    model_config = ConfigDict(frozen=True)


Item = TypeVar("Item", bound=_Answered)


class Account(_Answered):
    """An account."""

    id: int
    name: str
    code: str | None
    type: AccountType
    normal_side: Side
    currency: str
    overdraft_limit: int | None
    status: AccountStatus
    metadata: dict[str, str]
    created_at: datetime


class Line(_Answered):
    """One side of an entry."""

    account_id: int
    amount: int
    direction: Side


class Entry(_Answered):
    """An entry: a balanced set of lines."""

    id: int
    idempotency_key: str | None
    description: str | None
    lines: tuple[Line, ...]
    metadata: dict[str, str] = {}
    reverses: int | None = None
    reversed_by: int | None = None
    hold_id: int | None = None
    posted_at: datetime


class BulkResult(_Answered):
    """What became of one entry of a bulk: applied, refused, or pending. `error` is the whole problem."""

    operation_id: str
    status: str
    http_status: int | None
    result: Entry | None
    error: dict[str, Any] | None


class Bulk(_Answered):
    """What became of the entries of a bulk, in its order."""

    results: tuple[BulkResult, ...]


class Capture(_Answered):
    """One capture of a hold, and the entry that it posted."""

    entry_id: int
    amount: int
    captured_at: datetime


class Hold(_Answered):
    """Funds reserved on an account."""

    id: int
    idempotency_key: str | None
    account_id: int
    counter_account_id: int | None
    amount: int
    captured_amount: int
    released_amount: int
    remaining_amount: int
    currency: str
    status: HoldStatus
    description: str | None
    metadata: dict[str, str] = {}
    captures: tuple[Capture, ...]
    expires_at: datetime | None
    created_at: datetime


class Balance(_Answered):
    """What an account stands at, signed towards its normal side; `available` is what no hold reserves."""

    account_id: int
    currency: str
    total: int
    held: int
    available: int
    debits: int
    credits: int
    version: int
    as_of: datetime


RESULT_OF: dict[Kind, type[Account | Entry | Bulk | Hold]] = {
    Kind.ACCOUNT: Account,
    Kind.CLOSURE: Account,
    Kind.ENTRY: Entry,
    Kind.BULK: Bulk,
    Kind.REVERSAL: Entry,
    Kind.HOLD: Hold,
    Kind.CAPTURE: Hold,
    Kind.RELEASE: Hold,
}


class Operation(_Answered):
    """A write and what became of it: pending, applied with its `result`, or refused with its `error`, a problem."""

    operation_id: str
    kind: Kind
    status: str
    submitted_at: datetime
    finished_at: datetime | None
    http_status: int | None
    result: Account | Entry | Bulk | Hold | None
    error: dict[str, Any] | None

    @field_validator("result", mode="before")
    @classmethod
    def _of_its_kind(cls, value: object, info: ValidationInfo) -> object:
        """Read a result as what its kind of write answers with."""
        return None if value is None else RESULT_OF[info.data["kind"]].model_validate(value)


class Page(_Answered, Generic[Item]):
    """A page of a list, and where the next one begins."""

    data: tuple[Item, ...]
    next_cursor: str | None


class StatementLine(_Answered):
    """A line of a statement, and the balance after it."""

    entry_id: int
    posted_at: datetime
    description: str | None
    direction: Side
    amount: int
    balance: int
    version: int


class Statement(_Answered):
    """A page of an account's statement, with the balances and sums of all of it."""

    account_id: int
    currency: str
    normal_side: Side
    from_at: datetime | None = Field(alias="from")
    to_at: datetime | None = Field(alias="to")
    as_of: datetime
    opening_balance: int
    debits: int
    credits: int
    closing_balance: int
    lines: tuple[StatementLine, ...]
    next_cursor: str | None


class TrialBalanceRow(_Answered):
    """What an account stood at, in the column of its side."""

    account_id: int | None
    code: str | None
    name: str
    type: AccountType | None
    currency: str
    debits: int
    credits: int
    debit_balance: int
    credit_balance: int


class Totals(_Answered):
    """The sums of a trial balance in one currency: debits equal credits in both pairs."""

    currency: str
    debits: int
    credits: int
    debit_balance: int
    credit_balance: int


class TrialBalance(_Answered):
    """What every account stood at."""

    as_of: datetime
    accounts: tuple[TrialBalanceRow, ...]
    totals: tuple[Totals, ...]


class Amount(_Answered):
    """An account and an amount, signed towards its normal side."""

    account_id: int
    code: str | None
    name: str
    amount: int


class BalanceSheet(_Answered):
    """What was had and owed in one currency: total_assets = total_liabilities + total_equity."""

    currency: str
    assets: tuple[Amount, ...]
    liabilities: tuple[Amount, ...]
    equity: tuple[Amount, ...]
    earnings: int
    total_assets: int
    total_liabilities: int
    total_equity: int


class BalanceSheets(_Answered):
    """A balance sheet for each currency."""

    as_of: datetime
    currencies: tuple[BalanceSheet, ...]


class IncomeStatement(_Answered):
    """What was earned and spent in one currency: net_income = total_revenue - total_expenses."""

    currency: str
    revenue: tuple[Amount, ...]
    expenses: tuple[Amount, ...]
    total_revenue: int
    total_expenses: int
    net_income: int


class IncomeStatements(_Answered):
    """An income statement for each currency."""

    from_at: datetime | None = Field(alias="from")
    to_at: datetime | None = Field(alias="to")
    as_of: datetime
    currencies: tuple[IncomeStatement, ...]


class Health(_Answered):
    """Whether the ledger works, and what it looked at."""

    status: str
    checks: dict[str, str]
