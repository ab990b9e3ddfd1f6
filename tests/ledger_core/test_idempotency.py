"""Same key, same request: the first answer again, for ever, byte for byte. Same key, another request: refused."""

from typing import Any

import pytest

from ledger_core.instants import format_instant
from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, Ledger, answer, posting, refusal, resource

ENTRY = posting((CASH, 5, "debit"), (CUSTOMERS, 5, "credit"))
OTHER_ENTRY = posting((CASH, 6, "debit"), (CUSTOMERS, 6, "credit"))

# One write of each kind, on the funded chart with a hold on it.
WRITES: dict[str, dict[str, Any]] = {
    "account": {"name": "B", "type": "asset", "code": "2", "metadata": {"b": "2", "a": "é"}},
    "closure": {"account_id": FEES},
    "entry": {**ENTRY, "description": "Deposit", "metadata": {"b": "2", "a": "1"}},
    "reversal": {"entry_id": 1, "description": "Undo"},
    "hold": {"account_id": CUSTOMERS, "amount": 9, "description": "Order", "expires_in_s": 60, "metadata": {"a": "b"}},
    "capture": {"hold_id": 1, "amount": 5, "final": False},
    "release": {"hold_id": 1},
}  # fmt: skip
REFUSED: dict[str, dict[str, Any]] = {
    "account": {"name": "B", "type": "asset", "code": "taken"},
    "closure": {"account_id": CASH},
    "entry": posting((CASH, 5, "debit"), (99, 5, "credit")),
    "reversal": {"entry_id": 99},
    "hold": {"account_id": CUSTOMERS, "amount": 5000},
    "capture": {"hold_id": 1, "amount": 5000},
    "release": {"hold_id": 99},
}


@pytest.fixture
def held(funded: Ledger) -> Ledger:
    """The funded chart with a hold of nothing that matters, and an account with the code `taken`."""
    spare, till = funded.account("liability", code="taken"), funded.account("asset")
    funded.post((till, 50, "debit"), (spare, 50, "credit"))
    funded.hold(spare, 10, counter_account_id=till)
    return funded


@pytest.mark.parametrize("kind", WRITES)
def test_a_repeated_key_gets_the_first_answer_and_changes_nothing(held: Ledger, kind: str) -> None:
    first = held.write(kind, idempotency_key="k", request="first", **WRITES[kind])
    before = held.dump()
    held.pass_s(3600)

    again = held.write(kind, idempotency_key="k", request="second", **WRITES[kind])

    assert resource(first)
    assert (first.replayed, again.replayed) == (False, True)
    assert answer(again) == answer(first)
    assert (again.operation_id, again.submitted_at, again.finished_at) == (
        first.operation_id,
        first.submitted_at,
        first.finished_at,
    )
    assert held.dump()["entries"] == before["entries"]
    assert held.dump()["lines"] == before["lines"]
    assert len(held.dump()["accounts"]) == len(before["accounts"])


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_key_stays_refused_when_its_cause_is_gone(held: Ledger, kind: str) -> None:
    first = held.write(kind, idempotency_key="k", request="first", **REFUSED[kind])
    held.post((CASH, 90_000, "debit"), (CUSTOMERS, 90_000, "credit"))
    before = held.dump()

    again = held.write(kind, idempotency_key="k", request="second", **REFUSED[kind])

    assert refusal(first).request_id == "first"
    assert again.replayed
    assert answer(again) == answer(first)
    assert held.dump() == before


@pytest.mark.parametrize("kind", WRITES)
def test_a_repeated_key_is_answered_after_a_restart(held: Ledger, kind: str) -> None:
    first = held.write(kind, idempotency_key="k", **WRITES[kind])
    held.reopen()

    again = held.write(kind, idempotency_key="k", **WRITES[kind])

    assert again.replayed
    assert answer(again) == answer(first)


@pytest.mark.parametrize("kind", WRITES)
def test_a_redelivered_message_is_no_replay_for_whoever_started_it(held: Ledger, kind: str) -> None:
    first = held.write(kind, idempotency_key="k", submission=77, **WRITES[kind])

    redelivered = held.write(kind, idempotency_key="k", submission=77, **WRITES[kind])
    retried = held.write(kind, idempotency_key="k", submission=78, **WRITES[kind])

    assert (redelivered.replayed, retried.replayed) == (False, True)
    assert answer(redelivered) == answer(retried) == answer(first)


def test_a_message_delivered_twice_without_a_key_takes_effect_once(chart: Ledger) -> None:
    message = chart.submission("entry", ENTRY)

    first, second = chart.apply(message, message)
    (third,) = chart.apply(message)

    assert answer(first) == answer(second) == answer(third)
    assert chart.balance(CASH).total == 5


def test_without_a_key_the_write_happens_once_for_each_request(chart: Ledger) -> None:
    posted = [chart.post((CASH, 5, "debit"), (CUSTOMERS, 5, "credit")).id for _ in range(2)]

    assert posted == [1, 2]


def test_a_hold_is_answered_as_it_was_whatever_became_of_it(funded: Ledger) -> None:
    writes = [
        ("hold", {"account_id": CUSTOMERS, "amount": 100, "counter_account_id": FEES, "expires_in_s": 60}),
        ("capture", {"hold_id": 1, "amount": 10, "final": False}),
        ("capture", {"hold_id": 1, "amount": 20, "final": False, "description": "Second"}),
        ("release", {"hold_id": 1}),
    ]
    firsts = [funded.write(kind, idempotency_key=str(n), **fields) for n, (kind, fields) in enumerate(writes)]

    again = [funded.write(kind, idempotency_key=str(n), **fields) for n, (kind, fields) in enumerate(writes)]

    assert [resource(outcome).captured for outcome in firsts] == [0, 10, 30, 30]
    assert [outcome.resource for outcome in again] == [outcome.resource for outcome in firsts]
    assert funded.read_hold(1).status == "released"


def test_a_hold_is_answered_as_active_after_it_expired(funded: Ledger) -> None:
    fields = {"account_id": CUSTOMERS, "amount": 100, "expires_at": format_instant(funded.now + 1)}
    first = funded.write("hold", idempotency_key="k", **fields)
    funded.pass_s(1)

    again = funded.write("hold", idempotency_key="k", **fields)

    assert answer(again) == answer(first)
    assert funded.read_hold(1).status == "expired"


def test_an_account_is_answered_as_open_after_it_was_closed(chart: Ledger) -> None:
    opened = chart.write("account", idempotency_key="k", name="B", type="asset")
    chart.write("closure", account_id=resource(opened).id)

    again = chart.write("account", idempotency_key="k", name="B", type="asset")

    assert answer(again) == answer(opened)


def test_an_entry_is_answered_as_it_was_after_it_was_reversed(chart: Ledger) -> None:
    posted = chart.write("entry", idempotency_key="k", **ENTRY)
    chart.reverse(1)

    again = chart.write("entry", idempotency_key="k", **ENTRY)

    assert again.resource == posted.resource
    assert chart.read_entry(1).reversed_by == 2


@pytest.mark.parametrize("first_refused", [False, True])
def test_a_key_with_another_request_is_refused_and_changes_nothing(chart: Ledger, first_refused: bool) -> None:
    first_fields = posting((CASH, 5, "debit"), (99, 5, "credit")) if first_refused else ENTRY
    first = chart.write("entry", idempotency_key="k", **first_fields)
    before = chart.dump()

    other = chart.write("entry", idempotency_key="k", **OTHER_ENTRY)

    assert (refusal(other).code, refusal(other).facts) == ("idempotency_key_reused", {})
    assert (other.operation_id, other.replayed) == (first.operation_id, False)
    assert chart.dump() == before
    assert answer(chart.write("entry", idempotency_key="k", **first_fields)) == answer(first)


def test_the_order_of_fields_and_of_metadata_makes_no_other_request(chart: Ledger) -> None:
    first = chart.write("entry", idempotency_key="k", **ENTRY, metadata={"a": "1", "b": "2"})

    again = chart.write("entry", metadata={"b": "2", "a": "1"}, description=None, idempotency_key="k", **ENTRY)

    assert again.replayed
    assert answer(again) == answer(first)


def test_the_order_of_lines_makes_another_request(chart: Ledger) -> None:
    chart.write("entry", idempotency_key="k", **ENTRY)

    other = chart.write("entry", idempotency_key="k", lines=ENTRY["lines"][::-1])

    assert refusal(other).code == "idempotency_key_reused"


def test_a_capture_of_everything_by_default_is_not_one_of_the_amount_spelt_out(held: Ledger) -> None:
    held.write("capture", hold_id=1, idempotency_key="k")

    other = held.write("capture", hold_id=1, amount=10, idempotency_key="k")

    assert refusal(other).code == "idempotency_key_reused"


def test_the_replay_by_key_comes_before_every_other_check(held: Ledger) -> None:
    held.write("release", hold_id=1, idempotency_key="k")

    other = held.write("hold", account_id=99, amount=1, idempotency_key="h")
    reused = held.write("hold", account_id=98, amount=1, idempotency_key="h")

    assert refusal(other).code == "account_not_found"
    assert refusal(reused).code == "idempotency_key_reused"


def test_a_key_is_scoped_by_kind_and_by_what_is_addressed(held: Ledger) -> None:
    account = held.write("account", name="B", type="asset", idempotency_key="order-1")
    entry = held.write("entry", idempotency_key="order-1", **ENTRY)
    holds = [held.write("hold", idempotency_key="order-1", account_id=CUSTOMERS, amount=5)]
    captures = [
        held.write("capture", hold_id=id_, idempotency_key="order-1", counter_account_id=FEES) for id_ in (1, 2)
    ]
    reversals = [held.write("reversal", entry_id=id_, idempotency_key="order-1") for id_ in (2, 3)]

    outcomes = [account, entry, *holds, *captures, *reversals]

    assert len({outcome.operation_id for outcome in outcomes}) == 7
    assert not any(outcome.replayed for outcome in outcomes)


def test_two_of_the_same_key_in_one_transaction(chart: Ledger) -> None:
    sent = [chart.submission("entry", {**ENTRY, "idempotency_key": "k"}) for _ in range(2)]

    first, second = chart.apply(*sent)

    assert (first.replayed, second.replayed) == (False, True)
    assert answer(second) == answer(first)
    assert chart.balance(CASH).total == 5


def test_refusals_and_replays_use_up_no_id(held: Ledger) -> None:
    entry = held.write("entry", idempotency_key="k", **ENTRY)
    for kind, fields in REFUSED.items():
        refusal(held.write(kind, **fields))
    held.write("entry", idempotency_key="k", **ENTRY)
    held.write("entry", idempotency_key="k", **OTHER_ENTRY)

    assert held.post((CASH, 1, "debit"), (CUSTOMERS, 1, "credit")).id == resource(entry).id + 1
    assert held.account("asset") == 6
    assert held.hold(CUSTOMERS, 1).id == 2
