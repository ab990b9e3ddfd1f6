"""Every refusal of every command: its code, its facts, and that the book did not change."""

from typing import Any, NamedTuple

import pytest

from ledger_core.errors import Refusal
from ledger_core.instants import format_instant
from tests.ledger_core.builders import NOON, Ledger, answer, posting, refusal
from tests.ledger_core.town import (
    ACTIVE,
    BARE,
    BIG,
    CASH,
    CLOSED,
    CLOSING,
    EUROS,
    FROM_FULL,
    FULL,
    NOTHING,
    RELEASED,
    REVERSED,
    STRICT,
    WALLET,
)


class Row(NamedTuple):
    """A command that is refused, and how."""

    kind: str
    fields: dict[str, Any]
    code: str
    facts: dict[str, Any]


def invalid(pointer: str, message: str) -> dict[str, Any]:
    return {"errors": [{"pointer": pointer, "message": message}]}


FUTURE, PAST = format_instant(NOON + 1), format_instant(NOON)

# For each command, in the order in which they win.
TABLE = {
    "account code taken": Row(
        "account",
        {"name": "B", "type": "asset", "code": "1000"},
        "account_code_taken",
        {"account_code": "1000", "account_id": CASH},
    ),
    "closure of no account": Row("closure", {"account_id": NOTHING}, "account_not_found", {"account_id": NOTHING}),
    "closure of a closed account": Row("closure", {"account_id": CLOSED}, "account_closed", {"account_id": CLOSED}),
    "closure of an account with funds": Row(
        "closure", {"account_id": WALLET}, "account_not_empty", {"account_id": WALLET, "total": 1000, "held": 500}
    ),
    "entry on no account": Row(
        "entry", posting((CASH, 1, "debit"), (NOTHING, 1, "credit")), "account_not_found", {"account_id": NOTHING}
    ),
    "entry on a closed account": Row(
        "entry", posting((CASH, 1, "debit"), (CLOSED, 1, "credit")), "account_closed", {"account_id": CLOSED}
    ),
    "entry out of balance": Row(
        "entry",
        posting((CASH, 2, "debit"), (WALLET, 1, "credit")),
        "unbalanced_entry",
        {"currency": "USD", "debits": 2, "credits": 1},
    ),
    "entry beyond a total": Row(
        "entry",
        posting((BIG, 101, "debit"), (FULL, 101, "credit")),
        "balance_overflow",
        {"account_id": BIG},
    ),
    "entry without funds": Row(
        "entry",
        posting((WALLET, 600, "debit"), (CASH, 601, "credit"), (STRICT, 1, "debit")),
        "insufficient_funds",
        {"account_id": WALLET, "required": 600, "available": 500, "held": 500, "total": 1000},
    ),
    "reversal of no entry": Row("reversal", {"entry_id": NOTHING}, "entry_not_found", {"entry_id": NOTHING}),
    "reversal on a closed account": Row("reversal", {"entry_id": 5}, "account_closed", {"account_id": CLOSED}),
    "reversal of a reversed entry": Row(
        "reversal", {"entry_id": REVERSED}, "entry_already_reversed", {"entry_id": REVERSED, "reversed_by": 3}
    ),
    "reversal beyond a total": Row("reversal", {"entry_id": FROM_FULL}, "balance_overflow", {"account_id": FULL}),
    "reversal without funds": Row(
        "reversal",
        {"entry_id": 1},
        "insufficient_funds",
        {"account_id": WALLET, "required": 1000, "available": 500, "held": 500, "total": 1000},
    ),
    "hold that has expired already": Row(
        "hold",
        {"account_id": WALLET, "amount": 1, "expires_at": PAST},
        "invalid_request",
        invalid("/expires_at", "must lie in the future"),
    ),
    "hold on no account": Row(
        "hold", {"account_id": NOTHING, "amount": 1}, "account_not_found", {"account_id": NOTHING}
    ),
    "hold for no account": Row(
        "hold",
        {"account_id": WALLET, "amount": 1, "counter_account_id": NOTHING},
        "account_not_found",
        {"account_id": NOTHING},
    ),
    "hold on a closed account": Row(
        "hold", {"account_id": CLOSED, "amount": 1}, "account_closed", {"account_id": CLOSED}
    ),
    "hold for another currency": Row(
        "hold",
        {"account_id": WALLET, "amount": 1, "counter_account_id": EUROS},
        "currency_mismatch",
        {"account_id": EUROS, "currency": "EUR", "expected": "USD"},
    ),
    "hold without funds": Row(
        "hold",
        {"account_id": WALLET, "amount": 501},
        "insufficient_funds",
        {"account_id": WALLET, "required": 501, "available": 500, "held": 500, "total": 1000},
    ),
    "capture of no hold": Row("capture", {"hold_id": NOTHING}, "hold_not_found", {"hold_id": NOTHING}),
    "capture for nobody": Row(
        "capture",
        {"hold_id": BARE},
        "invalid_request",
        invalid("/counter_account_id", "is required, since the hold names none"),
    ),
    "capture for the held account": Row(
        "capture",
        {"hold_id": ACTIVE, "counter_account_id": WALLET},
        "invalid_request",
        invalid("/counter_account_id", "must be another account than the held one"),
    ),
    "capture for no account": Row(
        "capture",
        {"hold_id": ACTIVE, "counter_account_id": NOTHING},
        "account_not_found",
        {"account_id": NOTHING},
    ),
    "capture for a closed account": Row("capture", {"hold_id": CLOSING}, "account_closed", {"account_id": CLOSED}),
    "capture of a released hold": Row(
        "capture", {"hold_id": RELEASED}, "hold_not_active", {"hold_id": RELEASED, "hold_status": "released"}
    ),
    "capture for another currency": Row(
        "capture",
        {"hold_id": ACTIVE, "counter_account_id": EUROS},
        "currency_mismatch",
        {"account_id": EUROS, "currency": "EUR", "expected": "USD"},
    ),
    "capture beyond the hold": Row(
        "capture", {"hold_id": ACTIVE, "amount": 301}, "capture_exceeds_hold",
        {"hold_id": ACTIVE, "requested": 301, "remaining": 300},
    ),
    "capture beyond a total": Row(
        "capture", {"hold_id": ACTIVE, "counter_account_id": FULL}, "balance_overflow", {"account_id": FULL}
    ),
    "capture without funds across": Row(
        "capture",
        {"hold_id": ACTIVE, "counter_account_id": STRICT},
        "insufficient_funds",
        {"account_id": STRICT, "required": 300, "available": 0, "held": 0, "total": 0},
    ),
    "release of no hold": Row("release", {"hold_id": NOTHING}, "hold_not_found", {"hold_id": NOTHING}),
    "release of a released hold": Row(
        "release", {"hold_id": RELEASED}, "hold_not_active", {"hold_id": RELEASED, "hold_status": "released"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_is_refused_and_changes_nothing(town: Ledger, row: Row) -> None:
    before = town.dump()

    first = town.write(row.kind, idempotency_key="k", **row.fields)

    why = refusal(first)
    assert (why.code, why.facts) == (row.code, row.facts)
    assert town.dump() == before
    again = town.write(row.kind, idempotency_key="k", **row.fields)
    assert again.replayed
    assert answer(again) == answer(first)


def test_every_refusal_of_a_book_has_a_row() -> None:
    elsewhere = {"idempotency_key_reused", "org_not_found", "internal_error"}
    codes = {kind.code for kind in Refusal.__subclasses__() if hasattr(kind, "code")} - elsewhere

    assert {row.code for row in TABLE.values()} == codes
