"""Accounts over HTTP: opened, read, closed."""

import re

import pytest

from tests.system.orgs import Org, entry

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}(\d{3})?)?Z")
NORMAL_SIDES = [
    ("asset", "debit"),
    ("expense", "debit"),
    ("liability", "credit"),
    ("equity", "credit"),
    ("revenue", "credit"),
]


def test_an_opened_account_has_every_field_of_the_contract(org: Org) -> None:
    response = org.post("/v1/accounts", {"name": "Cash", "code": "1000", "type": "asset"})

    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/json"
    account = response.json()
    assert TIME.fullmatch(account.pop("created_at"))
    assert account == {
        "id": 1,
        "name": "Cash",
        "code": "1000",
        "type": "asset",
        "normal_side": "debit",
        "currency": "USD",
        "overdraft_limit": None,
        "status": "open",
        "metadata": {},
    }


def test_an_account_keeps_what_its_caller_chose(org: Org) -> None:
    chosen = {"name": "Bitcoin ₿", "type": "equity", "currency": "BTC", "overdraft_limit": 7, "metadata": {"a": "b"}}

    account = org.post("/v1/accounts", chosen).json()

    assert account == {**account, **chosen, "code": None, "normal_side": "credit"}


def test_null_means_the_same_as_leaving_a_field_out(org: Org) -> None:
    unused = dict.fromkeys(("code", "currency", "overdraft_limit", "metadata", "idempotency_key"))

    account = org.post("/v1/accounts", {"name": "Cash", "type": "asset", **unused}).json()

    assert (account["code"], account["currency"], account["metadata"]) == (None, "USD", {})


@pytest.mark.parametrize(("type_", "side"), NORMAL_SIDES)
def test_each_type_has_its_normal_side(org: Org, type_: str, side: str) -> None:
    account = org.post("/v1/accounts", {"name": "A", "type": type_}).json()

    assert account["normal_side"] == side


def test_accounts_are_in_the_currency_of_their_org_unless_they_say_otherwise(org: Org) -> None:
    euros = org.stack.org(f"{org.slug}-euro", "--currency", "EUR")

    assert euros.post("/v1/accounts", {"name": "Kasse", "type": "asset"}).json()["currency"] == "EUR"


def test_an_account_is_read_as_it_was_opened(org: Org) -> None:
    opened = org.post("/v1/accounts", {"name": "Cash", "type": "asset"})

    read = org.get("/v1/accounts/1")

    assert read.status_code == 200
    assert read.content == opened.content


def test_ids_count_from_one_without_gaps_and_refusals_use_up_none(org: Org) -> None:
    taken = {"name": "Cash", "type": "asset", "code": "1000"}

    assert org.open_account(**taken) == 1
    assert org.post("/v1/accounts", taken).json()["code"] == "account_code_taken"
    assert org.open_account() == 2


def test_an_empty_account_is_closed_for_good(org: Org) -> None:
    account = org.open_account()

    closed = org.post(f"/v1/accounts/{account}/close")

    assert closed.status_code == 200
    assert closed.json() == org.get(f"/v1/accounts/{account}").json()
    assert closed.json()["status"] == "closed"
    assert org.post(f"/v1/accounts/{account}/close").json()["code"] == "account_closed"


def test_a_closed_account_takes_no_entry(org: Org) -> None:
    cash, customers = org.open_pair()
    org.post(f"/v1/accounts/{customers}/close", {})

    refused = org.post("/v1/entries", entry(cash, customers, 5))

    assert (refused.status_code, refused.json()["code"]) == (409, "account_closed")


def test_the_balance_of_an_untouched_account_is_all_zeros(org: Org) -> None:
    balance = org.balance(org.open_account())

    assert TIME.fullmatch(balance.pop("as_of"))
    assert balance == {
        "account_id": 1,
        "currency": "USD",
        "total": 0,
        "held": 0,
        "available": 0,
        "debits": 0,
        "credits": 0,
        "version": 0,
    }


def test_a_balance_shows_what_is_held_and_what_may_be_spent(org: Org) -> None:
    _, customers, fees = org.funded(50_000)
    org.place_hold(customers, 2_500, counter_account_id=fees)

    balance = org.balance(customers)

    del balance["as_of"]
    assert balance == {
        "account_id": customers,
        "currency": "USD",
        "total": 50_000,
        "held": 2_500,
        "available": 47_500,
        "debits": 0,
        "credits": 50_000,
        "version": 1,
    }


def test_a_balance_at_an_instant_counts_what_was_posted_at_that_very_instant(org: Org) -> None:
    cash, customers = org.open_pair()
    posted = [org.post("/v1/entries", entry(cash, customers, amount)).json()["posted_at"] for amount in (1, 10, 100)]

    totals = [org.balance(cash, f"?at={at}")["total"] for at in posted]

    assert totals == [1, 11, 111]


def test_before_an_account_existed_all_is_zero(org: Org) -> None:
    cash, _, _ = org.funded()

    balance = org.balance(cash, "?at=1999-12-31T23:59:59Z")

    assert (balance["total"], balance["version"], balance["as_of"]) == (0, 0, "1999-12-31T23:59:59Z")


def test_an_instant_in_the_future_is_answered_as_of_now(org: Org) -> None:
    cash, _, _ = org.funded(500)

    balance = org.balance(cash, "?at=9999-01-01T00:00:00Z")

    assert balance["total"] == 500
    assert balance["as_of"] < "9999"


def test_an_instant_with_an_offset_is_answered_in_utc(org: Org) -> None:
    cash, _, _ = org.funded()

    balance = org.balance(cash, "?at=2001-02-03T04:05:06.5%2B02:00")

    assert balance["as_of"] == "2001-02-03T02:05:06.500Z"
