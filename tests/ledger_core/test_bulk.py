"""Bulk posting: all or none of the entries in one write, each of them a write of its own."""

from typing import Any

import apsw
import pytest

from ledger_core import reads
from ledger_core.operations import operation_id_of
from tests.ledger_core.builders import (
    CASH,
    CUSTOMERS,
    FEES,
    Ledger,
    answer,
    complaints,
    posting,
    refusal,
    request,
    resource,
)


def entry(amount: int, key: str | None = None, account_id: int = CASH) -> dict[str, Any]:
    return {**posting((account_id, amount, "debit"), (CUSTOMERS, amount, "credit")), "idempotency_key": key}


def posted(outcome: Any) -> list[int]:
    return [item.entry.id for item in resource(outcome).items]


def test_all_entries_of_a_bulk_are_posted_in_their_order(chart: Ledger) -> None:
    outcome = chart.write("bulk", entries=[entry(1, "a"), entry(2), entry(3, "c")], idempotency_key="b")

    assert posted(outcome) == [1, 2, 3]
    assert chart.balance(CASH).total == 6
    assert chart.findings() == []


def test_each_entry_of_a_bulk_has_an_operation_of_its_own(chart: Ledger) -> None:
    items = resource(chart.write("bulk", entries=[entry(1, "a"), entry(2)])).items

    alone = chart.submission("entry", entry(1, "a"))

    assert items[0].operation_id == operation_id_of(chart.org, alone.command)
    assert [reads.operation(chart.reader, item.operation_id).resource for item in items] == [i.entry for i in items]
    assert chart.apply(alone)[0].replayed


@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_refused_entry_refuses_the_bulk_and_changes_nothing(chart: Ledger, position: int) -> None:
    entries = [entry(1, "a"), entry(2), entry(3, "c")]
    entries[position] = entry(5, "bad", account_id=99)
    before = chart.dump()

    why = refusal(chart.write("bulk", entries=entries, idempotency_key="b"))

    assert (why.code, why.facts) == ("account_not_found", {"account_id": 99, "position": position})
    assert chart.dump() == before


def test_a_refused_bulk_uses_up_its_own_key_but_no_key_of_its_entries(chart: Ledger) -> None:
    entries = [entry(1, "a"), entry(5, "bad", account_id=4)]
    first = chart.write("bulk", entries=entries, idempotency_key="b")
    chart.account("asset")

    again = chart.write("bulk", entries=entries, idempotency_key="b")
    alone = chart.write("entry", **entry(1, "a"))

    assert (answer(again), again.replayed) == (answer(first), True)
    assert (resource(alone).id, alone.replayed) == (1, False)
    assert posted(chart.write("bulk", entries=entries, idempotency_key="b2")) == [1, 2]


def test_what_follows_a_refused_bulk_in_its_transaction_stands_on_what_was_before_it(chart: Ledger) -> None:
    outcomes = chart.apply(
        chart.submission("entry", entry(1)),
        chart.submission("bulk", {"entries": [entry(100), entry(5, account_id=99)]}),
        chart.submission("entry", entry(2)),
    )

    assert [outcome.refusal is None for outcome in outcomes] == [True, False, True]
    assert resource(outcomes[2]).id == 2
    assert chart.balance(CASH).total == 3
    assert chart.findings() == []


def test_a_clock_that_only_a_refused_bulk_moved_is_saved_with_its_refusal(chart: Ledger) -> None:
    chart.pass_s(100)
    refused = chart.write("bulk", entries=[entry(1), entry(5, account_id=99)])
    chart.pass_s(-50)

    assert resource(chart.write("entry", **entry(1))).posted_at == refused.finished_at


def test_a_repeated_bulk_gets_the_first_answer(chart: Ledger) -> None:
    entries = [entry(1, "a"), entry(2)]
    first = chart.write("bulk", entries=entries, idempotency_key="b")
    chart.reverse(1)
    chart.reopen()

    again = chart.write("bulk", entries=entries, idempotency_key="b")
    other = chart.write("bulk", entries=entries[::-1], idempotency_key="b")

    assert (answer(again), again.replayed) == (answer(first), True)
    assert refusal(other).code == "idempotency_key_reused"


def test_an_entry_that_was_posted_before_is_not_posted_again(chart: Ledger) -> None:
    chart.write("entry", **entry(1, "a"))

    outcome = chart.write("bulk", entries=[entry(1, "a"), entry(2, "b"), entry(2, "b")])

    assert posted(outcome) == [1, 2, 2]
    assert chart.balance(CASH).total == 3


def test_an_entry_under_a_key_of_another_refuses_the_bulk(chart: Ledger) -> None:
    chart.write("entry", **entry(1, "a"))
    before = chart.dump()

    why = refusal(chart.write("bulk", entries=[entry(7), entry(2, "a")]))

    assert (why.code, why.facts) == ("idempotency_key_reused", {"position": 1})
    assert chart.dump() == before


def test_a_bulk_that_is_refused_after_an_entry_posted_before_changes_nothing(chart: Ledger) -> None:
    chart.write("entry", **entry(1, "a"))
    before = chart.dump()

    why = refusal(chart.write("bulk", entries=[entry(2), entry(1, "a"), entry(3, account_id=99)]))

    assert why.facts == {"account_id": 99, "position": 2}
    assert chart.dump() == before


def test_a_page_that_a_bulk_changes_is_written_once(ledger: Ledger) -> None:
    accounts = [ledger.account() for _ in range(500)]
    pairs = list(zip(accounts, reversed(accounts), strict=True))
    entries = [posting((debit, 1, "debit"), (credit, 1, "credit")) for debit, credit in pairs] * 2
    for _ in range(6):
        ledger.write("bulk", entries=entries)

    spilt, _ = ledger.book.connection.status(apsw.SQLITE_DBSTATUS_CACHE_SPILL)

    assert spilt == 0


def test_funds_are_checked_entry_by_entry(chart: Ledger) -> None:
    chart.write("entry", **entry(10))
    chart.hold(CUSTOMERS, 10)
    back = posting((CUSTOMERS, 5, "debit"), (FEES, 5, "credit"))

    why = refusal(chart.write("bulk", entries=[entry(6), back, back]))

    assert (why.code, why.facts["position"], why.facts["available"]) == ("insufficient_funds", 2, 1)


@pytest.mark.parametrize("count", [0, 1001])
def test_a_bulk_has_1_to_1000_entries(count: int) -> None:
    assert list(complaints("bulk", {"entries": [entry(1)] * count})) == ["/entries"]
    assert complaints("bulk", {"entries": [entry(1)] * 1000}) == {}


def test_a_complaint_about_an_entry_of_a_bulk_says_where_it_is() -> None:
    found = complaints("bulk", {"entries": [entry(1), {**entry(0), "memo": "x"}]})

    assert set(found) == {"/entries/1/lines/0/amount", "/entries/1/lines/1/amount", "/entries/1/memo"}


def test_a_bulk_that_is_not_atomic_has_no_key_of_its_own() -> None:
    assert list(complaints("bulk", request("bulk", atomic=False, idempotency_key="b"))) == ["/atomic"]
    assert complaints("bulk", request("bulk", atomic=None, idempotency_key="b")) == {}


@pytest.mark.parametrize("foreign_keys", [True, False])
@pytest.mark.parametrize(
    "sql",
    [
        "update bulk_entries set entry_id = 1",
        "delete from bulk_entries",
        "insert or replace into bulk_entries select bulk, 0, operation_id, 1 from bulk_entries where position = 1",
        "insert into bulk_entries select bulk, 2, operation_id, 1 from bulk_entries where position = 1",
        "insert into bulk_entries select zeroblob(16), 0, operation_id, 1 from bulk_entries where position = 1",
    ],
)
def test_what_a_bulk_posted_never_changes(chart: Ledger, sql: str, foreign_keys: bool) -> None:
    chart.write("bulk", entries=[entry(1), entry(2)])

    with pytest.raises(apsw.ConstraintError):
        chart.raw(foreign_keys=foreign_keys).execute(sql)


def test_a_bulk_that_lost_an_entry_is_found_by_the_proof(chart: Ledger) -> None:
    outcome = chart.write("bulk", entries=[entry(1), entry(2)])
    chart.raw().execute("drop trigger bulk_entries_never_go; delete from bulk_entries where position = 1")

    assert f"operation {outcome.operation_id.hex()}" in {finding.subject for finding in chart.findings()}
