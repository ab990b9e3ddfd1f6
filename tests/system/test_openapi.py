"""The description of the HTTP interface against the running ledger: its examples, its page, and requests made up."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.checks import CheckContext
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import positive_data_acceptance

from intake.openapi.document import document
from intake.openapi.examples import exchanges
from intake.resources.openapi import ASSETS
from tests.system.exchanges import SLUG, send_again
from tests.system.orgs import Org
from tests.system.stack import Stack

EXAMPLES = 40  # for each operation, besides those of the document
WALKS, STEPS = 12, 6  # from an operation to those that its links lead to
THINGS = 5  # how many accounts, entries and holds there are at least, so that ids mostly name one
# What a valid request may be refused for by looking at it alone: rules that a schema can't say.
UNSAYABLE = (
    "must be the next_cursor of a page",
    "must lie between the years 1970 and 9999",
    "no finer than a microsecond",
    "must be a date and a time that exist",
    "must lie in the future",
    "must end before the year 10000",
    "must not lie after `to`",
    "it takes no limit and no cursor",
    "can't be given together with expires_at",
    "must be another account than",
    "is required, since the hold names none",
    "must be true where the bulk itself has an idempotency key",
)


def test_the_examples_are_what_is_really_answered(stack: Stack) -> None:
    again = list(send_again(stack.org(SLUG), exchanges()))

    assert again == exchanges(), "intake/openapi/examples.json is out of date: make openapi"


def test_the_document_is_served_without_a_key(stack: Stack) -> None:
    response = stack.http.get("/openapi.json")

    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == document()


def test_the_page_may_load_nothing_from_elsewhere(stack: Stack) -> None:
    page = stack.http.get("/docs")

    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy.pop("default-src") == "'none'"
    assert {source for sources in policy.values() for source in sources.split()} <= {"'self'", "'none'", "data:"}
    for name, (path, content_type) in ASSETS.items():
        asset = stack.http.get(f"/docs/{name}")
        assert (asset.headers["Content-Type"], asset.content) == (content_type, path.read_bytes())


def test_the_page_forgets_the_key_that_was_put_into_it(stack: Stack) -> None:
    """Unless it is told to persist it, in the storage of the browser, it is gone with the page."""
    script = stack.http.get("/docs/docs.js").text

    assert "persist" not in script
    assert "localStorage" not in script


def test_only_what_the_page_is_made_of_is_served(stack: Stack) -> None:
    for name in ("README.md", "..%2fapp.py", "%2e%2e/settings.py", "", "swagger-ui/LICENSE"):
        response = stack.http.get(f"/docs/{name}")

        assert (response.status_code, response.json()["code"]) == (404, "not_found")


schema = schemathesis.openapi.from_dict(document())


@schema.hook
def map_path_parameters(context: object, path_parameters: Any) -> Any:
    return _as_sent(path_parameters)


@schema.hook
def map_body(context: object, body: Any) -> Any:
    return _as_sent(body)


@schema.hook
def map_headers(context: object, headers: Any) -> Any:
    """Write whatever a link leads to as a header has it."""
    return headers and {name: str(value) if type(value) is int else value for name, value in headers.items()}


@pytest.fixture(scope="module")
def busy(stack: Stack) -> Org:
    """An org in whose book there is something of everything."""
    return _busy(stack, "busy")


def _busy(stack: Stack, slug: str) -> Org:
    org = stack.org(slug)
    assert all(exchange["answer"] for exchange in send_again(org, exchanges()))
    return org


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
def test_every_answer_is_as_described(case: schemathesis.Case, busy: Org) -> None:
    _call(case, busy)


def test_links_lead_to_what_they_say(stack: Stack) -> None:
    orgs: list[Org] = []

    class Machine(schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            super().setup()
            orgs.append(_busy(stack, f"walk-{len(orgs)}"))  # so that the same steps lead to the same answers each time

        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"base_url": stack.base_url, "headers": orgs[-1].headers}

        def validate_response(self, response: Response, case: schemathesis.Case, **more: Any) -> None:
            case.validate_response(response, excluded_checks=EXCLUDED, additional_checks=[_valid_is_not_called_invalid])

    walk = settings(max_examples=WALKS, stateful_step_count=STEPS, deadline=None, derandomize=True, database=None)

    run_state_machine_as_test(Machine, settings=walk)

    assert len(orgs) >= WALKS
    assert all(org.proof() for org in orgs)


# The contract answers a valid request with 422 where the book refuses it; the check below knows which 422 is which.
EXCLUDED = [positive_data_acceptance]


def _call(case: schemathesis.Case, org: Org) -> None:
    header = case.meta and case.meta.components.get(ParameterLocation.HEADER)
    if header and header.mode.is_positive and isinstance(case.body, dict) and case.body.get("idempotency_key"):
        case.headers.pop("Idempotency-Key", None)  # two keys that differ would be refused before all else
    case.call_and_validate(
        base_url=org.stack.base_url,
        headers=org.headers,
        excluded_checks=EXCLUDED,
        additional_checks=[_valid_is_not_called_invalid],
    )


def _valid_is_not_called_invalid(context: CheckContext, response: Response, case: schemathesis.Case) -> None:
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code == 400:
        assert response.json()["code"] == "idempotency_key_mismatch", response.text
    if response.status_code == 422 and response.json()["code"] == "invalid_request":
        for complaint in response.json()["errors"]:
            assert any(rule in complaint["message"] for rule in UNSAYABLE), json.dumps(complaint)
    assert response.status_code not in (413, 415), response.text


def _as_sent(value: Any, name: str = "") -> Any:
    """Bring sound ids into a range in which there is something, and write whole numbers without a point.

    JSON Schema calls 1.0 an integer, and the contract does not take it; the hostile requests are about that.
    """
    if isinstance(value, dict):
        return {key: _as_sent(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_sent(item) for item in value]
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    if name.endswith("_id") and type(whole) is int and 1 <= whole < 2**63:
        return whole % THINGS + 1
    return whole
