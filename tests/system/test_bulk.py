"""Bulk posting over HTTP: all or none, or each for itself, and how large it may be."""

import json
from typing import Any

import orjson
import pytest

from tests.system.bulks import BULK, keyed, operations, post_bulk
from tests.system.orgs import Json, Org, entry

MIB = 1024 * 1024


def test_an_atomic_bulk_answers_with_a_result_for_each_entry_in_its_order(pair: Org) -> None:
    response = post_bulk(pair, [entry(1, 2, 5, idempotency_key="a"), entry(2, 1, 3, description="back")], atomic=True)

    assert response.status_code == 201
    results = response.json()["results"]
    assert response.json().keys() == {"results"}
    assert [each["result"] for each in results] == pair.all("/v1/entries")
    assert [(each["status"], each["http_status"], each["error"]) for each in results] == [("applied", 201, None)] * 2
    assert operations(pair, results) == results
    assert pair.balance(1)["total"] == 2
    assert pair.proof()["entries"] == 2


def test_a_bulk_is_an_operation_of_its_own(pair: Org) -> None:
    response = post_bulk(pair, keyed(1, 2))

    operation = pair.get(f"/v1/operations/{response.headers['Operation-Id']}").json()

    assert (operation["kind"], operation["status"], operation["http_status"]) == ("bulk", "applied", 201)
    assert operation["result"] == response.json()
    assert operation["operation_id"] not in {each["operation_id"] for each in response.json()["results"]}


@pytest.mark.parametrize("spelt", [{}, {"atomic": None}, {"atomic": True}], ids=str)
def test_a_bulk_is_atomic_unless_it_says_otherwise(pair: Org, spelt: Json) -> None:
    refused = pair.post(BULK, {"entries": [entry(1, 2, 5), entry(1, 9, 5)], **spelt})

    assert (refused.status_code, refused.json()["code"]) == (422, "account_not_found")
    assert pair.all("/v1/entries") == []


@pytest.mark.parametrize("position", [0, 1, 4])
def test_the_first_refusal_of_an_atomic_bulk_is_named_by_its_position_and_nothing_is_posted(
    pair: Org, position: int
) -> None:
    entries = keyed(1, 2, 3, 4, 5)
    entries[position] = entry(1, 9, 5)
    entries[4] = entry(8, 2, 5) if position != 4 else entries[4]
    before = pair.proof()

    refused = post_bulk(pair, entries, X_Request_Id="r-1")

    problem = refused.json()
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (problem["code"], problem["position"], problem["account_id"]) == ("account_not_found", position, 9)
    assert (problem["instance"], problem["request_id"]) == (BULK, "r-1")
    assert pair.proof()["entries"] == before["entries"] == 0
    assert pair.proof()["operations"] == before["operations"] + 1
    assert pair.get(f"/v1/operations/{refused.headers['Operation-Id']}").json()["error"] == problem


def test_an_atomic_bulk_counts_what_its_own_entries_left(org: Org) -> None:
    org.open_account()
    org.open_account(name="Customers", type="liability", overdraft_limit=0)
    entries = [entry(1, 2, 10), entry(2, 1, 10)]

    refused = post_bulk(org, [*entries, entry(2, 1, 1)])
    posted = post_bulk(org, entries)

    assert (refused.json()["code"], refused.json()["position"]) == ("insufficient_funds", 2)
    assert (refused.json()["required"], refused.json()["available"]) == (1, 0)
    assert [each["result"]["id"] for each in posted.json()["results"]] == [1, 2]


def test_a_bulk_that_is_not_atomic_answers_each_entry_for_itself(pair: Org) -> None:
    response = post_bulk(pair, [entry(1, 2, 5), entry(1, 9, 5), entry(2, 1, 3)], atomic=False)

    results = response.json()["results"]
    assert response.status_code == 200
    assert [(each["status"], each["http_status"]) for each in results] == [
        ("applied", 201), ("refused", 422), ("applied", 201),
    ]  # fmt: skip
    assert [each["result"] for each in results] == [*pair.all("/v1/entries")[:1], None, *pair.all("/v1/entries")[1:]]
    assert (results[1]["error"]["code"], results[1]["error"]["instance"]) == ("account_not_found", "/v1/entries")
    assert "Operation-Id" not in response.headers
    assert operations(pair, results) == results
    assert pair.proof()["entries"] == 2


def test_a_bulk_of_refusals_alone_is_answered_all_the_same(pair: Org) -> None:
    response = post_bulk(pair, [entry(1, 9, 5)] * 3, atomic=False)

    assert response.status_code == 200
    assert [each["error"]["code"] for each in response.json()["results"]] == ["account_not_found"] * 3
    assert pair.all("/v1/entries") == []


@pytest.mark.parametrize("atomic", [True, False])
def test_a_thousand_entries_are_one_bulk(pair: Org, atomic: bool) -> None:
    response = post_bulk(pair, [entry(1, 2, 1)] * 1_000, atomic=atomic)

    assert [each["result"]["id"] for each in response.json()["results"]] == list(range(1, 1_001))
    assert pair.balance(1)["version"] == pair.balance(1)["total"] == 1_000
    assert pair.proof()["entries"] == 1_000


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize("count", [0, 1_001])
def test_a_bulk_of_none_or_of_more_than_a_thousand_is_refused(pair: Org, count: int, atomic: bool) -> None:
    told = post_bulk(pair, [entry(1, 2, 1)] * count, atomic=atomic)

    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")
    assert [each["pointer"] for each in told.json()["errors"]] == ["/entries"]
    assert pair.all("/v1/entries") == []


@pytest.mark.parametrize("atomic", [True, False])
def test_a_bulk_body_may_have_a_mebibyte_and_no_byte_more(pair: Org, atomic: bool) -> None:
    entries = [entry(1, 2, 1, description="d" * 900, metadata={"a": "m" * 200}) for _ in range(800)]
    body = orjson.dumps({"entries": entries, "atomic": atomic})
    headers = {**pair.headers, "Content-Type": "application/json"}

    fits = pair.stack.http.post(BULK, content=body.ljust(MIB), headers=headers)
    before = pair.proof()
    too_large = pair.stack.http.post(BULK, content=body.ljust(MIB + 1), headers=headers)

    assert len(body) > 0.9 * MIB
    assert [each["result"]["id"] for each in fits.json()["results"]] == list(range(1, 801))
    assert (too_large.status_code, too_large.json()["code"]) == (413, "body_too_large")
    assert pair.proof() == before


@pytest.mark.parametrize("atomic", [True, False])
def test_all_complaints_about_a_bulk_come_at_once_and_say_where(pair: Org, atomic: bool) -> None:
    entries: list[Any] = [entry(1, 2, 5) for _ in range(5)]
    entries[1] = {"lines": []}
    entries[2]["memo"] = "x"
    entries[3]["lines"][0]["amount"] = 0
    entries[3]["lines"][1]["direction"] = "both"
    entries[4] = None

    told = post_bulk(pair, entries, atomic=atomic)

    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")
    assert {each["pointer"] for each in told.json()["errors"]} == {
        "/entries/1/lines",
        "/entries/2/memo",
        "/entries/3/lines/0/amount",
        "/entries/3/lines/1/direction",
        "/entries/4",
    }
    assert pair.all("/v1/entries") == []


def test_a_read_only_key_posts_no_bulk(pair: Org) -> None:
    key = json.loads(pair.stack.ctl("key", "create", pair.slug, "--read-only", "--json"))["api_key"]

    told = post_bulk(Org(pair.stack, pair.slug, key), keyed(1))

    assert (told.status_code, told.json()["code"]) == (403, "forbidden")
    assert pair.all("/v1/entries") == []
