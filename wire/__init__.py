"""What travels between callers, intake and workers: lanes, messages, answers. `LedgerQueue` is for other services."""

from ledger_core.commands import (
    CaptureHold,
    CloseAccount,
    OpenAccount,
    PlaceHold,
    PostBulk,
    PostEntry,
    ReleaseHold,
    ReverseEntry,
)
from ledger_core.commands import LineBody as Line
from ledger_core.money import AccountType, Side
from wire.queue import LedgerQueue, Submitted

__all__ = [
    "AccountType",
    "CaptureHold",
    "CloseAccount",
    "LedgerQueue",
    "Line",
    "OpenAccount",
    "PlaceHold",
    "PostBulk",
    "PostEntry",
    "ReleaseHold",
    "ReverseEntry",
    "Side",
    "Submitted",
]
