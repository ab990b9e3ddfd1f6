"""Keys of bulks and of their entries over HTTP: what comes again under one gets its first answer."""

import pytest

from tests.system.bulks import is_replay, keyed, post_bulk
from tests.system.callers import at_once
from tests.system.orgs import Json, Org, entry


@pytest.mark.parametrize("atomic", [True, False])
def test_a_key_names_one_entry_inside_a_bulk_and_outside(pair: Org, atomic: bool) -> None:
    alone = pair.post("/v1/entries", entry(1, 2, 1, idempotency_key="k-1"))

    results = post_bulk(pair, [*keyed(1, 2), *keyed(2)], atomic=atomic).json()["results"]

    assert [each["result"]["id"] for each in results] == [1, 2, 2]
    assert results[0]["operation_id"] == alone.headers["Operation-Id"]
    assert results[0]["result"] == alone.json()
    again = pair.post("/v1/entries", entry(1, 2, 2, idempotency_key="k-2"))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == results[1]["result"]
    assert pair.balance(1)["total"] == 3


def test_a_key_of_another_request_refuses_an_atomic_bulk_and_one_entry_of_another(pair: Org) -> None:
    pair.post("/v1/entries", entry(1, 2, 1, idempotency_key="k-2"))

    whole = post_bulk(pair, keyed(1, 2, 3))
    each = post_bulk(pair, keyed(1, 2, 3), atomic=False)

    assert (whole.status_code, whole.json()["code"], whole.json()["position"]) == (422, "idempotency_key_reused", 1)
    assert [result["http_status"] for result in each.json()["results"]] == [201, 422, 201]
    assert each.json()["results"][1]["error"]["code"] == "idempotency_key_reused"


def test_keys_of_a_refused_atomic_bulk_are_free_again(pair: Org) -> None:
    refused = post_bulk(pair, [*keyed(1), entry(1, 9, 5)])

    alone = pair.post("/v1/entries", entry(1, 2, 7, idempotency_key="k-1"))

    assert refused.status_code == 422
    assert (alone.status_code, "Idempotency-Replayed" in alone.headers) == (201, False)


@pytest.mark.parametrize("entries", [keyed(1, 2), [entry(1, 2, 5)] * 3, [entry(1, 2, 5), entry(1, 9, 5)]])
@pytest.mark.parametrize("where", ["body", "header", "quoted header"])
def test_a_bulk_under_a_key_of_its_own_gets_its_first_answer_again(pair: Org, entries: list[Json], where: str) -> None:
    first = post_bulk(pair, entries, key="bulk-1")
    pair.open_account()
    before = pair.proof()

    if where == "body":
        again = post_bulk(pair, entries, key="bulk-1")
    else:
        again = post_bulk(pair, entries, Idempotency_Key="bulk-1" if where == "header" else '"bulk-1"')

    assert "Idempotency-Replayed" not in first.headers
    assert is_replay(again, first)
    assert pair.proof() == before


def test_a_bulk_replays_byte_for_byte_after_its_entries_were_reversed(pair: Org) -> None:
    first = post_bulk(pair, keyed(1, 2), key="bulk-1")
    pair.post("/v1/entries/1/reverse")

    again = post_bulk(pair, keyed(1, 2), key="bulk-1")
    accepted = post_bulk(pair, keyed(1, 2), key="bulk-1", Prefer="respond-async")

    assert is_replay(again, first)
    assert is_replay(accepted, first)


def test_a_key_of_a_bulk_may_name_an_entry_too_but_no_other_bulk(pair: Org) -> None:
    assert post_bulk(pair, keyed(1, 2), key="order-1").status_code == 201

    alone = pair.post("/v1/entries", entry(1, 2, 5, idempotency_key="order-1"))
    other = post_bulk(pair, keyed(2, 1), key="order-1")

    assert (alone.status_code, "Idempotency-Replayed" in alone.headers) == (201, False)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert "position" not in other.json()


def test_different_keys_in_the_header_and_the_body_of_a_bulk_are_a_mismatch(pair: Org) -> None:
    told = post_bulk(pair, keyed(1), key="a", Idempotency_Key="b")

    assert (told.status_code, told.json()["code"]) == (400, "idempotency_key_mismatch")


@pytest.mark.parametrize("key", [{"key": "b"}, {"Idempotency_Key": "b"}], ids=str)
def test_a_bulk_that_is_not_atomic_takes_no_key_of_its_own(pair: Org, key: dict[str, str]) -> None:
    told = post_bulk(pair, keyed(1), atomic=False, **key)

    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")
    assert [each["pointer"] for each in told.json()["errors"]] == ["/atomic"]
    assert pair.all("/v1/entries") == []


def test_bulks_of_many_callers_at_once_under_one_key_are_posted_once(pair: Org) -> None:
    told = at_once(8, lambda _: post_bulk(pair, [entry(1, 2, 1)] * 20, key="bulk-1"))

    assert len({each.content for each in told}) == 1
    assert sum("Idempotency-Replayed" not in each.headers for each in told) == 1
    assert pair.proof()["entries"] == 20
