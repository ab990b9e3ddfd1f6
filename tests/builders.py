"""Builders for values that several folders need."""

from typing import Any

from ledger_core.commands import Command, Kind, parse_command
from ledger_core.model import Submission
from ledger_core.operations import new_submission, operation_id_of

ORG = "acme"
NOW = 1_773_811_800_000_000  # 2026-03-18T05:30:00Z


def opening(name: str = "Cash", **fields: Any) -> Command:
    """Build a command that opens an account, an asset unless it says otherwise."""
    return parse_command(Kind.ACCOUNT, {"name": name, "type": "asset", **fields})


def posting(amount: int = 5, **fields: Any) -> Command:
    """Build a command that posts an amount from account 2 to account 1."""
    lines = [
        {"account_id": 1, "amount": amount, "direction": "debit"},
        {"account_id": 2, "amount": amount, "direction": "credit"},
    ]
    return parse_command(Kind.ENTRY, {"lines": lines, **fields})


def submission(command: Command, org: str = ORG) -> Submission:
    """Build the submission of a command."""
    return Submission(operation_id_of(org, command), new_submission(), command, "a-request", NOW)
