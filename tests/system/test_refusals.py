"""Every refusal of a book over HTTP, in the order in which they win; none of them changes the book."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.orgs import Org, entry
from tests.system.stack import Stack

CASH, CUSTOMERS, FEES, EUROS, CLOSED, FREE, POOR = range(1, 8)
MISSING = 99
AMOUNT_MAX = 2**53 - 1


@pytest.fixture(scope="module")
def book(stack: Stack) -> Iterator[Org]:
    """An org whose book has one of everything, and stays as it is."""
    org = stack.org("refusals")
    org.open_account(code="1000")
    org.open_account(type="liability", overdraft_limit=0)
    org.open_account(type="revenue")
    org.open_account(currency="EUR")
    org.open_account()
    org.post(f"/v1/accounts/{CLOSED}/close")
    org.open_account()
    org.open_account(type="liability", overdraft_limit=100)
    org.post_entry(CASH, CUSTOMERS, 1_000)  # 1
    org.post_entry(CASH, FEES, 10)  # 2
    org.post("/v1/entries/2/reverse")  # 3
    org.place_hold(CUSTOMERS, 400, counter_account_id=FEES)  # 1: active
    org.place_hold(CUSTOMERS, 1)  # 2: released
    org.post("/v1/holds/2/release")
    org.place_hold(CUSTOMERS, 1, counter_account_id=FEES)  # 3: captured
    org.post("/v1/holds/3/capture")
    org.place_hold(CUSTOMERS, 1)  # 4: active, without a counter account
    yield org
    org.proof()


def _hold(account_id: int = CUSTOMERS, amount: int = 1, **fields: object) -> dict[str, Any]:
    return {"account_id": account_id, "amount": amount, **fields}


def _overflow(account_id: int, other: int) -> dict[str, Any]:
    return {"lines": entry(account_id, other, AMOUNT_MAX)["lines"] * 250}


ROWS = [
    # path, body, status, code, facts
    ("/v1/accounts", {"name": "A", "type": "asset", "code": "1000"}, 409, "account_code_taken", {"account_id": CASH}),
    ("/v1/accounts/99/close", {}, 404, "account_not_found", {"account_id": 99}),
    ("/v1/accounts/5/close", {}, 409, "account_closed", {"account_id": CLOSED}),
    ("/v1/accounts/1/close", {}, 409, "account_not_empty", {"account_id": CASH, "total": 1_000, "held": 0}),
    ("/v1/entries", entry(MISSING, CLOSED, 1), 422, "account_not_found", {"account_id": MISSING}),
    ("/v1/entries", entry(CASH, 2**63 - 1, 1), 422, "account_not_found", {"account_id": 2**63 - 1}),
    ("/v1/entries", entry(CLOSED, EUROS, 1), 409, "account_closed", {"account_id": CLOSED}),
    ("/v1/entries", entry(CASH, EUROS, 7), 422, "unbalanced_entry", {"currency": "USD", "debits": 7, "credits": 0}),
    (
        "/v1/entries",
        {"lines": [*entry(CUSTOMERS, FEES, 9_999)["lines"], entry(CASH, FEES, 1)["lines"][0]]},
        422,
        "unbalanced_entry",
        {"currency": "USD", "debits": 10_000, "credits": 9_999},
    ),
    (
        "/v1/entries",
        entry(CUSTOMERS, FEES, 600),
        422,
        "insufficient_funds",
        {"account_id": CUSTOMERS, "required": 600, "available": 598, "held": 401, "total": 999},
    ),
    (
        "/v1/entries",
        entry(POOR, FEES, 101),
        422,
        "insufficient_funds",
        {"account_id": POOR, "required": 101, "available": 0, "held": 0, "total": 0},
    ),
    ("/v1/entries/99/reverse", {}, 404, "entry_not_found", {"entry_id": 99}),
    ("/v1/entries/2/reverse", {}, 409, "entry_already_reversed", {"entry_id": 2, "reversed_by": 3}),
    ("/v1/entries/1/reverse", {}, 422, "insufficient_funds", {"account_id": CUSTOMERS, "required": 1_000}),
    ("/v1/holds", _hold(MISSING), 422, "account_not_found", {"account_id": MISSING}),
    ("/v1/holds", _hold(counter_account_id=MISSING), 422, "account_not_found", {"account_id": MISSING}),
    ("/v1/holds", _hold(CLOSED), 409, "account_closed", {"account_id": CLOSED}),
    ("/v1/holds", _hold(counter_account_id=CLOSED), 409, "account_closed", {"account_id": CLOSED}),
    (
        "/v1/holds",
        _hold(counter_account_id=EUROS, amount=AMOUNT_MAX),
        422,
        "currency_mismatch",
        {"account_id": EUROS, "currency": "EUR", "expected": "USD"},
    ),
    (
        "/v1/holds",
        _hold(amount=599),
        422,
        "insufficient_funds",
        {"account_id": CUSTOMERS, "required": 599, "available": 598, "held": 401, "total": 999},
    ),
    ("/v1/holds", _hold(FREE), 422, "insufficient_funds", {"account_id": FREE, "available": 0}),
    ("/v1/holds", _hold(POOR, 101), 422, "insufficient_funds", {"account_id": POOR, "required": 101}),
    ("/v1/holds", _hold(expires_at="2020-01-01T00:00:00Z"), 422, "invalid_request", {}),
    ("/v1/holds/99/capture", {}, 404, "hold_not_found", {"hold_id": 99}),
    ("/v1/holds/1/capture", {"counter_account_id": MISSING}, 422, "account_not_found", {"account_id": MISSING}),
    ("/v1/holds/1/capture", {"counter_account_id": CLOSED}, 409, "account_closed", {"account_id": CLOSED}),
    ("/v1/holds/1/capture", {"counter_account_id": EUROS}, 422, "currency_mismatch", {"account_id": EUROS}),
    ("/v1/holds/1/capture", {"counter_account_id": CUSTOMERS}, 422, "invalid_request", {}),
    ("/v1/holds/1/capture", {"amount": 401}, 422, "capture_exceeds_hold", {"requested": 401, "remaining": 400}),
    ("/v1/holds/2/capture", {"counter_account_id": FEES}, 409, "hold_not_active", {"hold_status": "released"}),
    ("/v1/holds/3/capture", {"amount": 9}, 409, "hold_not_active", {"hold_status": "captured"}),
    ("/v1/holds/4/capture", {}, 422, "invalid_request", {}),
    ("/v1/holds/99/release", {}, 404, "hold_not_found", {"hold_id": 99}),
    ("/v1/holds/2/release", {}, 409, "hold_not_active", {"hold_id": 2, "hold_status": "released"}),
    ("/v1/holds/3/release", {}, 409, "hold_not_active", {"hold_id": 3, "hold_status": "captured"}),
]


@pytest.mark.parametrize(("path", "body", "status", "code", "facts"), ROWS)
def test_a_refusal_tells_its_facts_and_changes_nothing(
    book: Org, path: str, body: object, status: int, code: str, facts: dict[str, object]
) -> None:
    before = _content(book)

    response = book.post(path, body)

    problem = response.json()
    assert (response.status_code, problem["code"], problem["instance"]) == (status, code, path)
    assert problem == {**problem, **facts}
    assert _content(book) == before


def test_a_total_beyond_64_bits_is_refused(org: Org) -> None:
    cash, customers = org.open_pair()
    for _ in range(4):
        assert org.post("/v1/entries", _overflow(cash, customers)).status_code == 201
    while (response := org.post("/v1/entries", _overflow(cash, customers))).status_code == 201:
        pass

    assert (response.status_code, response.json()["code"]) == (422, "balance_overflow")
    assert response.json()["account_id"] == cash
    assert org.balance(cash)["debits"] <= 2**63 - 1


def _content(book: Org) -> dict[str, Any]:
    report = book.proof()
    return {name: report[name] for name in ("accounts", "entries", "lines", "holds", "head")}
