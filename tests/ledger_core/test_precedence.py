"""Which refusal wins when several apply: what does not exist, then state, currency, balance, hold, overflow, funds."""

from typing import Any

import pytest

from tests.ledger_core.builders import Ledger, posting, refusal
from tests.ledger_core.town import (
    ACTIVE,
    CLOSED,
    EUROS,
    FROM_FULL,
    FULL,
    NOTHING,
    NOTHING_ELSE,
    OF_CLOSED,
    RELEASED,
    STRICT,
    WALLET,
)

# Several things are wrong with each of these at once.
PRECEDENCE = {
    "entry: the first line without an account": (
        "entry",
        posting((CLOSED, 1, "debit"), (NOTHING, 2, "credit"), (NOTHING_ELSE, 2, "credit")),
        "account_not_found",
        NOTHING,
    ),
    "entry: closed before unbalanced": (
        "entry",
        posting((WALLET, 1_000_000, "debit"), (CLOSED, 2, "credit")),
        "account_closed",
        CLOSED,
    ),
    "entry: unbalanced before overflow": (
        "entry",
        posting((WALLET, 1_000_000, "debit"), (FULL, 2_000_000, "credit")),
        "unbalanced_entry",
        None,
    ),
    "entry: overflow before funds": (
        "entry",
        posting((WALLET, 600, "debit"), (FULL, 600, "credit")),
        "balance_overflow",
        FULL,
    ),
    "reversal: closed before already reversed": ("reversal", {"entry_id": OF_CLOSED}, "account_closed", CLOSED),
    "reversal: overflow before funds": ("reversal", {"entry_id": FROM_FULL}, "balance_overflow", FULL),
    "hold: the held account before its counter account": (
        "hold",
        {"account_id": NOTHING, "counter_account_id": NOTHING_ELSE, "amount": 1},
        "account_not_found",
        NOTHING,
    ),
    "hold: not found before closed": (
        "hold",
        {"account_id": CLOSED, "counter_account_id": NOTHING, "amount": 1},
        "account_not_found",
        NOTHING,
    ),
    "hold: closed before currency": (
        "hold",
        {"account_id": CLOSED, "counter_account_id": EUROS, "amount": 1},
        "account_closed",
        CLOSED,
    ),
    "hold: currency before funds": (
        "hold",
        {"account_id": WALLET, "counter_account_id": EUROS, "amount": 501},
        "currency_mismatch",
        EUROS,
    ),
    "capture: no hold before no account": (
        "capture",
        {"hold_id": NOTHING, "counter_account_id": NOTHING},
        "hold_not_found",
        None,
    ),
    "capture: no account before not active": (
        "capture",
        {"hold_id": RELEASED, "counter_account_id": NOTHING},
        "account_not_found",
        NOTHING,
    ),
    "capture: closed before not active": (
        "capture",
        {"hold_id": RELEASED, "counter_account_id": CLOSED},
        "account_closed",
        CLOSED,
    ),
    "capture: not active before currency": (
        "capture",
        {"hold_id": RELEASED, "counter_account_id": EUROS, "amount": 301},
        "hold_not_active",
        None,
    ),
    "capture: currency before beyond the hold": (
        "capture",
        {"hold_id": ACTIVE, "counter_account_id": EUROS, "amount": 301},
        "currency_mismatch",
        EUROS,
    ),
    "capture: beyond the hold before overflow": (
        "capture",
        {"hold_id": ACTIVE, "counter_account_id": FULL, "amount": 301},
        "capture_exceeds_hold",
        None,
    ),
    "capture: beyond the hold before funds": (
        "capture",
        {"hold_id": ACTIVE, "counter_account_id": STRICT, "amount": 301},
        "capture_exceeds_hold",
        None,
    ),
}


@pytest.mark.parametrize(("kind", "fields", "code", "account_id"), PRECEDENCE.values(), ids=PRECEDENCE.keys())
def test_wins(town: Ledger, kind: str, fields: dict[str, Any], code: str, account_id: int | None) -> None:
    before = town.dump()

    why = refusal(town.write(kind, **fields))

    assert (why.code, why.facts.get("account_id")) == (code, account_id)
    assert town.dump() == before
