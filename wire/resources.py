"""Resources as callers see them: the JSON of accounts, entries, holds, balances and operations, field by field."""

from typing import Annotated, Literal, NotRequired, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict  # below Python 3.12 pydantic can't read the one of `typing`

from ledger_core.commands import Amount, Id, Kind
from ledger_core.instants import format_instant
from ledger_core.model import Account, AccountStatus, Balance, Bulk, Entry, Hold, HoldStatus, ListedEntry, Resource
from ledger_core.money import CREDIT, DEBIT, AccountType, Side
from ledger_core.operations import format_operation_id
from wire.problems import ProblemJson

Time: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Uuid: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "uuid"})]


class AccountJson(TypedDict):
    """An account."""

    id: Id
    name: str
    code: str | None
    type: AccountType
    normal_side: Side
    currency: str
    overdraft_limit: int | None
    status: AccountStatus
    metadata: dict[str, str]
    created_at: Time


class LineJson(TypedDict):
    """One side of an entry; the amount in minor units."""

    account_id: Id
    amount: Amount
    direction: Side


class EntryJson(TypedDict):
    """An entry. What its caller did not use is not there."""

    id: Id
    idempotency_key: str | None
    description: str | None
    lines: list[LineJson]
    metadata: NotRequired[dict[str, str]]
    reverses: NotRequired[Id]
    reversed_by: NotRequired[Id]
    hold_id: NotRequired[Id]
    posted_at: Time


class ResultJson(TypedDict):
    """What became of one entry of a bulk. Of `result` and `error` one is null; both are while it is pending."""

    operation_id: Uuid
    status: Literal["pending", "applied", "refused"]
    http_status: int | None
    result: EntryJson | None
    error: ProblemJson | None


class BulkJson(TypedDict):
    """What became of the entries of a bulk, in its order."""

    results: list[ResultJson]


class CaptureJson(TypedDict):
    """One capture of a hold; the amount in minor units."""

    entry_id: Id
    amount: Amount
    captured_at: Time


class HoldJson(TypedDict):
    """A hold; amounts in minor units. Without metadata it has no such field."""

    id: Id
    idempotency_key: str | None
    account_id: Id
    counter_account_id: Id | None
    amount: Amount
    captured_amount: int
    released_amount: int
    remaining_amount: int
    currency: str
    status: HoldStatus
    description: str | None
    metadata: NotRequired[dict[str, str]]
    captures: list[CaptureJson]
    expires_at: Time | None
    created_at: Time


class BalanceJson(TypedDict):
    """What an account stands at; amounts in minor units."""

    account_id: Id
    currency: str
    total: int
    held: int
    available: int
    debits: int
    credits: int
    version: int
    as_of: Time


class OperationJson(TypedDict):
    """A write, and what became of it."""

    operation_id: Uuid
    kind: Kind
    status: Literal["pending", "applied", "refused"]
    submitted_at: Time
    finished_at: Time | None
    http_status: int | None
    result: AccountJson | EntryJson | BulkJson | HoldJson | None
    error: ProblemJson | None


class PendingJson(TypedDict):
    """A write that was accepted, and will reach an outcome."""

    operation_id: Uuid
    kind: Kind
    status: Literal["pending"]


def account_json(account: Account) -> AccountJson:
    """Write an account."""
    return {
        "id": account.id,
        "name": account.name,
        "code": account.code,
        "type": account.type,
        "normal_side": account.normal_side,
        "currency": account.currency,
        "overdraft_limit": account.overdraft_limit,
        "status": account.status,
        "metadata": dict(account.metadata),
        "created_at": format_instant(account.created_at),
    }


def entry_json(entry: Entry) -> EntryJson:
    """Write an entry."""
    return _entry_json(
        entry,
        [{"account_id": line.account_id, "amount": line.amount, "direction": line.side} for line in entry.lines],
    )


def listed_entry_json(entry: ListedEntry) -> EntryJson:
    """Write an entry of a list."""
    return _entry_json(
        entry,
        [
            {"account_id": account_id, "amount": debit or credit, "direction": DEBIT if debit else CREDIT}
            for account_id, debit, credit in entry.lines
        ],
    )


def _entry_json(entry: Entry | ListedEntry, lines: list[LineJson]) -> EntryJson:
    body: EntryJson = {
        "id": entry.id,
        "idempotency_key": entry.idempotency_key,
        "description": entry.description,
        "lines": lines,
        "posted_at": format_instant(entry.posted_at),
    }
    if entry.metadata:
        body["metadata"] = dict(entry.metadata)
    if entry.reverses is not None:
        body["reverses"] = entry.reverses
    if entry.reversed_by is not None:
        body["reversed_by"] = entry.reversed_by
    if entry.hold_id is not None:
        body["hold_id"] = entry.hold_id
    return body


def hold_json(hold: Hold) -> HoldJson:
    """Write a hold."""
    body: HoldJson = {
        "id": hold.id,
        "idempotency_key": hold.idempotency_key,
        "account_id": hold.account_id,
        "counter_account_id": hold.counter_account_id,
        "amount": hold.amount,
        "captured_amount": hold.captured,
        "released_amount": hold.released,
        "remaining_amount": hold.remaining,
        "currency": hold.currency,
        "status": hold.status,
        "description": hold.description,
        "captures": [
            {
                "entry_id": capture.entry_id,
                "amount": capture.amount,
                "captured_at": format_instant(capture.captured_at),
            }
            for capture in hold.captures
        ],
        "expires_at": None if hold.expires_at is None else format_instant(hold.expires_at),
        "created_at": format_instant(hold.created_at),
    }
    if hold.metadata:
        body["metadata"] = dict(hold.metadata)
    return body


def balance_json(balance: Balance) -> BalanceJson:
    """Write a balance."""
    return {
        "account_id": balance.account_id,
        "currency": balance.currency,
        "total": balance.total,
        "held": balance.held,
        "available": balance.available,
        "debits": balance.debits,
        "credits": balance.credits,
        "version": balance.version,
        "as_of": format_instant(balance.as_of),
    }


def bulk_json(bulk: Bulk) -> BulkJson:
    """Write a bulk that was posted whole."""
    return {
        "results": [
            {
                "operation_id": format_operation_id(item.operation_id),
                "status": "applied",
                "http_status": 201,
                "result": entry_json(item.entry),
                "error": None,
            }
            for item in bulk.items
        ]
    }


def resource_json(resource: Resource) -> AccountJson | EntryJson | BulkJson | HoldJson:
    """Write an account, an entry, a bulk of them or a hold."""
    if isinstance(resource, Entry):
        return entry_json(resource)
    if isinstance(resource, Bulk):
        return bulk_json(resource)
    return hold_json(resource) if isinstance(resource, Hold) else account_json(resource)
