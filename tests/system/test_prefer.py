"""`Prefer`: how long a caller waits, and what it is told that did not wait."""

import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.system.orgs import Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually


def _outcome(org: Org, response: httpx.Response) -> dict[str, object]:
    """Wait for what became of a write that was answered 202."""
    return dict(org.get(response.headers["Location"], Prefer="wait=30").json())


def test_respond_async_is_answered_at_once_with_the_operation(pair: Org) -> None:
    response = pair.post("/v1/entries", entry(1, 2, 5), Prefer="respond-async")

    assert response.status_code == 202
    assert response.headers["Content-Type"] == "application/json"
    operation_id = response.headers["Operation-Id"]
    assert uuid.UUID(operation_id)
    assert response.json() == {"operation_id": operation_id, "kind": "entry", "status": "pending"}
    assert response.headers["Location"] == f"/v1/operations/{operation_id}"
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Preference-Applied"] == "respond-async"
    assert "Idempotency-Replayed" not in response.headers


APPLIED = [
    ("wait=5", "wait=5"),
    ("Wait = 5", "wait=5"),
    ('wait="5"', "wait=5"),
    ("wait=30", "wait=30"),
    ("wait=31", "wait=30"),
    ("wait=999999999999999999999", "wait=30"),
    ("wait=0000000000012", "wait=12"),
    ("respond-async, wait=5", "respond-async, wait=5"),
    ("wait=5, respond-async", "respond-async, wait=5"),
    ("RESPOND-ASYNC, WAIT=5", "respond-async, wait=5"),
    ("return=minimal, wait=5", "wait=5"),
    ("wait=5; foo=bar", "wait=5"),
    ("wait=5, wait=9", "wait=5"),
]


@pytest.mark.parametrize(("prefer", "applied"), APPLIED)
def test_a_write_within_its_wait_is_answered_as_if_there_were_no_queue(pair: Org, prefer: str, applied: str) -> None:
    response = pair.post("/v1/entries", entry(1, 2, 5), Prefer=prefer)

    assert response.status_code == 201
    assert response.headers["Preference-Applied"] == applied


@pytest.mark.parametrize(
    "prefer",
    ["", "wait", "wait=", "wait=-1", "wait=1.5", "wait=soon", "wait=\xb2", "respond-asynchronously", ",;=", "\"'"],
)
def test_a_preference_that_cannot_be_understood_is_ignored(pair: Org, prefer: str) -> None:
    headers = {**pair.headers, "Prefer": prefer.encode("latin-1")}

    response = pair.stack.http.post("/v1/entries", json=entry(1, 2, 5), headers=headers)

    assert response.status_code == 201
    assert "Preference-Applied" not in response.headers


def test_what_was_accepted_reaches_its_outcome(pair: Org) -> None:
    response = pair.post("/v1/entries", entry(1, 2, 5), Prefer="respond-async")

    operation = _outcome(pair, response)

    assert operation == {
        "operation_id": response.headers["Operation-Id"],
        "kind": "entry",
        "status": "applied",
        "submitted_at": operation["submitted_at"],
        "finished_at": operation["finished_at"],
        "http_status": 201,
        "result": pair.get("/v1/entries/1").json(),
        "error": None,
    }
    assert operation["submitted_at"]
    assert operation["finished_at"]


def test_what_was_accepted_may_be_refused(pair: Org) -> None:
    response = pair.post("/v1/entries", entry(1, 9, 5), Prefer="respond-async", X_Request_Id="r-1")

    operation = _outcome(pair, response)

    assert (operation["status"], operation["http_status"], operation["result"]) == ("refused", 422, None)
    error = operation["error"]
    assert isinstance(error, dict)
    assert (error["code"], error["status"], error["instance"]) == ("account_not_found", 422, "/v1/entries")
    assert error["request_id"] == "r-1"


def test_respond_async_of_a_known_outcome_is_the_first_answer_as_a_replay(pair: Org) -> None:
    body = entry(1, 2, 5, idempotency_key="k")
    first = pair.post("/v1/entries", body)

    again = pair.post("/v1/entries", body, Prefer="respond-async")

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Operation-Id"] == first.headers["Operation-Id"]


def test_a_pending_write_of_the_callers_own_is_a_replay_once_it_is_known(pair: Org) -> None:
    body = entry(1, 2, 5, idempotency_key="k")
    accepted = pair.post("/v1/entries", body, Prefer="respond-async")
    operation = _outcome(pair, accepted)

    again = pair.post("/v1/entries", body)

    assert again.status_code == operation["http_status"]
    assert again.json() == operation["result"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Operation-Id"] == accepted.headers["Operation-Id"]


@pytest.fixture(scope="module")
def stalled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    """An org with two accounts, whose worker stands still, so that everything stays pending."""
    stack = Stack(tmp_path_factory.mktemp("stalled") / "data").start()
    org = stack.org("stalled")
    org.open_pair()
    with stack.halted("-m workers"):
        yield org
    stack.stop()


def test_a_wait_that_runs_out_is_a_202(stalled: Org) -> None:
    told = [
        stalled.post("/v1/entries", entry(1, 2, 5), Prefer=prefer)
        for prefer in ("wait=0", "wait=1", "respond-async, wait=1")
    ]

    assert [each.status_code for each in told] == [202, 202, 202]
    assert [each.headers["Preference-Applied"] for each in told] == ["wait=0", "wait=1", "respond-async, wait=1"]
    operations = [stalled.get(each.headers["Location"]).json() for each in told]
    assert [each["status"] for each in operations] == ["pending"] * 3


def test_a_pending_operation_has_every_field(stalled: Org) -> None:
    accepted = stalled.post("/v1/entries", entry(1, 2, 5), Prefer="respond-async")

    response = stalled.get(accepted.headers["Location"], Prefer="wait=1")

    assert response.status_code == 200
    assert response.headers["Preference-Applied"] == "wait=1"
    operation = response.json()
    assert operation.pop("submitted_at")
    assert operation == {
        "operation_id": accepted.headers["Operation-Id"],
        "kind": "entry",
        "status": "pending",
        "finished_at": None,
        "http_status": None,
        "result": None,
        "error": None,
    }


def test_while_a_write_is_pending_its_key_is_taken(stalled: Org) -> None:
    accepted = stalled.post("/v1/entries", entry(1, 2, 5, idempotency_key="k"), Prefer="respond-async")

    same = stalled.post("/v1/entries", entry(1, 2, 5, idempotency_key="k"), Prefer="respond-async")
    other = stalled.post("/v1/entries", entry(1, 2, 6, idempotency_key="k"), Prefer="respond-async")

    assert same.status_code == 202
    assert same.headers["Operation-Id"] == accepted.headers["Operation-Id"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert other.headers["Operation-Id"] == accepted.headers["Operation-Id"]


def test_what_was_pending_is_applied_once_when_the_worker_goes_on(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack()
    org = stack.org("stalled")
    org.open_pair()
    body = entry(1, 2, 5, idempotency_key="k")
    with stack.halted("-m workers"):
        accepted = org.post("/v1/entries", body, Prefer="respond-async")
        org.post("/v1/entries", body, Prefer="wait=0")
        assert org.get(accepted.headers["Location"]).json()["status"] == "pending"

    operation = _outcome(org, accepted)

    assert (operation["status"], operation["http_status"]) == ("applied", 201)
    assert org.proof()["entries"] == 1
    eventually(lambda: stack.metric("ledger_commands_pending") == 0, "nothing is on its way")
