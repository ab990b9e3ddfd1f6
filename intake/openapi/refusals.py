"""What a book may refuse each kind of write with, as codes by HTTP status."""

from collections.abc import Mapping, Sequence

from ledger_core.commands import Kind
from ledger_core.errors import (
    AccountClosed,
    AccountCodeTaken,
    AccountNotEmpty,
    AccountNotFound,
    AccountUnknown,
    BalanceOverflow,
    CaptureExceedsHold,
    CurrencyMismatch,
    EntryAlreadyReversed,
    EntryNotFound,
    HoldNotActive,
    HoldNotFound,
    IdempotencyKeyReused,
    InsufficientFunds,
    InvalidRequest,
    Refusal,
    UnbalancedEntry,
)
from wire.problems import STATUS_OF_KIND

_ANY = (InvalidRequest, IdempotencyKeyReused)
_ENTRY = (AccountUnknown, AccountClosed, UnbalancedEntry, BalanceOverflow, InsufficientFunds)
_OF_KIND: Mapping[Kind, Sequence[type[Refusal]]] = {
    Kind.ACCOUNT: (AccountCodeTaken,),
    Kind.CLOSURE: (AccountNotFound, AccountClosed, AccountNotEmpty),
    Kind.ENTRY: _ENTRY,
    Kind.BULK: _ENTRY,
    Kind.REVERSAL: (EntryNotFound, AccountClosed, EntryAlreadyReversed, BalanceOverflow, InsufficientFunds),
    Kind.HOLD: (AccountUnknown, AccountClosed, CurrencyMismatch, BalanceOverflow, InsufficientFunds),
    Kind.CAPTURE: (
        HoldNotFound,
        AccountUnknown,
        AccountClosed,
        HoldNotActive,
        CurrencyMismatch,
        CaptureExceedsHold,
        BalanceOverflow,
        InsufficientFunds,
    ),
    Kind.RELEASE: (HoldNotFound, HoldNotActive),
}


def _by_status(refusals: Sequence[type[Refusal]]) -> Mapping[int, Sequence[str]]:
    statuses = sorted({STATUS_OF_KIND[refusal.kind] for refusal in refusals})
    return {
        status: [refusal.code for refusal in refusals if STATUS_OF_KIND[refusal.kind] == status] for status in statuses
    }


REFUSALS: Mapping[Kind, Mapping[int, Sequence[str]]] = {
    kind: _by_status([*_ANY, *refusals]) for kind, refusals in _OF_KIND.items()
}
