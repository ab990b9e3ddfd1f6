"""Every code of the contract becomes an exception that says what the ledger said."""

import httpx
import pytest

from ledger_client import LedgerProblem, problems
from ledger_client.problems import problem_of, problem_of_response
from tests.ledger_client.scripted import problem
from wire.problems import TITLES


@pytest.mark.parametrize("code", TITLES)
def test_a_problem_keeps_code_status_and_facts(code: str) -> None:
    found = problem_of_response(problem(422, code, required=5))

    assert (found.code, found.status, found.detail, found.request_id) == (code, 422, "D", "r-1")
    assert found.facts == {"required": 5}


def test_no_class_is_for_a_code_that_does_not_exist() -> None:
    assert set(problems._CLASSES) <= set(TITLES)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("account_not_found", problems.NotFound),
        ("unauthorized", problems.Unauthorized),
        ("forbidden", problems.Forbidden),
        ("invalid_request", problems.InvalidRequest),
        ("idempotency_key_reused", problems.IdempotencyKeyReused),
        ("insufficient_funds", problems.InsufficientFunds),
        ("hold_not_active", problems.HoldNotActive),
        ("capture_exceeds_hold", problems.CaptureExceedsHold),
        ("entry_already_reversed", problems.EntryAlreadyReversed),
        ("account_code_taken", problems.AccountCodeTaken),
        ("too_many_pending", problems.TryAgainLater),
        ("a_code_of_tomorrow", LedgerProblem),
    ],
)
def test_codes_that_callers_act_on_have_classes(code: str, kind: type[LedgerProblem]) -> None:
    assert type(problem_of(409, {"code": code})) is kind


@pytest.mark.parametrize("text", ["", "<html>", "[]", "null", "{}", '{"code": 5}'])
def test_an_error_that_is_no_problem_has_a_code_of_its_own(text: str) -> None:
    assert problem_of_response(httpx.Response(502, text=text)).code == "unexpected_answer"
