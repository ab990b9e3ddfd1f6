"""What a list may be narrowed to, and how parameters are written into an address."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TypedDict

from ledger_core.model import AccountStatus, HoldStatus
from ledger_core.money import AccountType


class Paging(TypedDict, total=False):
    """What every list takes: how many items there are in a page, and which end is first."""

    limit: int
    order: Literal["asc", "desc"]


class AccountFilter(Paging, total=False):
    """Which accounts."""

    type: AccountType
    code: str
    code_prefix: str
    status: AccountStatus


class EntryFilter(Paging, total=False):
    """Which entries. `posted_from` is inclusive, `posted_before` exclusive."""

    account_id: int
    hold_id: int
    idempotency_key: str
    posted_from: datetime
    posted_before: datetime


class HoldFilter(Paging, total=False):
    """Which holds."""

    account_id: int
    status: HoldStatus


def params(values: Mapping[str, object]) -> dict[str, str]:
    """Write parameters; those that are None are left out."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: object) -> str:
    if not isinstance(value, datetime):
        return str(value)
    if value.tzinfo is None:
        raise ValueError("a datetime must know its zone")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
