"""Statements and reports over HTTP as CSV, to who asks for it."""

import csv
import io

import pytest

from tests.system.orgs import Org, entry
from tests.system.reports import FUTURE, INCOME, SHEET, STATEMENT, TRIAL, read_csv, times

HOSTILE = 'A "quoted", name;\u2028=1+1 é😀'


def test_a_statement_as_csv(shop: Org) -> None:
    first, _, last = times(shop)

    found = read_csv(shop, f"{STATEMENT}?from={first}&to={FUTURE}")

    assert found == (
        "entry_id,posted_at,description,direction,amount,balance,version\r\n"
        f",{first},Opening balance,,,0,\r\n"
        f"1,{first},Deposit,debit,50000,50000,1\r\n"
        f'3,{last},"Rent, ""March""",credit,500,49500,2\r\n'
        f",{FUTURE},Closing balance,,,49500,\r\n"
    )


def test_a_trial_balance_as_csv(shop: Org) -> None:
    assert read_csv(shop, TRIAL) == (
        "account_id,code,name,type,currency,debits,credits,debit_balance,credit_balance\r\n"
        "1,1000,Cash,asset,USD,50000,500,49500,0\r\n"
        "2,,Customers,liability,USD,2000,50000,0,48000\r\n"
        "3,,Fees,revenue,USD,0,2000,0,2000\r\n"
        "4,,Rent,expense,USD,500,0,500,0\r\n"
        "5,,Capital,equity,EUR,0,0,0,0\r\n"
        ",,Total,,EUR,0,0,0,0\r\n"
        ",,Total,,USD,52500,52500,50000,50000\r\n"
    )


def test_a_balance_sheet_as_csv(shop: Org) -> None:
    assert read_csv(shop, SHEET) == (
        "currency,section,account_id,code,name,amount\r\n"
        "EUR,assets,,,Total assets,0\r\n"
        "EUR,liabilities,,,Total liabilities,0\r\n"
        "EUR,equity,5,,Capital,0\r\n"
        "EUR,equity,,,Earnings,0\r\n"
        "EUR,equity,,,Total equity,0\r\n"
        "USD,assets,1,1000,Cash,49500\r\n"
        "USD,assets,,,Total assets,49500\r\n"
        "USD,liabilities,2,,Customers,48000\r\n"
        "USD,liabilities,,,Total liabilities,48000\r\n"
        "USD,equity,,,Earnings,1500\r\n"
        "USD,equity,,,Total equity,1500\r\n"
    )


def test_an_income_statement_as_csv(shop: Org) -> None:
    assert read_csv(shop, INCOME) == (
        "currency,section,account_id,code,name,amount\r\n"
        "EUR,revenue,,,Total revenue,0\r\n"
        "EUR,expenses,,,Total expenses,0\r\n"
        "EUR,net income,,,Net income,0\r\n"
        "USD,revenue,3,,Fees,2000\r\n"
        "USD,revenue,,,Total revenue,2000\r\n"
        "USD,expenses,4,,Rent,500\r\n"
        "USD,expenses,,,Total expenses,500\r\n"
        "USD,net income,,,Net income,1500\r\n"
    )


def test_csv_quotes_what_would_break_it(org: Org) -> None:
    org.open_account(name=HOSTILE, code='"')
    org.open_account(name=",", type="liability")
    org.post_entry(1, 2, 5, description='","')

    trial, statement = read_csv(org, TRIAL), read_csv(org, STATEMENT)

    quoted = '"A ""quoted"", name;\u2028=1+1 é😀"'
    assert trial.split("\r\n")[1] == f'1,"""",{quoted},asset,USD,5,0,5,0'
    assert trial.split("\r\n")[2] == '2,,",",liability,USD,0,5,0,5'
    assert [row[2] for row in csv.reader(io.StringIO(trial, newline=""))][1:3] == [HOSTILE, ","]
    assert list(csv.reader(io.StringIO(statement, newline="")))[2][2] == '","'


def test_a_statement_as_csv_is_whole_however_long(org: Org) -> None:
    org.open_pair()
    for _ in range(3):
        assert org.post("/v1/entries", {"lines": entry(1, 2, 1)["lines"] * 200}).status_code == 201

    rows = list(csv.DictReader(io.StringIO(read_csv(org, STATEMENT), newline="")))

    assert len(rows) == 602
    assert [row["balance"] for row in rows] == ["0", *map(str, range(1, 601)), "600"]


def test_a_statement_as_csv_that_ends_in_1970_says_so(shop: Org) -> None:
    rows = list(csv.reader(io.StringIO(read_csv(shop, f"{STATEMENT}?to=1970-01-01T00:00:00Z"), newline="")))

    assert [(row[1], row[2], row[5]) for row in rows[1:]] == [
        ("1970-01-01T00:00:00Z", "Opening balance", "0"),
        ("1970-01-01T00:00:00Z", "Closing balance", "0"),
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [(TRIAL, "trial-balance"), (SHEET, "balance-sheet"), (INCOME, "income-statement"), (STATEMENT, "statement-1")],
)
def test_a_table_comes_as_a_file_of_that_name(shop: Org, path: str, name: str) -> None:
    response = shop.get(path, Accept="text/csv")

    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}.csv"'


ACCEPTS = [
    ("", "json"), ("*/*", "json"), ("application/json", "json"), ("text/csv", "csv"), ("TEXT/CSV", "csv"),
    ("text/*", "csv"), ("text/csv, application/json", "json"), ("text/csv, application/json;q=0.5", "csv"),
    ("text/csv;q=0.2, */*;q=0.1", "csv"), ("text/html", "json"), ("image/png, text/plain", "json"),
    ("text/csv;q=0", "json"), ("a/b/c;;q=x", "json"),
]  # fmt: skip


@pytest.mark.parametrize(("accept", "kind"), ACCEPTS)
def test_csv_is_for_who_would_rather_have_it_than_json(shop: Org, accept: str, kind: str) -> None:
    response = shop.get(TRIAL, Accept=accept)

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith({"json": "application/json", "csv": "text/csv"}[kind])


def test_a_problem_is_a_problem_to_who_wants_csv_too(shop: Org) -> None:
    told = [shop.get(path, Accept="text/csv") for path in ("/v1/accounts/99/statement", f"{TRIAL}?at=x")]

    assert [(each.status_code, each.json()["code"]) for each in told] == [
        (404, "account_not_found"), (422, "invalid_request"),
    ]  # fmt: skip
    assert all(each.headers["Content-Type"] == "application/problem+json" for each in told)
