"""Placing, capturing and releasing holds."""

import pytest

from ledger_core.commands import PlaceHold
from ledger_core.errors import BalanceOverflow
from ledger_core.model import Capture
from ledger_core.rules.holds import place_hold
from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, Ledger, refusal, resource


def figures(hold) -> tuple[int, int, int, str]:
    return hold.captured, hold.released, hold.remaining, hold.status


def test_a_hold_reserves_without_moving(funded: Ledger) -> None:
    held = funded.hold(
        CUSTOMERS, 250, counter_account_id=FEES, description="Order", metadata={"a": "b"}, idempotency_key="o-1"
    )

    assert (held.id, held.currency, held.created_at, held.expires_at) == (1, "USD", funded.now, None)
    assert figures(held) == (0, 0, 250, "active")
    assert funded.read_hold(1) == held
    assert funded.figures(CUSTOMERS) == (1000, 250, 750)
    assert funded.balance(CUSTOMERS).version == 1


@pytest.mark.parametrize(
    ("limit", "amount", "allowed"),
    [(None, 100, True), (None, 101, False), (0, 100, True), (0, 101, False), (30, 130, True), (30, 131, False)],
)
def test_a_hold_needs_its_amount_available(ledger: Ledger, limit: int | None, amount: int, allowed: bool) -> None:
    wallet, cash = ledger.account("liability", overdraft_limit=limit), ledger.account("asset")
    ledger.post((cash, 100, "debit"), (wallet, 100, "credit"))

    outcome = ledger.write("hold", account_id=wallet, amount=amount)

    assert (outcome.refusal is None) is allowed
    assert ledger.balance(wallet).held == (amount if allowed else 0)


def test_a_hold_can_not_take_what_another_holds(funded: Ledger) -> None:
    funded.hold(CUSTOMERS, 600)

    why = refusal(funded.write("hold", account_id=CUSTOMERS, amount=401))

    assert why.code == "insufficient_funds"
    assert why.facts == {"account_id": CUSTOMERS, "required": 401, "available": 400, "held": 600, "total": 1000}


def test_what_is_held_goes_up_to_2_to_the_63_minus_1(funded: Ledger) -> None:
    full = funded.read_account(CUSTOMERS)._replace(credits=2**63 - 1, held=2**63 - 1, overdraft_limit=5)
    command = PlaceHold(account_id=CUSTOMERS, amount=1)

    with pytest.raises(BalanceOverflow) as refused:
        place_hold(command, accounts={CUSTOMERS: full}, hold_id=1, now=funded.now)

    assert refused.value.facts == {"account_id": CUSTOMERS}


def test_an_overdrawn_account_takes_no_hold(funded: Ledger) -> None:
    funded.post((FEES, 5, "debit"), (CUSTOMERS, 5, "credit"))

    assert refusal(funded.write("hold", account_id=FEES, amount=1)).facts["available"] == -5


@pytest.mark.parametrize(("account_id", "side"), [(CUSTOMERS, "debit"), (CASH, "credit")])
def test_a_capture_takes_from_the_held_account(funded: Ledger, account_id: int, side: str) -> None:
    funded.hold(account_id, 300, counter_account_id=FEES, description="Order 981")

    captured = funded.capture(1, idempotency_key="capture-1")

    entry = funded.read_entry(2)
    other = "credit" if side == "debit" else "debit"
    assert [(line.account_id, line.amount, line.side) for line in entry.lines] == [
        (account_id, 300, side),
        (FEES, 300, other),
    ]
    assert (entry.hold_id, entry.description, entry.idempotency_key) == (1, "Order 981", "capture-1")
    assert captured.captures == (Capture(2, 300, funded.now),)
    assert figures(captured) == (300, 0, 0, "captured")
    assert funded.figures(account_id) == (700, 0, 700)


@pytest.mark.parametrize(("own", "expected"), [(None, "The hold's"), ("The capture's", "The capture's"), ("", "")])
def test_a_capture_entry_is_described_by_the_capture_or_else_by_the_hold(
    funded: Ledger, own: str | None, expected: str
) -> None:
    funded.hold(CUSTOMERS, 300, counter_account_id=FEES, description="The hold's")

    funded.capture(1, description=own)

    assert funded.read_entry(2).description == expected


def test_a_final_capture_of_a_part_releases_the_rest(funded: Ledger) -> None:
    funded.hold(CUSTOMERS, 300, counter_account_id=FEES)

    captured = funded.capture(1, amount=100)

    assert figures(captured) == (100, 200, 0, "captured")
    assert funded.figures(CUSTOMERS) == (900, 0, 900)


def test_a_capture_that_is_not_final_keeps_the_rest(funded: Ledger) -> None:
    funded.hold(CUSTOMERS, 300, counter_account_id=FEES)

    first = funded.capture(1, amount=100, final=False)
    funded.pass_s(1)
    second = funded.capture(1, amount=50, final=False)

    assert figures(first) == (100, 0, 200, "active")
    assert figures(second) == (150, 0, 150, "active")
    assert second.captures == (Capture(2, 100, funded.now - 1_000_000), Capture(3, 50, funded.now))
    assert funded.read_hold(1) == second
    assert funded.figures(CUSTOMERS) == (850, 150, 700)


def test_the_last_of_several_captures_takes_all_that_remains(funded: Ledger) -> None:
    funded.hold(CUSTOMERS, 300, counter_account_id=FEES)
    funded.capture(1, amount=100, final=False)

    last = funded.capture(1)

    assert [capture.amount for capture in last.captures] == [100, 200]
    assert figures(last) == (300, 0, 0, "captured")
    assert funded.findings() == []


def test_a_hold_with_nothing_left_is_captured_whatever_final_says(funded: Ledger) -> None:
    funded.hold(CUSTOMERS, 300, counter_account_id=FEES)

    captured = funded.capture(1, amount=300, final=False)

    assert figures(captured) == (300, 0, 0, "captured")


@pytest.mark.parametrize("captured", [0, 120])
def test_a_release_gives_back_what_remains(funded: Ledger, captured: int) -> None:
    funded.hold(CUSTOMERS, 300, counter_account_id=FEES)
    if captured:
        funded.capture(1, amount=captured, final=False)

    released = funded.release(1)

    assert figures(released) == (captured, 300 - captured, 0, "released")
    assert funded.figures(CUSTOMERS) == (1000 - captured, 0, 1000 - captured)
    assert funded.findings() == []


@pytest.mark.parametrize("kind", ["capture", "release"])
@pytest.mark.parametrize("status", ["captured", "released", "expired"])
def test_a_hold_that_is_not_active_is_neither_captured_nor_released(funded: Ledger, kind: str, status: str) -> None:
    funded.hold(CUSTOMERS, 300, counter_account_id=FEES, expires_in_s=60)
    match status:
        case "captured":
            funded.capture(1)
        case "released":
            funded.release(1)
        case "expired":
            funded.pass_s(60)

    why = refusal(funded.write(kind, hold_id=1))

    assert (why.code, why.facts) == ("hold_not_active", {"hold_id": 1, "hold_status": status})


def test_a_capture_beyond_the_hold_is_refused(funded: Ledger) -> None:
    funded.hold(CUSTOMERS, 300, counter_account_id=FEES)
    funded.capture(1, amount=100, final=False)
    before = funded.dump()

    why = refusal(funded.write("capture", hold_id=1, amount=201))

    assert (why.code, why.facts) == ("capture_exceeds_hold", {"hold_id": 1, "requested": 201, "remaining": 200})
    assert funded.dump() == before


def test_the_captures_own_counter_account_wins(funded: Ledger) -> None:
    other = funded.account("revenue")
    funded.hold(CUSTOMERS, 300, counter_account_id=FEES)

    funded.capture(1, counter_account_id=other)

    assert (funded.balance(other).total, funded.balance(FEES).total) == (300, 0)


@pytest.mark.parametrize("given", [None, CUSTOMERS])
def test_a_capture_needs_another_account_for_the_other_side(funded: Ledger, given: int | None) -> None:
    funded.hold(CUSTOMERS, 300)

    why = refusal(funded.write("capture", hold_id=1, counter_account_id=given))

    assert why.code == "invalid_request"
    assert [error["pointer"] for error in why.facts["errors"]] == ["/counter_account_id"]


def test_held_funds_are_there_at_capture_whatever_was_tried_on_them(ledger: Ledger) -> None:
    wallet, cash = ledger.account("liability", overdraft_limit=50), ledger.account("asset")
    ledger.post((cash, 100, "debit"), (wallet, 100, "credit"))
    ledger.hold(wallet, 150, counter_account_id=cash)
    for attempt in (
        ("entry", {"lines": [{"account_id": wallet, "amount": 1, "direction": "debit"},
                             {"account_id": cash, "amount": 1, "direction": "credit"}]}),
        ("hold", {"account_id": wallet, "amount": 1}),
        ("reversal", {"entry_id": 1}),
    ):  # fmt: skip
        assert refusal(ledger.write(attempt[0], **attempt[1])).code == "insufficient_funds"

    captured = ledger.capture(1)

    assert captured.status == "captured"
    assert ledger.figures(wallet) == (-50, 0, -50)


def test_a_capture_may_lack_funds_on_the_counter_account(funded: Ledger) -> None:
    strict = funded.account("asset", overdraft_limit=0)
    funded.hold(CUSTOMERS, 300, counter_account_id=strict)
    before = funded.dump()

    why = refusal(funded.write("capture", hold_id=1))

    assert why.code == "insufficient_funds"
    assert why.facts == {"account_id": strict, "required": 300, "available": 0, "held": 0, "total": 0}
    assert funded.dump() == before
    assert resource(funded.write("capture", hold_id=1, counter_account_id=FEES)).status == "captured"


def test_a_hold_placed_and_captured_in_one_transaction(funded: Ledger) -> None:
    outcomes = funded.apply(
        funded.submission("hold", {"account_id": CUSTOMERS, "amount": 100, "counter_account_id": FEES}),
        funded.submission("capture", {"hold_id": 1, "amount": 40, "final": False}),
        funded.submission("release", {"hold_id": 1}),
    )

    assert [resource(outcome).status for outcome in outcomes] == ["active", "active", "released"]
    assert funded.figures(CUSTOMERS) == (960, 0, 960)
    assert funded.findings() == []
