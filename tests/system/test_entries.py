"""Entries over HTTP: posted, read, reversed."""

from tests.system.orgs import Org, entry
from tests.system.test_accounts import TIME

DEPOSIT = {
    "idempotency_key": "deposit-123",
    "description": "Customer deposit",
    "lines": [
        {"account_id": 1, "amount": 50000, "direction": "debit"},
        {"account_id": 2, "amount": 50000, "direction": "credit"},
    ],
}


def test_the_example_of_the_contract_comes_back_exactly(org: Org) -> None:
    org.open_pair()

    response = org.post("/v1/entries", DEPOSIT)

    assert response.status_code == 201
    posted = response.json()
    assert TIME.fullmatch(posted.pop("posted_at"))
    assert posted == {"id": 1, **DEPOSIT}
    assert list(response.json()) == ["id", "idempotency_key", "description", "lines", "posted_at"]


def test_an_entry_is_visible_to_a_read_that_follows_its_answer(org: Org) -> None:
    org.open_pair()

    for number in range(1, 20):
        posted = org.post("/v1/entries", entry(1, 2, number))
        assert org.get(f"/v1/entries/{number}").content == posted.content
        assert org.balance(1)["version"] == number


def test_fields_that_the_caller_did_not_use_are_null_or_absent(org: Org) -> None:
    org.open_pair()

    posted = org.post("/v1/entries", entry(1, 2, 5)).json()

    assert (posted["idempotency_key"], posted["description"]) == (None, None)
    assert not {"metadata", "reverses", "reversed_by", "hold_id"} & posted.keys()


def test_an_entry_keeps_its_metadata(org: Org) -> None:
    org.open_pair()

    posted = org.post("/v1/entries", entry(1, 2, 5, metadata={"order": "981", "Straße": "ü"})).json()

    assert posted["metadata"] == {"order": "981", "Straße": "ü"}


def test_lines_keep_their_order_and_an_account_may_stand_in_several(org: Org) -> None:
    org.open_pair()
    lines = [
        {"account_id": 2, "amount": 3, "direction": "credit"},
        {"account_id": 1, "amount": 1, "direction": "debit"},
        {"account_id": 1, "amount": 2, "direction": "debit"},
    ]

    posted = org.post("/v1/entries", {"lines": lines}).json()

    assert posted["lines"] == lines
    assert org.balance(1)["version"] == 2


def test_each_currency_of_an_entry_balances_by_itself(org: Org) -> None:
    pairs = [org.open_pair(), (org.open_account(currency="EUR"), org.open_account(currency="EUR"))]
    lines = [line for debit, credit in pairs for line in entry(debit, credit, 7)["lines"]]

    assert org.post("/v1/entries", {"lines": lines}).status_code == 201


def test_five_hundred_lines_are_one_entry(org: Org) -> None:
    org.open_pair()

    posted = org.post("/v1/entries", {"lines": entry(1, 2, 2**53 - 1)["lines"] * 250})

    assert posted.status_code == 201
    assert org.balance(1)["debits"] == 250 * (2**53 - 1)


def test_time_never_goes_backwards_within_an_org(org: Org) -> None:
    org.open_pair()

    times = [org.post("/v1/entries", entry(1, 2, 1)).json()["posted_at"].ljust(27, "0") for _ in range(10)]

    assert times == sorted(times)


def test_a_reversal_is_a_new_entry_with_the_sides_swapped(org: Org) -> None:
    org.open_pair()
    org.post("/v1/entries", DEPOSIT)

    response = org.post("/v1/entries/1/reverse", {"description": "Refund", "idempotency_key": "refund-123"})

    assert response.status_code == 201
    reversal = response.json()
    del reversal["posted_at"]
    assert reversal == {
        "id": 2,
        "idempotency_key": "refund-123",
        "description": "Refund",
        "lines": [
            {"account_id": 1, "amount": 50000, "direction": "credit"},
            {"account_id": 2, "amount": 50000, "direction": "debit"},
        ],
        "reverses": 1,
    }
    assert org.get("/v1/entries/1").json()["reversed_by"] == 2
    assert org.balance(1)["total"] == 0


def test_a_reversal_can_be_reversed_but_no_entry_twice(org: Org) -> None:
    org.open_pair()
    org.post_entry(1, 2, 5)

    first, second, again = (org.post(f"/v1/entries/{number}/reverse") for number in (1, 2, 1))

    assert (first.status_code, second.status_code, again.status_code) == (201, 201, 409)
    assert again.json()["code"] == "entry_already_reversed"
    assert org.balance(1)["total"] == 5
