"""Every operation of the HTTP interface: a row for each responder that `intake.app` routes to."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from intake.openapi.refusals import REFUSALS
from intake.resources.accounts import Account, AccountBalance, AccountClose, Accounts
from intake.resources.entries import Entries, EntriesBulk, Entry, EntryReverse
from intake.resources.health import Health, Metrics
from intake.resources.holds import Hold, HoldCapture, HoldRelease, Holds
from intake.resources.openapi import Document
from intake.resources.operations import Operation as OperationResource
from intake.resources.reports import AccountStatement, BalanceSheet, IncomeStatement, TrialBalance
from ledger_core.commands import Kind
from wire.answers import STATUS_OF_WRITE

PAGING = ("limit", "cursor", "order")
JSON = "application/json"
CSV = "text/csv"


class Operation(NamedTuple):
    """A method of an address: the responder that answers it, and what goes in and comes out."""

    id: str
    tag: str
    responder: Callable[..., None]
    answer: str  # the schema of a success
    writes: Kind | None = None
    may_be_empty: bool = False  # the body of a write
    query: Sequence[str] = ()
    waits: bool = False  # a read that heeds `Prefer`
    csv: bool = False  # a report that comes as CSV too
    public: bool = False

    @property
    def summary(self) -> str:
        """The first sentence of the responder's docstring, without its full stop."""
        return (self.responder.__doc__ or "").strip().partition(". ")[0].rstrip(".")

    @property
    def statuses(self) -> Sequence[int]:
        """The statuses of a success, without `202`."""
        if self.writes is None:
            return (200,)
        return (200, 201) if self.writes is Kind.BULK else (STATUS_OF_WRITE[self.writes],)

    @property
    def refusals(self) -> Mapping[int, Sequence[str]]:
        """The codes that a book may refuse this write with, by status."""
        return REFUSALS[self.writes] if self.writes is not None else {}


def _row(id: str, tag: str, responder: Callable[..., None], answer: str, **more: Any) -> Operation:
    return Operation(id, tag, responder, answer, **more)


OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    "/v1/accounts": {
        "post": _row("openAccount", "Accounts", Accounts.on_post, "Account", writes=Kind.ACCOUNT),
        "get": _row(
            "listAccounts", "Accounts", Accounts.on_get, "AccountPage",
            query=("type", "code", "code_prefix", "account_status", *PAGING),
        ),
    },
    "/v1/accounts/{account_id}": {"get": _row("readAccount", "Accounts", Account.on_get, "Account")},
    "/v1/accounts/{account_id}/balance": {
        "get": _row("readBalance", "Accounts", AccountBalance.on_get, "Balance", query=("at",)),
    },
    "/v1/accounts/{account_id}/statement": {
        "get": _row(
            "readStatement", "Reports", AccountStatement.on_get, "Statement",
            query=("from", "to", "lines_limit", "cursor"), csv=True,
        ),
    },
    "/v1/accounts/{account_id}/close": {
        "post": _row(
            "closeAccount", "Accounts", AccountClose.on_post, "Account", writes=Kind.CLOSURE, may_be_empty=True
        ),
    },
    "/v1/entries": {
        "post": _row("postEntry", "Entries", Entries.on_post, "Entry", writes=Kind.ENTRY),
        "get": _row(
            "listEntries", "Entries", Entries.on_get, "EntryPage",
            query=("account_id", "hold_id", "idempotency_key", "posted_from", "posted_before", *PAGING),
        ),
    },
    "/v1/entries/bulk": {"post": _row("postEntries", "Entries", EntriesBulk.on_post, "Bulk", writes=Kind.BULK)},
    "/v1/entries/{entry_id}": {"get": _row("readEntry", "Entries", Entry.on_get, "Entry")},
    "/v1/entries/{entry_id}/reverse": {
        "post": _row(
            "reverseEntry", "Entries", EntryReverse.on_post, "Entry", writes=Kind.REVERSAL, may_be_empty=True
        ),
    },
    "/v1/holds": {
        "post": _row("placeHold", "Holds", Holds.on_post, "Hold", writes=Kind.HOLD),
        "get": _row("listHolds", "Holds", Holds.on_get, "HoldPage", query=("account_id", "hold_status", *PAGING)),
    },
    "/v1/holds/{hold_id}": {"get": _row("readHold", "Holds", Hold.on_get, "Hold")},
    "/v1/holds/{hold_id}/capture": {
        "post": _row("captureHold", "Holds", HoldCapture.on_post, "Hold", writes=Kind.CAPTURE, may_be_empty=True),
    },
    "/v1/holds/{hold_id}/release": {
        "post": _row("releaseHold", "Holds", HoldRelease.on_post, "Hold", writes=Kind.RELEASE, may_be_empty=True),
    },
    "/v1/reports/trial-balance": {
        "get": _row("readTrialBalance", "Reports", TrialBalance.on_get, "TrialBalance", query=("at",), csv=True),
    },
    "/v1/reports/balance-sheet": {
        "get": _row("readBalanceSheets", "Reports", BalanceSheet.on_get, "BalanceSheets", query=("at",), csv=True),
    },
    "/v1/reports/income-statement": {
        "get": _row(
            "readIncomeStatements", "Reports", IncomeStatement.on_get, "IncomeStatements",
            query=("from", "to"), csv=True,
        ),
    },
    "/v1/operations/{operation_id}": {
        "get": _row("readOperation", "Operations", OperationResource.on_get, "Operation", waits=True),
    },
    "/openapi.json": {"get": _row("readDocument", "Service", Document.on_get, "Document", public=True)},
    "/health": {"get": _row("readHealth", "Service", Health.on_get, "Health", public=True)},
    "/metrics": {"get": _row("readMetrics", "Service", Metrics.on_get, "Metrics", public=True)},
}  # fmt: skip
