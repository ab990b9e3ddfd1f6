"""Statements and reports over HTTP, as JSON, and what is refused."""

from typing import Any

import httpx
import pytest

from tests.system.orgs import Json, Org, entry
from tests.system.reports import FUTURE, INCOME, SHEET, STATEMENT, TRIAL, read_json, times


def _amount(account_id: int, name: str, amount: int, code: str | None = None) -> Json:
    return {"account_id": account_id, "code": code, "name": name, "amount": amount}


def test_a_statement_has_what_moved_and_the_balance_after_each_line(shop: Org) -> None:
    first, _, last = times(shop)

    found = read_json(shop, STATEMENT)

    assert found == {
        "account_id": 1,
        "currency": "USD",
        "normal_side": "debit",
        "from": None,
        "to": None,
        "as_of": found["as_of"],
        "opening_balance": 0,
        "debits": 50_000,
        "credits": 500,
        "closing_balance": 49_500,
        "lines": [
            {
                "entry_id": 1, "posted_at": first, "description": "Deposit",
                "direction": "debit", "amount": 50_000, "balance": 50_000, "version": 1,
            },
            {
                "entry_id": 3, "posted_at": last, "description": 'Rent, "March"',
                "direction": "credit", "amount": 500, "balance": 49_500, "version": 2,
            },
        ],
        "next_cursor": None,
    }  # fmt: skip


def test_a_statement_is_from_an_instant_inclusive_to_another_exclusive(shop: Org) -> None:
    first, _, last = times(shop)

    before = read_json(shop, f"{STATEMENT}?to={last}")
    since = read_json(shop, f"{STATEMENT}?from={last}&to={FUTURE}")
    none = read_json(shop, f"{STATEMENT}?from={first}&to={first}")

    assert (before["from"], before["to"]) == (None, last)
    assert (before["opening_balance"], before["closing_balance"]) == (0, 50_000)
    assert [line["entry_id"] for line in before["lines"]] == [1]
    assert (since["opening_balance"], since["closing_balance"]) == (50_000, 49_500)
    assert [line["entry_id"] for line in since["lines"]] == [3]
    assert (none["opening_balance"], none["closing_balance"], none["lines"]) == (0, 0, [])


def test_a_statement_of_a_time_without_entries_is_empty(shop: Org) -> None:
    found = read_json(shop, f"{STATEMENT}?from={FUTURE}")

    assert (found["opening_balance"], found["closing_balance"], found["lines"]) == (49_500, 49_500, [])


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 500])
def test_the_pages_of_a_statement_have_each_line_once(org: Org, limit: int) -> None:
    org.open_pair()
    sides = [*entry(1, 2, 3)["lines"], *entry(1, 2, 4)["lines"], *entry(2, 1, 1)["lines"]]
    for _ in range(3):
        org.post("/v1/entries", {"lines": sides})
    whole = read_json(org, STATEMENT)

    pages = [read_json(org, f"{STATEMENT}?limit={limit}")]
    while pages[-1]["next_cursor"]:
        pages.append(read_json(org, f"{STATEMENT}?limit={limit}&cursor={pages[-1]['next_cursor']}"))

    assert [line for page in pages for line in page["lines"]] == whole["lines"]
    assert [line["version"] for line in whole["lines"]] == list(range(1, 10))
    assert {len(page["lines"]) for page in pages[:-1]} <= {limit}
    assert {(page["opening_balance"], page["closing_balance"]) for page in pages} == {(0, 18)}


def test_a_trial_balance_has_every_account_in_the_column_of_its_side(shop: Org) -> None:
    found = read_json(shop, TRIAL)

    figures = {
        row["name"]: (row["debits"], row["credits"], row["debit_balance"], row["credit_balance"])
        for row in found["accounts"]
    }
    assert found.keys() == {"as_of", "accounts", "totals"}
    assert found["accounts"][0] == {
        "account_id": 1, "code": "1000", "name": "Cash", "type": "asset", "currency": "USD",
        "debits": 50_000, "credits": 500, "debit_balance": 49_500, "credit_balance": 0,
    }  # fmt: skip
    assert figures == {
        "Cash": (50_000, 500, 49_500, 0),
        "Customers": (2_000, 50_000, 0, 48_000),
        "Fees": (0, 2_000, 0, 2_000),
        "Rent": (500, 0, 500, 0),
        "Capital": (0, 0, 0, 0),
    }
    assert found["totals"] == [
        {"currency": "EUR", "debits": 0, "credits": 0, "debit_balance": 0, "credit_balance": 0},
        {"currency": "USD", "debits": 52_500, "credits": 52_500, "debit_balance": 50_000, "credit_balance": 50_000},
    ]


def test_a_balance_sheet_says_what_is_had_and_owed_in_each_currency(shop: Org) -> None:
    found = read_json(shop, SHEET)

    assert found == {
        "as_of": found["as_of"],
        "currencies": [
            {
                "currency": "EUR", "assets": [], "liabilities": [], "equity": [_amount(5, "Capital", 0)],
                "earnings": 0, "total_assets": 0, "total_liabilities": 0, "total_equity": 0,
            },
            {
                "currency": "USD",
                "assets": [_amount(1, "Cash", 49_500, "1000")],
                "liabilities": [_amount(2, "Customers", 48_000)],
                "equity": [],
                "earnings": 1_500, "total_assets": 49_500, "total_liabilities": 48_000, "total_equity": 1_500,
            },
        ],
    }  # fmt: skip


def test_an_income_statement_says_what_was_earned_and_spent(shop: Org) -> None:
    _, _, last = times(shop)
    nothing = {
        "currency": "EUR", "revenue": [], "expenses": [], "total_revenue": 0, "total_expenses": 0, "net_income": 0,
    }  # fmt: skip

    whole, before = read_json(shop, INCOME), read_json(shop, f"{INCOME}?to={last}")

    assert whole == {
        "from": None,
        "to": None,
        "as_of": whole["as_of"],
        "currencies": [
            nothing,
            {
                "currency": "USD",
                "revenue": [_amount(3, "Fees", 2_000)],
                "expenses": [_amount(4, "Rent", 500)],
                "total_revenue": 2_000, "total_expenses": 500, "net_income": 1_500,
            },
        ],
    }  # fmt: skip
    assert (before["to"], before["currencies"][1]["net_income"]) == (last, 2_000)
    assert read_json(shop, f"{INCOME}?from={last}")["currencies"][1]["net_income"] == -500


@pytest.mark.parametrize("path", [TRIAL, SHEET])
def test_a_report_at_an_instant_counts_what_was_posted_then(shop: Org, path: str) -> None:
    first, second, _ = times(shop)

    at = [read_json(shop, f"{path}?at={instant}") for instant in (first, second)]

    assert [found["as_of"] for found in at] == [first, second]
    if path == TRIAL:
        assert [found["accounts"][2]["credits"] for found in at] == [0, 2_000]
    else:
        assert [found["currencies"][1]["earnings"] for found in at] == [0, 2_000]
    future = read_json(shop, f"{path}?at={FUTURE}")
    assert future == {**read_json(shop, path), "as_of": future["as_of"]}
    assert future["as_of"] < FUTURE


def _complaints(response: httpx.Response) -> list[Any]:
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request"), response.text
    return [each["pointer"] for each in response.json()["errors"]]


WRONG = [
    (f"{TRIAL}?at=yesterday", ["/at"]),
    (f"{TRIAL}?at=2020-01-01T00:00:00Z&at=2020-01-01T00:00:00Z", ["/at"]),
    (f"{TRIAL}?from=2020-01-01T00:00:00Z", ["/from"]),
    (f"{TRIAL}?currency=USD&limit=5", ["/currency", "/limit"]),
    (f"{SHEET}?at=", ["/at"]),
    (f"{SHEET}?at=1969-12-31T23:59:59Z", ["/at"]),
    (f"{INCOME}?at=2020-01-01T00:00:00Z", ["/at"]),
    (f"{INCOME}?from=x&to=y", ["/from", "/to"]),
    (f"{STATEMENT}?from=2020-01-01", ["/from"]),
    (f"{STATEMENT}?limit=0", ["/limit"]),
    (f"{STATEMENT}?limit=501&order=desc", ["/limit", "/order"]),
    (f"{STATEMENT}?cursor=AAAA", ["/cursor"]),
]


@pytest.mark.parametrize(("path", "pointers"), WRONG)
def test_a_bad_parameter_of_a_report_is_refused(shop: Org, path: str, pointers: list[str]) -> None:
    assert _complaints(shop.get(path)) == pointers


@pytest.mark.parametrize("path", [STATEMENT, INCOME])
@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_a_period_that_begins_after_its_end_is_refused(shop: Org, path: str, accept: str) -> None:
    query = "from=2026-03-18T05:30:00.000001Z&to=2026-03-18T05:30:00Z"

    assert _complaints(shop.get(f"{path}?{query}", Accept=accept)) == ["/from"]


@pytest.mark.parametrize("query", ["limit=5", "cursor=AAAA"])
def test_a_statement_as_csv_has_no_pages(shop: Org, query: str) -> None:
    assert _complaints(shop.get(f"{STATEMENT}?{query}", Accept="text/csv")) == [""]


def test_a_cursor_of_a_statement_goes_with_its_account_and_period_only(shop: Org, another_org: Org) -> None:
    another_org.funded()
    cursor = read_json(shop, f"{STATEMENT}?limit=1")["next_cursor"]
    wrong = [f"{STATEMENT}?to={FUTURE}&cursor={cursor}", f"/v1/accounts/2/statement?cursor={cursor}"]

    assert [_complaints(shop.get(path)) for path in wrong] == [["/cursor"]] * 2
    assert _complaints(another_org.get(f"{STATEMENT}?cursor={cursor}")) == ["/cursor"]
    assert [line["entry_id"] for line in read_json(shop, f"{STATEMENT}?cursor={cursor}")["lines"]] == [3]


@pytest.mark.parametrize("path", [TRIAL, SHEET, INCOME])
def test_reports_of_an_empty_book_are_empty(org: Org, path: str) -> None:
    found = read_json(org, path)

    assert found["accounts" if path == TRIAL else "currencies"] == []
