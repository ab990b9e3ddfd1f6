"""Reversing: a new entry with the sides swapped, an entry like any other."""

from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, Ledger, refusal


def sides(entry_lines: tuple) -> list[tuple[int, int, str]]:
    return [(line.account_id, line.amount, line.side) for line in entry_lines]


def test_a_reversal_swaps_the_sides_in_the_same_order(funded: Ledger) -> None:
    funded.post((CUSTOMERS, 30, "debit"), (FEES, 10, "credit"), (CASH, 20, "credit"), metadata={"a": "b"})

    reversal = funded.reverse(2, description="A mistake", idempotency_key="undo-2")

    assert sides(reversal.lines) == [(CUSTOMERS, 30, "credit"), (FEES, 10, "debit"), (CASH, 20, "debit")]
    assert (reversal.description, reversal.idempotency_key, reversal.metadata) == ("A mistake", "undo-2", {})
    assert [funded.balance(id_).total for id_ in (CASH, CUSTOMERS, FEES)] == [1000, 1000, 0]


def test_a_reversal_and_its_entry_name_each_other(funded: Ledger) -> None:
    reversal = funded.reverse(1)

    assert (reversal.reverses, reversal.reversed_by) == (1, None)
    assert (funded.read_entry(1).reverses, funded.read_entry(1).reversed_by) == (None, 2)
    assert funded.read_entry(2) == reversal


def test_an_entry_is_reversed_once(funded: Ledger) -> None:
    funded.reverse(1)
    before = funded.dump()

    why = refusal(funded.write("reversal", entry_id=1))

    assert (why.code, why.facts) == ("entry_already_reversed", {"entry_id": 1, "reversed_by": 2})
    assert funded.dump() == before


def test_a_reversal_can_be_reversed(funded: Ledger) -> None:
    funded.reverse(1)

    again = funded.reverse(2)

    assert (again.id, again.reverses) == (3, 2)
    assert (funded.read_entry(1).reversed_by, funded.read_entry(2).reversed_by) == (2, 3)
    assert funded.balance(CASH).total == 1000


def test_an_entry_whose_reversal_was_reversed_stays_reversed(funded: Ledger) -> None:
    funded.reverse(1)
    funded.reverse(2)

    why = refusal(funded.write("reversal", entry_id=1))

    assert why.facts == {"entry_id": 1, "reversed_by": 2}


def test_a_reversal_is_refused_without_funds(ledger: Ledger) -> None:
    wallet, cash = ledger.account("liability", overdraft_limit=0), ledger.account("asset")
    ledger.post((cash, 100, "debit"), (wallet, 100, "credit"))
    ledger.post((wallet, 60, "debit"), (cash, 60, "credit"))

    why = refusal(ledger.write("reversal", entry_id=1))

    assert (why.code, why.facts["required"], why.facts["available"]) == ("insufficient_funds", 100, 40)
    assert ledger.read_entry(1).reversed_by is None


def test_a_reversal_does_not_spend_what_is_held(funded: Ledger) -> None:
    funded.hold(CUSTOMERS, 1)

    why = refusal(funded.write("reversal", entry_id=1))

    assert (why.facts["account_id"], why.facts["held"]) == (CUSTOMERS, 1)


def test_the_entry_of_a_capture_can_be_reversed_and_its_hold_stays_as_it_is(funded: Ledger) -> None:
    held = funded.hold(CUSTOMERS, 400, counter_account_id=FEES)
    captured = funded.capture(held.id, amount=300)

    reversal = funded.reverse(captured.captures[0].entry_id)

    assert (reversal.reverses, reversal.hold_id) == (2, None)
    assert funded.figures(CUSTOMERS) == (1000, 0, 1000)
    assert funded.read_hold(held.id) == captured
    assert funded.findings() == []


def test_a_reversal_of_a_closed_account_is_refused(ledger: Ledger) -> None:
    first, second = ledger.account("asset"), ledger.account("equity")
    ledger.post((first, 5, "debit"), (second, 5, "credit"))
    ledger.reverse(1)
    ledger.write("closure", account_id=first)

    why = refusal(ledger.write("reversal", entry_id=2))

    assert (why.code, why.facts) == ("account_closed", {"account_id": first})
