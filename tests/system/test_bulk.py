"""Bulk posting over HTTP: all or none, or each for itself, however its caller waits."""

import json
from typing import Any

import httpx
import orjson
import pytest

from tests.system.callers import at_once
from tests.system.orgs import Json, Org, entry

BULK = "/v1/entries/bulk"
MIB = 1024 * 1024


def _keyed(*amounts: int) -> list[Json]:
    """Build entries of these amounts, each under a key that names its amount."""
    return [entry(1, 2, amount, idempotency_key=f"k-{amount}") for amount in amounts]


def _post(org: Org, entries: list[Json], *, atomic: bool | None = None, key: str | None = None, **headers: str) -> Any:
    fields = {"entries": entries, "atomic": atomic, "idempotency_key": key}
    return org.post(BULK, {name: value for name, value in fields.items() if value is not None}, **headers)


def _operations(org: Org, results: list[Json]) -> list[Json]:
    """Wait for what became of each entry of a bulk, and return it as the bulk would have said it."""
    names = ("operation_id", "status", "http_status", "result", "error")
    read = [org.get(f"/v1/operations/{each['operation_id']}", Prefer="wait=30").json() for each in results]
    return [{name: operation[name] for name in names} for operation in read]


def _is_replay(again: httpx.Response, first: httpx.Response) -> bool:
    return (
        again.headers.get("Idempotency-Replayed") == "true"
        and (again.status_code, again.content) == (first.status_code, first.content)
        and again.headers["Operation-Id"] == first.headers["Operation-Id"]
    )


def test_an_atomic_bulk_answers_with_a_result_for_each_entry_in_its_order(pair: Org) -> None:
    response = _post(pair, [entry(1, 2, 5, idempotency_key="a"), entry(2, 1, 3, description="back")], atomic=True)

    assert response.status_code == 201
    results = response.json()["results"]
    assert response.json().keys() == {"results"}
    assert [each["result"] for each in results] == pair.all("/v1/entries")
    assert [(each["status"], each["http_status"], each["error"]) for each in results] == [("applied", 201, None)] * 2
    assert _operations(pair, results) == results
    assert pair.balance(1)["total"] == 2
    assert pair.proof()["entries"] == 2


def test_a_bulk_is_an_operation_of_its_own(pair: Org) -> None:
    response = _post(pair, _keyed(1, 2))

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
    entries = _keyed(1, 2, 3, 4, 5)
    entries[position] = entry(1, 9, 5)
    entries[4] = entry(8, 2, 5) if position != 4 else entries[4]
    before = pair.proof()

    refused = _post(pair, entries, X_Request_Id="r-1")

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

    refused = _post(org, [*entries, entry(2, 1, 1)])
    posted = _post(org, entries)

    assert (refused.json()["code"], refused.json()["position"]) == ("insufficient_funds", 2)
    assert (refused.json()["required"], refused.json()["available"]) == (1, 0)
    assert [each["result"]["id"] for each in posted.json()["results"]] == [1, 2]


def test_a_bulk_that_is_not_atomic_answers_each_entry_for_itself(pair: Org) -> None:
    response = _post(pair, [entry(1, 2, 5), entry(1, 9, 5), entry(2, 1, 3)], atomic=False)

    results = response.json()["results"]
    assert response.status_code == 200
    assert [(each["status"], each["http_status"]) for each in results] == [
        ("applied", 201), ("refused", 422), ("applied", 201),
    ]  # fmt: skip
    assert [each["result"] for each in results] == [*pair.all("/v1/entries")[:1], None, *pair.all("/v1/entries")[1:]]
    assert (results[1]["error"]["code"], results[1]["error"]["instance"]) == ("account_not_found", "/v1/entries")
    assert "Operation-Id" not in response.headers
    assert _operations(pair, results) == results
    assert pair.proof()["entries"] == 2


def test_a_bulk_of_refusals_alone_is_answered_all_the_same(pair: Org) -> None:
    response = _post(pair, [entry(1, 9, 5)] * 3, atomic=False)

    assert response.status_code == 200
    assert [each["error"]["code"] for each in response.json()["results"]] == ["account_not_found"] * 3
    assert pair.all("/v1/entries") == []


@pytest.mark.parametrize("atomic", [True, False])
def test_a_key_names_one_entry_inside_a_bulk_and_outside(pair: Org, atomic: bool) -> None:
    alone = pair.post("/v1/entries", entry(1, 2, 1, idempotency_key="k-1"))

    results = _post(pair, [*_keyed(1, 2), *_keyed(2)], atomic=atomic).json()["results"]

    assert [each["result"]["id"] for each in results] == [1, 2, 2]
    assert results[0]["operation_id"] == alone.headers["Operation-Id"]
    assert results[0]["result"] == alone.json()
    again = pair.post("/v1/entries", entry(1, 2, 2, idempotency_key="k-2"))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == results[1]["result"]
    assert pair.balance(1)["total"] == 3


def test_a_key_of_another_request_refuses_an_atomic_bulk_and_one_entry_of_another(pair: Org) -> None:
    pair.post("/v1/entries", entry(1, 2, 1, idempotency_key="k-2"))

    whole = _post(pair, _keyed(1, 2, 3))
    each = _post(pair, _keyed(1, 2, 3), atomic=False)

    assert (whole.status_code, whole.json()["code"], whole.json()["position"]) == (422, "idempotency_key_reused", 1)
    assert [result["http_status"] for result in each.json()["results"]] == [201, 422, 201]
    assert each.json()["results"][1]["error"]["code"] == "idempotency_key_reused"


def test_keys_of_a_refused_atomic_bulk_are_free_again(pair: Org) -> None:
    refused = _post(pair, [*_keyed(1), entry(1, 9, 5)])

    alone = pair.post("/v1/entries", entry(1, 2, 7, idempotency_key="k-1"))

    assert refused.status_code == 422
    assert (alone.status_code, "Idempotency-Replayed" in alone.headers) == (201, False)


@pytest.mark.parametrize("entries", [_keyed(1, 2), [entry(1, 2, 5)] * 3, [entry(1, 2, 5), entry(1, 9, 5)]])
@pytest.mark.parametrize("where", ["body", "header", "quoted header"])
def test_a_bulk_under_a_key_of_its_own_gets_its_first_answer_again(pair: Org, entries: list[Json], where: str) -> None:
    first = _post(pair, entries, key="bulk-1")
    pair.open_account()
    before = pair.proof()

    if where == "body":
        again = _post(pair, entries, key="bulk-1")
    else:
        again = _post(pair, entries, Idempotency_Key="bulk-1" if where == "header" else '"bulk-1"')

    assert "Idempotency-Replayed" not in first.headers
    assert _is_replay(again, first)
    assert pair.proof() == before


def test_a_bulk_replays_byte_for_byte_after_its_entries_were_reversed(pair: Org) -> None:
    first = _post(pair, _keyed(1, 2), key="bulk-1")
    pair.post("/v1/entries/1/reverse")

    again = _post(pair, _keyed(1, 2), key="bulk-1")
    accepted = _post(pair, _keyed(1, 2), key="bulk-1", Prefer="respond-async")

    assert _is_replay(again, first)
    assert _is_replay(accepted, first)


def test_a_key_of_a_bulk_may_name_an_entry_too_but_no_other_bulk(pair: Org) -> None:
    assert _post(pair, _keyed(1, 2), key="order-1").status_code == 201

    alone = pair.post("/v1/entries", entry(1, 2, 5, idempotency_key="order-1"))
    other = _post(pair, _keyed(2, 1), key="order-1")

    assert (alone.status_code, "Idempotency-Replayed" in alone.headers) == (201, False)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert "position" not in other.json()


def test_different_keys_in_the_header_and_the_body_of_a_bulk_are_a_mismatch(pair: Org) -> None:
    told = _post(pair, _keyed(1), key="a", Idempotency_Key="b")

    assert (told.status_code, told.json()["code"]) == (400, "idempotency_key_mismatch")


@pytest.mark.parametrize("keyed", [{"key": "b"}, {"Idempotency_Key": "b"}], ids=str)
def test_a_bulk_that_is_not_atomic_takes_no_key_of_its_own(pair: Org, keyed: dict[str, str]) -> None:
    told = _post(pair, _keyed(1), atomic=False, **keyed)

    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")
    assert [each["pointer"] for each in told.json()["errors"]] == ["/atomic"]
    assert pair.all("/v1/entries") == []


@pytest.mark.parametrize("prefer", ["respond-async", "wait=0"])
def test_an_atomic_bulk_whose_caller_does_not_wait_is_one_pending_operation(pair: Org, prefer: str) -> None:
    with pair.stack.halted("-m workers"):
        accepted = _post(pair, _keyed(1, 2), key="bulk-1", Prefer=prefer)
        again = _post(pair, _keyed(1, 2), key="bulk-1", Prefer="respond-async")

    operation_id = accepted.headers["Operation-Id"]
    assert accepted.status_code == again.status_code == 202
    assert accepted.json() == again.json() == {"operation_id": operation_id, "kind": "bulk", "status": "pending"}
    assert accepted.headers["Location"] == f"/v1/operations/{operation_id}"
    assert accepted.headers["Retry-After"] == "1"
    assert accepted.headers["Preference-Applied"] == prefer
    operation = pair.get(accepted.headers["Location"], Prefer="wait=30").json()
    assert [each["result"]["id"] for each in operation["result"]["results"]] == [1, 2]
    assert _post(pair, _keyed(1, 2), key="bulk-1").json() == operation["result"]
    assert pair.proof()["entries"] == 2


@pytest.mark.parametrize("prefer", ["respond-async", "wait=0"])
def test_a_bulk_that_is_not_atomic_and_whose_caller_does_not_wait_is_a_pending_operation_for_each(
    pair: Org, prefer: str
) -> None:
    with pair.stack.halted("-m workers"):
        accepted = _post(pair, [entry(1, 2, 5), *_keyed(1), entry(1, 9, 5)], atomic=False, Prefer=prefer)

    results = accepted.json()["results"]
    assert accepted.status_code == 202
    assert accepted.headers["Retry-After"] == "1"
    assert accepted.headers["Preference-Applied"] == prefer
    assert [(each["status"], each["http_status"], each["result"], each["error"]) for each in results] == [
        ("pending", None, None, None)
    ] * 3
    assert [(each["status"], each["http_status"]) for each in _operations(pair, results)] == [
        ("applied", 201), ("applied", 201), ("refused", 422),
    ]  # fmt: skip
    assert pair.balance(1)["total"] == 6


def test_a_bulk_that_does_not_wait_is_told_what_is_known_and_what_is_pending(pair: Org) -> None:
    pair.post("/v1/entries", entry(1, 2, 1, idempotency_key="k-1"))
    with pair.stack.halted("-m workers"):
        told = _post(pair, _keyed(1, 2), atomic=False, Prefer="respond-async")
    results = told.json()["results"]

    known = _operations(pair, results)
    again = _post(pair, _keyed(1, 2), atomic=False, Prefer="respond-async")

    assert (told.status_code, [each["status"] for each in results]) == (202, ["applied", "pending"])
    assert (again.status_code, again.json()["results"]) == (200, known)


def test_one_key_for_two_requests_in_a_bulk_that_does_not_wait_is_refused_for_the_second(pair: Org) -> None:
    entries = [*_keyed(1), {**entry(1, 2, 7), "idempotency_key": "k-1"}, *_keyed(1)]

    results = _post(pair, entries, atomic=False, Prefer="respond-async").json()["results"]

    assert [each["status"] for each in results] == ["pending", "refused", "pending"]
    assert results[1]["error"]["code"] == "idempotency_key_reused"
    assert {each["operation_id"] for each in results} == {results[0]["operation_id"]}
    assert _operations(pair, results)[0]["result"]["lines"][0]["amount"] == 1
    assert pair.proof()["entries"] == 1


@pytest.mark.parametrize("atomic", [True, False])
def test_a_thousand_entries_are_one_bulk(pair: Org, atomic: bool) -> None:
    response = _post(pair, [entry(1, 2, 1)] * 1_000, atomic=atomic)

    assert [each["result"]["id"] for each in response.json()["results"]] == list(range(1, 1_001))
    assert pair.balance(1)["version"] == pair.balance(1)["total"] == 1_000
    assert pair.proof()["entries"] == 1_000


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize("count", [0, 1_001])
def test_a_bulk_of_none_or_of_more_than_a_thousand_is_refused(pair: Org, count: int, atomic: bool) -> None:
    told = _post(pair, [entry(1, 2, 1)] * count, atomic=atomic)

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

    told = _post(pair, entries, atomic=atomic)

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

    told = _post(Org(pair.stack, pair.slug, key), _keyed(1))

    assert (told.status_code, told.json()["code"]) == (403, "forbidden")
    assert pair.all("/v1/entries") == []


def test_bulks_of_many_callers_at_once_under_one_key_are_posted_once(pair: Org) -> None:
    told = at_once(8, lambda _: _post(pair, [entry(1, 2, 1)] * 20, key="bulk-1"))

    assert len({each.content for each in told}) == 1
    assert sum("Idempotency-Replayed" not in each.headers for each in told) == 1
    assert pair.proof()["entries"] == 20
