"""Bulks over HTTP whose caller does not wait: what is pending, and what is known already."""

import pytest

from tests.system.bulks import keyed, operations, post_bulk
from tests.system.orgs import Org, entry


@pytest.mark.parametrize("prefer", ["respond-async", "wait=0"])
def test_an_atomic_bulk_whose_caller_does_not_wait_is_one_pending_operation(pair: Org, prefer: str) -> None:
    with pair.stack.halted("-m workers"):
        accepted = post_bulk(pair, keyed(1, 2), key="bulk-1", Prefer=prefer)
        again = post_bulk(pair, keyed(1, 2), key="bulk-1", Prefer="respond-async")

    operation_id = accepted.headers["Operation-Id"]
    assert accepted.status_code == again.status_code == 202
    assert accepted.json() == again.json() == {"operation_id": operation_id, "kind": "bulk", "status": "pending"}
    assert accepted.headers["Location"] == f"/v1/operations/{operation_id}"
    assert accepted.headers["Retry-After"] == "1"
    assert accepted.headers["Preference-Applied"] == prefer
    operation = pair.get(accepted.headers["Location"], Prefer="wait=30").json()
    assert [each["result"]["id"] for each in operation["result"]["results"]] == [1, 2]
    assert post_bulk(pair, keyed(1, 2), key="bulk-1").json() == operation["result"]
    assert pair.proof()["entries"] == 2


@pytest.mark.parametrize("prefer", ["respond-async", "wait=0"])
def test_a_bulk_that_is_not_atomic_and_whose_caller_does_not_wait_is_a_pending_operation_for_each(
    pair: Org, prefer: str
) -> None:
    with pair.stack.halted("-m workers"):
        accepted = post_bulk(pair, [entry(1, 2, 5), *keyed(1), entry(1, 9, 5)], atomic=False, Prefer=prefer)

    results = accepted.json()["results"]
    assert accepted.status_code == 202
    assert accepted.headers["Retry-After"] == "1"
    assert accepted.headers["Preference-Applied"] == prefer
    assert [(each["status"], each["http_status"], each["result"], each["error"]) for each in results] == [
        ("pending", None, None, None)
    ] * 3
    assert [(each["status"], each["http_status"]) for each in operations(pair, results)] == [
        ("applied", 201), ("applied", 201), ("refused", 422),
    ]  # fmt: skip
    assert pair.balance(1)["total"] == 6


def test_a_bulk_that_does_not_wait_is_told_what_is_known_and_what_is_pending(pair: Org) -> None:
    pair.post("/v1/entries", entry(1, 2, 1, idempotency_key="k-1"))
    with pair.stack.halted("-m workers"):
        told = post_bulk(pair, keyed(1, 2), atomic=False, Prefer="respond-async")
    results = told.json()["results"]

    known = operations(pair, results)
    again = post_bulk(pair, keyed(1, 2), atomic=False, Prefer="respond-async")

    assert (told.status_code, [each["status"] for each in results]) == (202, ["applied", "pending"])
    assert (again.status_code, again.json()["results"]) == (200, known)


def test_one_key_for_two_requests_in_a_bulk_that_does_not_wait_is_refused_for_the_second(pair: Org) -> None:
    entries = [*keyed(1), {**entry(1, 2, 7), "idempotency_key": "k-1"}, *keyed(1)]

    results = post_bulk(pair, entries, atomic=False, Prefer="respond-async").json()["results"]

    assert [each["status"] for each in results] == ["pending", "refused", "pending"]
    assert results[1]["error"]["code"] == "idempotency_key_reused"
    assert {each["operation_id"] for each in results} == {results[0]["operation_id"]}
    assert operations(pair, results)[0]["result"]["lines"][0]["amount"] == 1
    assert pair.proof()["entries"] == 1
