"""Holds over HTTP: placed, captured, released, expired."""

import pytest

from tests.system.orgs import Org, entry
from tests.system.test_accounts import TIME
from tests.waiting import eventually


@pytest.fixture
def funded(org: Org) -> Org:
    """An org with 50,000 of customers' money on account 2."""
    org.funded(50_000)
    return org


def test_a_placed_hold_has_every_field_of_the_contract(funded: Org) -> None:
    body = {
        "idempotency_key": "order-981",
        "account_id": 2,
        "counter_account_id": 3,
        "amount": 2500,
        "description": "Order 981",
    }

    response = funded.post("/v1/holds", body)

    assert response.status_code == 201
    hold = response.json()
    assert TIME.fullmatch(hold.pop("created_at"))
    assert hold == {
        "id": 1,
        **body,
        "captured_amount": 0,
        "released_amount": 0,
        "remaining_amount": 2500,
        "currency": "USD",
        "status": "active",
        "captures": [],
        "expires_at": None,
    }
    assert funded.get("/v1/holds/1").content == response.content


def test_a_capture_posts_an_entry_that_carries_the_hold(funded: Org) -> None:
    funded.place_hold(2, 2500, counter_account_id=3, description="Order 981")

    response = funded.post("/v1/holds/1/capture", {"idempotency_key": "ship-981"})

    assert response.status_code == 200
    hold = response.json()
    (capture,) = hold["captures"]
    assert TIME.fullmatch(capture.pop("captured_at"))
    assert capture == {"entry_id": 2, "amount": 2500}
    assert (hold["status"], hold["captured_amount"], hold["remaining_amount"]) == ("captured", 2500, 0)
    posted = funded.get("/v1/entries/2").json()
    del posted["posted_at"]
    assert posted == {
        "id": 2,
        "idempotency_key": "ship-981",
        "description": "Order 981",
        "lines": [
            {"account_id": 2, "amount": 2500, "direction": "debit"},
            {"account_id": 3, "amount": 2500, "direction": "credit"},
        ],
        "hold_id": 1,
    }


@pytest.mark.parametrize("body", [None, {}])
def test_capture_release_reverse_and_close_take_an_empty_body_or_none(funded: Org, body: object) -> None:
    for _ in range(2):
        funded.place_hold(2, 5, counter_account_id=3)
    account = funded.open_account()

    statuses = [
        funded.post(path, body).status_code
        for path in (
            "/v1/holds/1/capture",
            "/v1/holds/2/release",
            "/v1/entries/1/reverse",
            f"/v1/accounts/{account}/close",
        )
    ]

    assert statuses == [200, 200, 201, 200]


def test_partial_captures_keep_the_rest_until_the_final_one_gives_it_back(funded: Org) -> None:
    funded.place_hold(2, 1000, counter_account_id=3)

    first = funded.post("/v1/holds/1/capture", {"amount": 300, "final": False}).json()
    last = funded.post("/v1/holds/1/capture", {"amount": 200}).json()

    assert (first["status"], first["captured_amount"], first["remaining_amount"]) == ("active", 300, 700)
    assert (last["status"], last["captured_amount"], last["released_amount"]) == ("captured", 500, 500)
    assert [capture["amount"] for capture in last["captures"]] == [300, 200]
    assert funded.balance(2)["available"] == 49_500


def test_the_counter_account_of_a_capture_wins_over_that_of_the_hold(funded: Org) -> None:
    funded.place_hold(2, 10, counter_account_id=3)

    funded.post("/v1/holds/1/capture", {"counter_account_id": 1})

    assert funded.get("/v1/entries/2").json()["lines"][1]["account_id"] == 1


def test_a_released_hold_gives_everything_back(funded: Org) -> None:
    funded.place_hold(2, 2500)

    released = funded.post("/v1/holds/1/release").json()

    assert (released["status"], released["released_amount"], released["remaining_amount"]) == ("released", 2500, 0)
    assert funded.balance(2)["available"] == 50_000


def test_what_holds_reserve_can_be_spent_by_no_entry(funded: Org) -> None:
    funded.place_hold(2, 49_000)

    refused = funded.post("/v1/entries", entry(2, 3, 1_001)).json()

    assert refused["code"] == "insufficient_funds"
    assert {name: refused[name] for name in ("account_id", "required", "available", "held", "total")} == {
        "account_id": 2,
        "required": 1_001,
        "available": 1_000,
        "held": 49_000,
        "total": 50_000,
    }


def test_a_hold_expires_by_itself_in_reads_lists_and_checks(funded: Org) -> None:
    placed = funded.post("/v1/holds", {"account_id": 2, "amount": 50_000, "expires_in_s": 1}).json()

    eventually(lambda: funded.balance(2)["held"] == 0, "the hold expires")

    hold = funded.get("/v1/holds/1").json()
    assert hold["expires_at"] == placed["expires_at"]
    assert (hold["status"], hold["released_amount"], hold["remaining_amount"]) == ("expired", 50_000, 0)
    assert [item["id"] for item in funded.all("/v1/holds", "&status=expired")] == [1]
    assert funded.post("/v1/holds/1/capture", {"counter_account_id": 3}).json()["hold_status"] == "expired"
    assert funded.post("/v1/entries", entry(2, 3, 50_000)).status_code == 201


def test_an_expiry_is_an_instant_or_a_number_of_seconds(funded: Org) -> None:
    by_instant = {"account_id": 2, "amount": 1, "expires_at": "2999-01-01T01:00:00+01:00"}

    assert funded.post("/v1/holds", by_instant).json()["expires_at"] == "2999-01-01T00:00:00Z"
    assert funded.post("/v1/holds", {"account_id": 2, "amount": 1, "expires_in_s": 60}).json()["expires_at"]
