"""Opening and closing accounts."""

import pytest

from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, SECOND, Ledger, refusal, resource


def test_an_account_is_opened_as_it_was_asked_for(ledger: Ledger) -> None:
    opened = resource(
        ledger.write(
            "account", name="Cash", code="1000", type="asset", currency="EUR", overdraft_limit=5, metadata={"a": "b"}
        )
    )

    assert (opened.id, opened.name, opened.code, opened.type, opened.currency) == (1, "Cash", "1000", "asset", "EUR")
    assert (opened.overdraft_limit, opened.metadata, opened.status) == (5, {"a": "b"}, "open")
    assert (opened.created_at, opened.closed_at) == (ledger.now, None)
    assert ledger.read_account(1) == opened


@pytest.mark.parametrize(
    ("type_", "side"),
    [("asset", "debit"), ("expense", "debit"), ("liability", "credit"), ("equity", "credit"), ("revenue", "credit")],
)
def test_the_normal_side_follows_the_type(ledger: Ledger, type_: str, side: str) -> None:
    assert ledger.read_account(ledger.account(type_)).normal_side == side


def test_the_currency_is_the_books_own_by_default(tmp_path) -> None:
    book = Ledger(tmp_path, org="euro", currency="EUR")

    id_ = book.account("asset")

    assert book.read_account(id_).currency == "EUR"
    book.close()


def test_a_code_is_taken_once(ledger: Ledger) -> None:
    ledger.account(code="1000")
    before = ledger.dump()

    why = refusal(ledger.write("account", name="B", type="asset", code="1000"))

    assert (why.code, why.facts) == ("account_code_taken", {"account_code": "1000", "account_id": 1})
    assert ledger.dump() == before


def test_a_code_stays_taken_when_its_account_is_closed(ledger: Ledger) -> None:
    ledger.account(code="1000")
    ledger.write("closure", account_id=1)

    assert refusal(ledger.write("account", name="B", type="asset", code="1000")).code == "account_code_taken"


def test_codes_differ_by_case_and_many_accounts_have_none(ledger: Ledger) -> None:
    opened = [ledger.account(code=code) for code in ("a", "A", None, None)]

    assert opened == [1, 2, 3, 4]


def test_an_empty_account_is_closed_for_good(chart: Ledger) -> None:
    chart.pass_s(1)

    closed = resource(chart.write("closure", account_id=FEES))

    assert (closed.status, closed.closed_at) == ("closed", chart.now)
    assert chart.read_account(FEES) == closed
    assert refusal(chart.write("closure", account_id=FEES)).code == "account_closed"


def test_an_account_with_a_balance_is_not_closed(funded: Ledger) -> None:
    why = refusal(funded.write("closure", account_id=CASH))

    assert (why.code, why.facts) == ("account_not_empty", {"account_id": CASH, "total": 1000, "held": 0})


def test_an_overdrawn_account_is_not_closed(funded: Ledger) -> None:
    funded.post((FEES, 5, "debit"), (CUSTOMERS, 5, "credit"))

    assert refusal(funded.write("closure", account_id=FEES)).facts["total"] == -5


def test_an_account_with_only_holds_is_not_closed_until_they_expire(ledger: Ledger) -> None:
    id_ = ledger.account("liability", overdraft_limit=100)
    ledger.hold(id_, 10, expires_in_s=60)

    why = refusal(ledger.write("closure", account_id=id_))
    ledger.now += 60 * SECOND
    closed = resource(ledger.write("closure", account_id=id_))

    assert (why.code, why.facts) == ("account_not_empty", {"account_id": id_, "total": 0, "held": 10})
    assert closed.status == "closed"


def test_an_account_that_came_back_to_zero_is_closed(funded: Ledger) -> None:
    funded.reverse(1)

    assert resource(funded.write("closure", account_id=CASH)).status == "closed"
    assert funded.findings() == []


@pytest.mark.parametrize("side", ["debit", "credit"])
def test_a_closed_account_takes_no_entry(funded: Ledger, side: str) -> None:
    funded.write("closure", account_id=FEES)
    other = "credit" if side == "debit" else "debit"

    why = refusal(funded.entry((FEES, 5, side), (CASH, 5, other)))

    assert (why.code, why.facts) == ("account_closed", {"account_id": FEES})


def test_a_closed_account_takes_no_hold(funded: Ledger) -> None:
    funded.write("closure", account_id=FEES)

    for fields in ({"account_id": FEES}, {"account_id": CUSTOMERS, "counter_account_id": FEES}):
        why = refusal(funded.write("hold", amount=1, **fields))

        assert (why.code, why.facts) == ("account_closed", {"account_id": FEES})
