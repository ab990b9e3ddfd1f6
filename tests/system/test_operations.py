"""Operations: what became of a write, for whoever may know."""

import httpx
import pytest

from tests.system.callers import at_once
from tests.system.orgs import Org, entry


def _read(org: Org, response: httpx.Response) -> httpx.Response:
    return org.get(f"/v1/operations/{response.headers['Operation-Id']}")


def test_a_synchronous_write_has_an_operation_too(org: Org) -> None:
    org.open_pair()
    posted = org.post("/v1/entries", entry(1, 2, 5))

    operation = _read(org, posted).json()

    assert operation == {
        "operation_id": posted.headers["Operation-Id"],
        "kind": "entry",
        "status": "applied",
        "submitted_at": operation["submitted_at"],
        "finished_at": operation["finished_at"],
        "http_status": 201,
        "result": posted.json(),
        "error": None,
    }


def test_a_refused_write_has_an_operation_with_the_whole_problem(org: Org) -> None:
    refused = org.post("/v1/entries/9/reverse")

    operation = _read(org, refused).json()

    assert (operation["kind"], operation["status"], operation["http_status"]) == ("reversal", "refused", 404)
    assert operation["error"] == refused.json()
    assert operation["result"] is None


def test_each_kind_of_write_names_itself(org: Org) -> None:
    org.funded()
    org.place_hold(2, 5, counter_account_id=3)
    paths = {
        "capture": "/v1/holds/1/capture",
        "release": "/v1/holds/1/release",
        "reversal": "/v1/entries/1/reverse",
        "closure": "/v1/accounts/1/close",
    }

    kinds = [_read(org, org.post(path)).json()["kind"] for path in paths.values()]

    assert kinds == list(paths)


def test_an_operation_never_changes_whatever_happens_later(org: Org) -> None:
    org.funded()
    placed = org.post("/v1/holds", {"account_id": 2, "amount": 5, "counter_account_id": 3})
    opened = org.post("/v1/accounts", {"name": "A", "type": "asset"})
    before = [_read(org, each).content for each in (placed, opened)]

    org.post("/v1/holds/1/capture", {"amount": 2})
    org.post("/v1/accounts/4/close")

    assert [_read(org, each).content for each in (placed, opened)] == before


def test_a_retry_under_a_key_has_the_same_operation(org: Org) -> None:
    org.open_pair()
    body = entry(1, 2, 5, idempotency_key="k")

    ids = {org.post("/v1/entries", body, Prefer=prefer).headers["Operation-Id"] for prefer in ("", "respond-async")}

    assert len(ids) == 1


def test_writes_without_a_key_are_operations_of_their_own(org: Org) -> None:
    org.open_pair()

    told = at_once(10, lambda _: org.post("/v1/entries", entry(1, 2, 5)))

    assert len({each.headers["Operation-Id"] for each in told}) == 10


@pytest.mark.parametrize("prefer", ["", "wait=30"])
def test_an_operation_that_nobody_started_is_not_found_at_once(org: Org, prefer: str) -> None:
    response = org.get("/v1/operations/00000000-0000-4000-8000-000000000000", Prefer=prefer)

    assert (response.status_code, response.json()["code"]) == (404, "operation_not_found")


def test_the_operation_of_another_org_is_not_found(org: Org, another_org: Org) -> None:
    org.open_pair()
    told = [org.post("/v1/entries", entry(1, 2, 5), Prefer=prefer) for prefer in ("", "respond-async")]

    assert [_read(another_org, each).status_code for each in told] == [404, 404]


def test_a_hundred_accepted_writes_all_reach_their_outcome(org: Org) -> None:
    org.open_pair()

    accepted = at_once(
        20, lambda _: [org.post("/v1/entries", entry(1, 2, 1), Prefer="respond-async") for _ in range(5)]
    )

    operations = [org.get(each.headers["Location"], Prefer="wait=30").json() for five in accepted for each in five]
    assert sorted(operation["result"]["id"] for operation in operations) == list(range(1, 101))
    assert org.balance(1)["total"] == 100
