"""What every answer carries: request ids, operation ids, content types, and the members of a problem."""

import uuid

import pytest

from tests.system.orgs import Org, entry
from tests.waiting import eventually

SOUND_IDS = ["a", "0" * 128, "order 981/attempt-2", '"quoted"', "~!#"]
UNSOUND_IDS = ["0" * 129, "caf\xe9", "tab\there"]


@pytest.mark.parametrize("request_id", SOUND_IDS)
def test_the_callers_request_id_comes_back(org: Org, request_id: str) -> None:
    response = org.get("/v1/accounts/1", X_Request_Id=request_id)

    assert response.headers["X-Request-Id"] == request_id
    assert response.json()["request_id"] == request_id


@pytest.mark.parametrize("request_id", UNSOUND_IDS)
def test_a_request_id_that_is_not_sound_is_replaced(org: Org, request_id: str) -> None:
    headers = {**org.headers, "X-Request-Id": request_id.encode("latin-1")}

    response = org.stack.http.get("/v1/accounts", headers=headers)

    assert response.headers["X-Request-Id"] != request_id
    assert 1 <= len(response.headers["X-Request-Id"]) <= 128


def test_each_request_without_an_id_gets_a_fresh_one(org: Org) -> None:
    paths = ["/health", "/metrics", "/nowhere", "/v1/accounts", "/v1/accounts"]

    ids = [org.get(path).headers["X-Request-Id"] for path in paths]

    assert len(set(ids)) == len(paths)
    assert all(ids)


def test_log_lines_of_both_processes_carry_the_request_id(org: Org) -> None:
    """A book that is gone is complained about by the worker, and by the intake that reads it."""
    request_id = f"log-{uuid.uuid4()}"
    book = org.stack.data / "books" / f"{org.slug}.db"
    gone = book.rename(book.with_suffix(".gone"))

    read = org.get("/v1/accounts", X_Request_Id=request_id)
    written = org.post("/v1/accounts", {"name": "A", "type": "asset"}, X_Request_Id=request_id)

    assert [(each.status_code, each.json()["code"]) for each in (read, written)] == [(503, "storage_unavailable")] * 2
    assert {read.headers["Retry-After"], written.headers["Retry-After"]} == {"1"}
    lines = [line for line in org.stack.log.read_text().splitlines() if f"request_id={request_id}" in line]
    assert any("ledger.intake" in line for line in lines)
    assert any("ledger.workers" in line for line in lines)
    eventually(lambda: _books_are(org, "1 org is set aside; see: ledgerctl set-aside"), "health says so")
    gone.rename(book)
    eventually(lambda: _books_are(org, "ok"), "it is served again")


def _books_are(org: Org, state: str) -> bool:
    return bool(org.stack.http.get("/health").json()["checks"]["books"] == state)


def test_every_answer_to_a_write_names_its_operation(org: Org) -> None:
    org.open_pair()

    applied = org.post("/v1/entries", entry(1, 2, 5))
    refused = org.post("/v1/entries", entry(1, 9, 5))
    pending = org.post("/v1/entries", entry(1, 2, 5), Prefer="respond-async")

    ids = [response.headers["Operation-Id"] for response in (applied, refused, pending)]
    assert len({uuid.UUID(text) for text in ids}) == 3
    for response, operation_id in zip((applied, refused), ids, strict=False):
        operation = org.get(f"/v1/operations/{operation_id}").json()
        assert operation["result" if response.is_success else "error"] == response.json()


def test_a_write_without_preference_says_nothing_of_one(org: Org) -> None:
    response = org.post("/v1/accounts", {"name": "A", "type": "asset"})

    assert not {"preference-applied", "idempotency-replayed", "location", "retry-after"} & response.headers.keys()


def test_a_problem_has_every_member_and_its_facts(org: Org) -> None:
    org.open_pair()

    response = org.post("/v1/entries", entry(1, 77, 5), X_Request_Id="r-1")

    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem.pop("title")
    assert problem.pop("detail")
    assert problem == {
        "type": "urn:ff-ledger:problem:account_not_found",
        "status": 422,
        "instance": "/v1/entries",
        "code": "account_not_found",
        "request_id": "r-1",
        "account_id": 77,
    }


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/accounts/9/close", "account_not_found"),
        ("/v1/entries/9/reverse", "entry_not_found"),
        ("/v1/holds/9/capture", "hold_not_found"),
        ("/v1/holds/9/release", "hold_not_found"),
    ],
)
def test_a_problem_of_the_book_names_the_path_of_its_request(org: Org, path: str, code: str) -> None:
    problem = org.post(path).json()

    assert (problem["status"], problem["code"], problem["instance"]) == (404, code, path)


def test_all_complaints_about_a_body_come_at_once_each_with_a_pointer(org: Org) -> None:
    body = {"lines": [{"account_id": 0, "amount": "5", "direction": "up"}, {"a/b~c": 1}], "memo": "x"}

    problem = org.post("/v1/entries", body).json()

    assert problem["code"] == "invalid_request"
    assert {complaint["pointer"] for complaint in problem["errors"]} == {
        "/lines/0/account_id",
        "/lines/0/amount",
        "/lines/0/direction",
        "/lines/1/account_id",
        "/lines/1/amount",
        "/lines/1/direction",
        "/lines/1/a~1b~0c",
        "/memo",
    }
    assert all(complaint["message"] for complaint in problem["errors"])


def test_all_complaints_about_a_query_come_at_once(org: Org) -> None:
    problem = org.get("/v1/accounts?limit=0&order=up&colour=red&type=asset&type=asset").json()

    assert problem["code"] == "invalid_request"
    assert len(problem["errors"]) == 4
