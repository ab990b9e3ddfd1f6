"""Applying: several commands in one transaction, all of them or none, with one clock that never goes back."""

from pathlib import Path
from typing import Any

import pytest

from ledger_core import ledger as core
from ledger_core import reads
from ledger_core.instants import format_instant
from ledger_core.model import Bulk, Outcome
from ledger_core.verify import verify
from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, NOON, Ledger, answer, posting, refusal, resource

DEPOSIT = posting((CASH, 5, "debit"), (CUSTOMERS, 5, "credit"))


class Bug(Exception):
    """What a rule raises here that has a bug."""


def test_commands_are_applied_in_their_order(chart: Ledger) -> None:
    outcomes = chart.apply(
        chart.submission("entry", DEPOSIT),
        chart.submission("hold", {"account_id": CUSTOMERS, "amount": 5, "counter_account_id": FEES}),
        chart.submission("hold", {"account_id": CUSTOMERS, "amount": 1}),
        chart.submission("capture", {"hold_id": 1, "amount": 3}),
        chart.submission("hold", {"account_id": CUSTOMERS, "amount": 2}),
        chart.submission("reversal", {"entry_id": 2}),
    )

    assert [outcome.refusal.code if outcome.refusal else None for outcome in outcomes] == [
        None, None, "insufficient_funds", None, None, None,
    ]  # fmt: skip
    assert chart.figures(CUSTOMERS) == (5, 2, 3)
    assert chart.findings() == []


def test_commands_in_one_transaction_come_to_what_they_do_one_by_one(tmp_path: Path) -> None:
    keyed = {**DEPOSIT, "idempotency_key": "k"}
    overdraft = posting((CUSTOMERS, 90, "debit"), (CASH, 90, "credit"))
    sent: list[tuple[str, dict[str, Any]]] = [
        ("account", {"name": "Cash", "type": "asset"}),
        ("account", {"name": "Customers", "type": "liability", "overdraft_limit": 0}),
        ("bulk", {"entries": [keyed, overdraft], "idempotency_key": "b"}),
        ("entry", overdraft),
        ("entry", keyed),
        ("entry", keyed),
        ("bulk", {"entries": [DEPOSIT, keyed, keyed, {**DEPOSIT, "idempotency_key": "k2"}]}),
        ("entry", {**DEPOSIT, "idempotency_key": "k2"}),
        ("entry", {**overdraft, "idempotency_key": "k"}),
        ("reversal", {"entry_id": 1}),
        ("reversal", {"entry_id": 1}),
        ("entry", posting((CASH, 2, "debit"), (3, 2, "credit"))),
        ("account", {"name": "Fees", "type": "revenue"}),
        ("entry", posting((CASH, 2, "debit"), (3, 2, "credit"))),
        ("hold", {"account_id": CUSTOMERS, "amount": 7, "counter_account_id": FEES}),
        ("entry", posting((CUSTOMERS, 4, "debit"), (CASH, 4, "credit"))),
        ("capture", {"hold_id": 1, "amount": 3}),
        ("entry", posting((CUSTOMERS, 3, "debit"), (CASH, 3, "credit"))),
        ("bulk", {"entries": [keyed, overdraft], "idempotency_key": "b"}),
    ]
    together, alone = Ledger(tmp_path, org="together"), Ledger(tmp_path, org="alone")

    outcomes = together.apply(*(together.submission(kind, fields) for kind, fields in sent))
    expected = [alone.write(kind, **fields) for kind, fields in sent]

    assert [(outcome.resource is None, outcome.refusal) for outcome in outcomes] == [
        (outcome.resource is None, outcome.refusal) for outcome in expected
    ]
    assert [outcome.replayed for outcome in outcomes] == [outcome.replayed for outcome in expected]
    assert together.dump() | {"book": []} == alone.dump() | {"book": []}
    assert together.findings() == []
    together.close()
    alone.close()


def test_commands_about_holds_in_one_transaction_come_to_what_they_do_one_by_one(tmp_path: Path) -> None:
    held = {"account_id": CUSTOMERS, "amount": 2, "counter_account_id": FEES}
    bulked = posting((FEES, 1, "debit"), (CUSTOMERS, 1, "credit"))
    too_much = posting((CUSTOMERS, 900, "debit"), (CASH, 900, "credit"))
    sent: list[tuple[str, dict[str, Any]]] = [
        ("account", {"name": "Cash", "type": "asset"}),
        ("account", {"name": "Customers", "type": "liability", "overdraft_limit": 0}),
        ("account", {"name": "Fees", "type": "revenue", "overdraft_limit": 0}),
        ("account", {"name": "Guests", "type": "liability"}),
        ("entry", posting((CASH, 100, "debit"), (CUSTOMERS, 60, "credit"), (4, 40, "credit"))),
        *[("hold", {**held, "idempotency_key": f"h{number}"}) for number in range(19)],
        ("hold", {**held, "idempotency_key": "h0"}),
        ("hold", {"account_id": 4, "amount": 40}),
        ("hold", {**held, "amount": 23}),
        *[("capture", {"hold_id": number, "amount": 1, "final": False}) for number in range(1, 18)],
        ("capture", {"hold_id": 1, "idempotency_key": "c"}),
        ("capture", {"hold_id": 1, "idempotency_key": "c"}),
        ("capture", {"hold_id": 1}),
        ("capture", {"hold_id": 2, "amount": 2}),
        ("capture", {"hold_id": 99}),
        ("release", {"hold_id": 3}),
        ("release", {"hold_id": 3}),
        ("closure", {"account_id": 4}),
        ("release", {"hold_id": 20}),
        ("hold", {"account_id": 4, "amount": 41}),
        ("entry", posting((4, 40, "debit"), (CASH, 40, "credit"))),
        ("closure", {"account_id": 4}),
        ("hold", {"account_id": 4, "amount": 1}),
        ("reversal", {"entry_id": 2}),
        ("hold", {**held, "amount": 25}),
        ("capture", {"hold_id": 21, "counter_account_id": CASH}),
        ("bulk", {"entries": [bulked]}),
        ("hold", {**held, "amount": 25}),
        ("hold", held),
        ("bulk", {"entries": [bulked, too_much]}),
        ("capture", {"hold_id": 22, "amount": 1, "final": False}),
        ("hold", held),
        ("bulk", {"entries": [{**bulked, "idempotency_key": "b"}]}),
        ("hold", held),
        ("capture", {"hold_id": 22, "amount": 1}),
        ("bulk", {"entries": [{**bulked, "idempotency_key": "b"}, too_much]}),
        ("hold", held),
        ("release", {"hold_id": 23}),
    ]
    together, alone = Ledger(tmp_path, org="together"), Ledger(tmp_path, org="alone")

    outcomes = together.apply(*(together.submission(kind, fields) for kind, fields in sent))
    expected = [alone.write(kind, **fields) for kind, fields in sent]

    assert [told(outcome) for outcome in outcomes] == [told(outcome) for outcome in expected]
    assert {"hold_not_active", "capture_exceeds_hold", "hold_not_found", "account_closed", None} <= {
        outcome.refusal and outcome.refusal.code for outcome in outcomes
    }
    assert together.dump() == alone.dump() | {"book": together.dump()["book"]}
    assert together.findings() == []
    together.close()
    alone.close()


def told(outcome: Outcome) -> tuple[object, ...]:
    """Return what a caller is told, but for operations, which are named by the org."""
    resource = outcome.resource
    entries = [item.entry for item in resource.items] if isinstance(resource, Bulk) else resource
    return outcome.kind, outcome.replayed, entries, outcome.refusal


@pytest.mark.parametrize("count", [15, 16, 17, 33])
def test_each_of_many_entries_of_one_transaction_is_written(chart: Ledger, count: int) -> None:
    sent = [chart.submission("entry", DEPOSIT) for _ in range(count)]

    outcomes = chart.apply(*sent)

    assert [reads.operation(chart.reader, item.operation_id) for item in sent] == outcomes
    assert [chart.read_entry(n) for n in range(1, count + 1)] == [resource(outcome) for outcome in outcomes]
    assert chart.findings() == []


def test_one_clock_reading_serves_a_transaction(chart: Ledger) -> None:
    ticks = iter(range(NOON + 10, NOON + 100))
    sent = [chart.submission("entry", DEPOSIT) for _ in range(3)]

    outcomes = core.apply(chart.book, sent, lambda: next(ticks))

    assert {resource(outcome).posted_at for outcome in outcomes} == {NOON + 10}
    assert {outcome.finished_at for outcome in outcomes} == {NOON + 10}


def test_a_bug_in_one_command_writes_nothing_of_its_transaction(
    funded: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def release_hold(*args: object, **kwargs: object) -> None:
        raise Bug

    funded.hold(CUSTOMERS, 10, expires_in_s=60)
    funded.hold(CUSTOMERS, 10)
    funded.pass_s(60)
    before = funded.dump()
    monkeypatch.setattr(core, "release_hold", release_hold)
    sent = [
        funded.submission("account", {"name": "B", "type": "asset"}),
        funded.submission("entry", {**DEPOSIT, "idempotency_key": "k"}),
        funded.submission("release", {"hold_id": 2, "idempotency_key": "k"}),
        funded.submission("entry", DEPOSIT),
    ]

    with pytest.raises(Bug):
        funded.apply(*sent)

    assert funded.dump() == before
    assert all(reads.operation(funded.reader, item.operation_id) is None for item in sent)


def test_after_a_bug_the_same_commands_can_be_applied_one_by_one(
    funded: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place_hold(*args: object, **kwargs: object) -> None:
        raise Bug

    sent = [
        funded.submission("entry", DEPOSIT),
        funded.submission("hold", {"account_id": CUSTOMERS, "amount": 1}),
        funded.submission("entry", DEPOSIT),
    ]
    monkeypatch.setattr(core, "place_hold", place_hold)

    for item in (sent[0], sent[2]):
        assert resource(funded.apply(item)[0])
    with pytest.raises(Bug):
        funded.apply(sent[1])
    monkeypatch.undo()

    assert resource(funded.apply(sent[1])[0]).id == 1
    assert [answer(outcome) for outcome in funded.apply(*sent)] == [answer(funded.apply(item)[0]) for item in sent]
    assert funded.findings() == []


def test_a_refusal_in_the_middle_takes_none_of_the_others_with_it(chart: Ledger) -> None:
    outcomes = chart.apply(
        chart.submission("entry", DEPOSIT),
        chart.submission("entry", posting((CASH, 5, "debit"), (99, 5, "credit"))),
        chart.submission("entry", DEPOSIT),
    )

    assert refusal(outcomes[1]).code == "account_not_found"
    assert [resource(outcomes[n]).id for n in (0, 2)] == [1, 2]


def test_nothing_to_apply_is_nothing(chart: Ledger) -> None:
    before = chart.dump()

    assert chart.apply() == []
    assert chart.dump() == before


def test_times_never_go_back_when_the_clock_does(chart: Ledger) -> None:
    chart.pass_s(100)
    first = chart.post((CASH, 5, "debit"), (CUSTOMERS, 5, "credit"))
    chart.pass_s(-50)

    second = chart.write("entry", **DEPOSIT)
    chart.reopen()
    held = chart.hold(CUSTOMERS, 1, expires_in_s=10)
    account = chart.read_account(chart.account("asset"))

    assert resource(second).posted_at == second.finished_at == first.posted_at
    assert (held.created_at, held.expires_at) == (first.posted_at, first.posted_at + 10_000_000)
    assert account.created_at == first.posted_at
    assert chart.findings() == []


def test_an_entry_says_the_time_by_itself(chart: Ledger) -> None:
    """What a commit writes is a page less."""
    book = "select last_at from book"
    before = list(chart.reader.connection.execute(book))
    chart.pass_s(100)

    chart.post((CASH, 5, "debit"), (CUSTOMERS, 5, "credit"))

    assert list(chart.reader.connection.execute(book)) == before
    assert verify(chart.reader).last_at == format_instant(chart.now)


def test_a_refusal_moves_the_books_clock_too(chart: Ledger) -> None:
    chart.pass_s(100)
    at = refusal(chart.write("release", hold_id=9)) and chart.now
    chart.pass_s(-50)

    assert chart.post((CASH, 5, "debit"), (CUSTOMERS, 5, "credit")).posted_at == at


def test_no_read_is_older_than_what_was_written(chart: Ledger) -> None:
    chart.pass_s(100)
    written_at = chart.post((CASH, 5, "debit"), (CUSTOMERS, 5, "credit")).posted_at
    chart.pass_s(-50)

    balance = chart.balance(CASH)

    assert (balance.total, balance.as_of) == (5, written_at)


def test_a_hold_that_expired_stays_expired_when_the_clock_goes_back(funded: Ledger) -> None:
    funded.hold(CUSTOMERS, 10, expires_in_s=60)
    funded.pass_s(60)
    funded.account("asset")
    funded.pass_s(-30)

    assert funded.read_hold(1).status == "expired"
    assert refusal(funded.write("capture", hold_id=1, counter_account_id=FEES)).code == "hold_not_active"


def test_a_write_is_visible_to_a_read_that_follows_it(chart: Ledger) -> None:
    for number in range(1, 6):
        posted = chart.post((CASH, 5, "debit"), (CUSTOMERS, 5, "credit"))

        assert chart.read_entry(number) == posted
        assert chart.balance(CASH).total == 5 * number


def test_an_operation_is_read_back_with_its_outcome(chart: Ledger) -> None:
    posted = chart.write("entry", **DEPOSIT)
    refused = chart.write("release", hold_id=9, request="r-9")

    assert reads.operation(chart.reader, posted.operation_id) == posted
    assert reads.operation(chart.reader, refused.operation_id) == refused
    assert refusal(refused).request_id == "r-9"
    assert reads.operation(chart.reader, bytes(16)) is None


def test_orgs_do_not_see_each_other(tmp_path) -> None:
    first, second = Ledger(tmp_path, org="first"), Ledger(tmp_path, org="second")
    first.account("asset", code="1000")

    assert second.account("asset", code="1000") == 1
    assert second.dump()["entries"] == []
    first.close()
    second.close()
