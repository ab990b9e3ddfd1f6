"""Expiry is a rule, not a job: an expired hold reserves nothing from its very instant on, settled or not."""

import pytest

from ledger_core import ledger
from ledger_core.instants import format_instant
from ledger_core.model import HoldStatus
from ledger_core.reads import HoldFilter, Span, holds
from tests.ledger_core.builders import CUSTOMERS, FEES, NOON, SECOND, Ledger, refusal, resource

EXPIRY = NOON + 60 * SECOND
EVERYTHING = [(CUSTOMERS, 1000, "debit"), (FEES, 1000, "credit")]


@pytest.fixture
def held(funded: Ledger) -> Ledger:
    """The funded chart with all customers' money held for a minute."""
    funded.hold(CUSTOMERS, 1000, counter_account_id=FEES, expires_in_s=60)
    return funded


def settle(ledger: Ledger) -> None:
    """Let a writer touch the book, which settles what has expired."""
    ledger.account("asset")


@pytest.mark.parametrize("settled", [False, True])
def test_a_hold_is_active_until_just_before_its_instant(held: Ledger, settled: bool) -> None:
    held.now = EXPIRY - 1
    if settled:
        settle(held)

    assert held.read_hold(1).status == "active"
    assert held.figures(CUSTOMERS) == (1000, 1000, 0)


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("after", [0, 1, 3600 * SECOND])
def test_a_hold_is_expired_from_its_very_instant_on(held: Ledger, settled: bool, after: int) -> None:
    held.now = EXPIRY + after
    if settled:
        settle(held)

    expired = held.read_hold(1)
    assert (expired.status, expired.released, expired.remaining) == ("expired", 1000, 0)
    assert held.figures(CUSTOMERS) == (1000, 0, 1000)


@pytest.mark.parametrize("settled", [False, True])
def test_lists_show_a_hold_as_it_is_now(held: Ledger, settled: bool) -> None:
    held.now = EXPIRY
    if settled:
        settle(held)

    for account_id in (None, CUSTOMERS):
        listed = {
            status: [hold.id for hold in holds(held.reader, HoldFilter(account_id, status), Span(10), held.now)]
            for status in (HoldStatus.ACTIVE, HoldStatus.EXPIRED)
        }

        assert listed == {"active": [], "expired": [1]}


def test_settled_and_unsettled_read_alike(held: Ledger) -> None:
    held.now = EXPIRY
    unsettled = held.read_hold(1)

    settle(held)

    assert held.read_hold(1)._replace(version=unsettled.version) == unsettled


def test_what_an_expired_hold_reserved_can_be_spent_at_its_very_instant(held: Ledger) -> None:
    held.now = EXPIRY - 1
    too_early = refusal(held.entry(*EVERYTHING))

    held.now = EXPIRY
    held.post(*EVERYTHING)

    assert too_early.facts["held"] == 1000
    assert held.figures(CUSTOMERS) == (0, 0, 0)
    assert held.findings() == []


def test_what_an_expired_hold_reserved_can_be_held_at_its_very_instant(held: Ledger) -> None:
    held.now = EXPIRY - 1
    assert refusal(held.write("hold", account_id=CUSTOMERS, amount=1)).code == "insufficient_funds"

    held.now = EXPIRY

    assert held.hold(CUSTOMERS, 1000).status == "active"


@pytest.mark.parametrize("kind", ["capture", "release"])
def test_an_expired_hold_is_not_active(held: Ledger, kind: str) -> None:
    held.now = EXPIRY

    why = refusal(held.write(kind, hold_id=1))

    assert (why.code, why.facts) == ("hold_not_active", {"hold_id": 1, "hold_status": "expired"})


def test_a_capture_just_in_time_succeeds(held: Ledger) -> None:
    held.now = EXPIRY - 1

    assert held.capture(1).status == "captured"


def test_what_remains_of_a_captured_hold_expires(held: Ledger) -> None:
    held.capture(1, amount=400, final=False)

    held.now = EXPIRY

    expired = held.read_hold(1)
    assert (expired.captured, expired.released, expired.status) == (400, 600, "expired")
    assert held.figures(CUSTOMERS) == (600, 0, 600)


def test_a_hold_done_before_its_instant_does_not_expire(held: Ledger) -> None:
    held.capture(1, amount=400)

    held.now = EXPIRY
    settle(held)

    assert held.read_hold(1).status == "captured"


def test_very_many_holds_that_expired_are_settled_and_can_be_asked_for_in_the_same_transaction(
    funded: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "HOLDS_AT_ONCE", 2)
    for _ in range(5):
        funded.hold(CUSTOMERS, 10, counter_account_id=FEES, expires_in_s=60)
    funded.now = EXPIRY

    outcomes = funded.apply(*(funded.submission("capture", {"hold_id": number}) for number in range(1, 6)))

    assert [refusal(outcome).code for outcome in outcomes] == ["hold_not_active"] * 5
    assert [funded.read_hold(number).status for number in range(1, 6)] == ["expired"] * 5
    assert funded.figures(CUSTOMERS) == (1000, 0, 1000)
    assert funded.findings() == []


def test_holds_settle_in_the_order_of_their_expiry(funded: Ledger) -> None:
    for seconds in (90, 30, 60, 30):
        funded.hold(CUSTOMERS, 10, expires_in_s=seconds)
    funded.pass_s(75)

    settle(funded)

    assert [funded.read_hold(id_).status for id_ in (1, 2, 3, 4)] == ["active", "expired", "expired", "expired"]
    assert funded.findings() == []


@pytest.mark.parametrize("late_us", [0, 1])
def test_a_hold_that_would_have_expired_already_is_refused(funded: Ledger, late_us: int) -> None:
    why = refusal(funded.write("hold", account_id=CUSTOMERS, amount=1, expires_at=format_instant(funded.now - late_us)))

    assert why.code == "invalid_request"
    assert [error["pointer"] for error in why.facts["errors"]] == ["/expires_at"]


def test_a_hold_may_expire_a_microsecond_from_now(funded: Ledger) -> None:
    placed = resource(funded.write("hold", account_id=CUSTOMERS, amount=1, expires_at=format_instant(funded.now + 1)))

    assert placed.expires_at == funded.now + 1
    assert funded.balance(CUSTOMERS).held == 1


def test_expires_in_s_counts_from_the_instant_of_placing(funded: Ledger) -> None:
    funded.pass_s(0.5)

    assert funded.hold(CUSTOMERS, 1, expires_in_s=2).expires_at == NOON + 2 * SECOND + SECOND // 2


def test_a_hold_in_force_for_ever_is_refused(funded: Ledger) -> None:
    funded.now = 253_402_300_799 * SECOND

    why = refusal(funded.write("hold", account_id=CUSTOMERS, amount=1, expires_in_s=1))

    assert [error["pointer"] for error in why.facts["errors"]] == ["/expires_in_s"]
