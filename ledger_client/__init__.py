"""A typed client of the ledger over HTTP: keys, retries, waiting, pages and problems done as the contract has them."""

from ledger_client.client import LedgerClient
from ledger_client.problems import LedgerError, LedgerProblem, LedgerUnreachable, OperationPending
from ledger_client.retries import Retries
from ledger_core.commands import (
    CaptureHold,
    CloseAccount,
    LineBody,
    OpenAccount,
    PlaceHold,
    PostBulk,
    PostEntry,
    ReleaseHold,
    ReverseEntry,
)
from ledger_core.money import AccountType, Side

__all__ = [
    "AccountType",
    "CaptureHold",
    "CloseAccount",
    "LedgerClient",
    "LedgerError",
    "LedgerProblem",
    "LedgerUnreachable",
    "LineBody",
    "OpenAccount",
    "OperationPending",
    "PlaceHold",
    "PostBulk",
    "PostEntry",
    "ReleaseHold",
    "Retries",
    "ReverseEntry",
    "Side",
]
