"""Writes that are accepted first and have their outcome later."""

import httpx
import pytest

from ledger_client import LedgerProblem, LedgerUnreachable, OperationPending, PostBulk
from ledger_client.problems import InsufficientFunds
from tests.ledger_client.scripted import (
    ENTRY,
    OPERATION_ID,
    Script,
    accepted,
    created,
    operation,
    posting,
    problem,
)

FUNDS = problem(422, "insufficient_funds", account_id=2, required=5, available=1, held=2, total=3)


def test_a_pending_write_is_followed_to_its_resource() -> None:
    script = Script(accepted(), operation("pending"), operation("applied", 201, ENTRY))

    entry = script.client().post_entry(posting())

    assert entry.id == 1
    assert [request.url.path for request in script.requests[1:]] == [f"/v1/operations/{OPERATION_ID}"] * 2
    assert script.requests[1].headers["Prefer"] == "wait=10"


def test_a_pending_write_is_followed_to_its_refusal() -> None:
    script = Script(accepted(), operation("refused", 422, error=FUNDS.json()))

    with pytest.raises(InsufficientFunds) as raised:
        script.client().post_entry(posting())

    assert raised.value.status == 422
    assert (raised.value.account_id, raised.value.required, raised.value.available) == (2, 5, 1)


def test_a_write_that_stays_pending_raises_its_operation() -> None:
    script = Script(accepted(), operation("pending"))
    script.answer_takes_s = 8.0

    with pytest.raises(OperationPending) as raised:
        script.client(timeout_s=25.0).post_entry(posting())

    assert raised.value.operation_id == OPERATION_ID
    assert script.time.now_s <= 1_031.0


def test_following_outlives_lost_answers() -> None:
    script = Script(accepted(), httpx.ReadError("reset"), operation("applied", 201, ENTRY))

    assert script.client().post_entry(posting()).id == 1


def test_one_who_can_not_follow_is_told_the_key() -> None:
    script = Script(accepted(), httpx.ConnectError("refused"))

    with pytest.raises(LedgerUnreachable) as raised:
        script.client().post_entry(posting(idempotency_key="k-7"))

    assert raised.value.idempotency_key == "k-7"


def test_submit_returns_that_it_is_pending_and_does_not_wait() -> None:
    script = Script(accepted())

    pending = script.client().submit(posting())

    assert isinstance(pending, OperationPending)
    assert pending.operation_id == OPERATION_ID
    assert len(script.requests) == 1
    assert script.requests[0].headers["Prefer"] == "respond-async"


def test_submit_under_an_old_key_names_its_operation_too() -> None:
    assert Script(created()).client().submit(posting()).operation_id == OPERATION_ID


def test_submit_under_a_refused_key_raises() -> None:
    with pytest.raises(InsufficientFunds):
        Script(FUNDS).client().submit(posting())


def test_wait_returns_the_outcome_whichever_it_is() -> None:
    applied = Script(operation("applied", 201, ENTRY)).client().wait(OPERATION_ID)
    refused = Script(operation("refused", 422, error=FUNDS.json())).client().wait(OPERATION_ID)

    assert applied.result is not None
    assert applied.result.model_dump(exclude_unset=True)["idempotency_key"] == "k"
    assert refused.result is None
    assert refused.error is not None
    assert refused.error["code"] == "insufficient_funds"


def test_each_entry_of_a_bulk_that_is_not_atomic_is_followed() -> None:
    def result(status: str, http_status: int | None, found: object) -> dict[str, object]:
        error = None
        return {
            "operation_id": OPERATION_ID, "status": status, "http_status": http_status, "result": found, "error": error
        }  # fmt: skip

    first = httpx.Response(202, json={"results": [result("applied", 201, ENTRY), result("pending", None, None)]})
    script = Script(first, operation("applied", 201, {**ENTRY, "id": 2}))

    bulk = script.client().post_bulk(PostBulk(entries=[posting(), posting()], atomic=False))

    assert [found.result.id for found in bulk.results if found.result] == [1, 2]
    entries = httpx.Response(200, content=script.requests[0].content).json()["entries"]
    assert len({entry["idempotency_key"] for entry in entries}) == 2


def test_a_bulk_that_is_not_atomic_can_not_be_submitted() -> None:
    script = Script(accepted())

    with pytest.raises(ValueError, match="many operations"):
        script.client().submit(PostBulk(entries=[posting()], atomic=False))

    assert script.requests == []


def test_what_is_not_the_ledgers_own_answer_is_told_apart() -> None:
    with pytest.raises(LedgerProblem) as raised:
        Script(httpx.Response(404, text="<h1>nginx</h1>")).client().get_account(1)

    assert (raised.value.status, raised.value.code) == (404, "unexpected_answer")
