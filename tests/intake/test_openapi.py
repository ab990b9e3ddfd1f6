"""The description of the HTTP interface: complete, sound, committed, and shown without asking anybody else."""

import re
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import falcon.inspect
import jsonschema
import pytest
from openapi_spec_validator import validate

import ledgerctl
from intake.app import Parts, make_app
from intake.openapi import examples
from intake.openapi.__main__ import text
from intake.openapi.document import VERSION, document
from intake.openapi.operations import OPERATIONS, PAGING
from intake.openapi.parameters import QUERY
from intake.openapi.refusals import REFUSALS
from intake.resources import accounts, entries, holds, openapi
from ledger_core import errors
from ledger_core.commands import Kind
from wire.problems import TITLES

HOUSE = Path(__file__).parent.parent.parent
PAGES_FOR_PEOPLE = {("get", "/docs"), ("get", "/docs/{asset}")}
ROWS = [(path, method, row) for path, methods in OPERATIONS.items() for method, row in methods.items()]

every_operation = pytest.mark.parametrize(("path", "method", "row"), ROWS, ids=[row.id for _, _, row in ROWS])


def test_it_is_openapi() -> None:
    validate(cast(Any, document()))


def test_the_version_is_one_everywhere() -> None:
    assert ledgerctl.VERSION == VERSION


def test_every_route_is_described_and_nothing_else() -> None:
    app = make_app(Parts(*[cast(Any, None)] * len(Parts._fields)))

    routed = {
        (method.method.lower(), route.path)
        for route in falcon.inspect.inspect_routes(app)
        for method in route.methods
        if not method.internal
    }

    assert routed - PAGES_FOR_PEOPLE == {(method, path) for path, method, _ in ROWS}


@every_operation
def test_a_row_belongs_to_the_responder_of_its_route(path: str, method: str, row: Any) -> None:
    """The docstring of a resource is its path."""
    module, (owner, name) = row.responder.__module__, row.responder.__qualname__.split(".")

    resource = getattr(__import__(module, fromlist=[owner]), owner)

    assert (resource.__doc__, name) == (path, f"on_{method}")
    assert row.public == getattr(resource, "PUBLIC", False)
    assert row.summary


@pytest.mark.parametrize(
    ("path", "filters"),
    [("/v1/accounts", accounts.FILTERS), ("/v1/entries", entries.FILTERS), ("/v1/holds", holds.FILTERS)],
)
def test_a_list_has_the_parameters_that_it_reads(path: str, filters: dict[str, object]) -> None:
    described = [QUERY[name]["name"] for name in OPERATIONS[path]["get"].query]

    assert sorted(described) == sorted([*filters, *PAGING])


def test_every_refusal_is_an_answer_to_some_write() -> None:
    refusals = {
        found.code
        for found in vars(errors).values()
        if isinstance(found, type) and issubclass(found, errors.Refusal) and "code" in vars(found)
    }

    answered = {code for by_status in REFUSALS.values() for codes in by_status.values() for code in codes}

    assert set(REFUSALS) == set(Kind)
    # only callers on the queue meet the one, and whatever is asked may come to the other
    assert answered == refusals - {"org_not_found", "internal_error"}


@every_operation
def test_whatever_is_asked_may_be_told_that_it_can_not_be_read(path: str, method: str, row: Any) -> None:
    """The server says so before the app is asked."""
    whole = document()
    described = whole["paths"][path][method]["responses"]

    told = {status: _codes(whole, described[status]) for status in ("400", "431", "501")}

    assert "malformed_request" in told["400"]
    assert (told["431"], told["501"]) == (["headers_too_large"], ["unsupported_transfer_encoding"])


def test_every_code_but_those_of_no_operation_is_an_answer_to_one() -> None:
    whole = document()
    described = [whole["paths"][path][method]["responses"] for path, method, _ in ROWS]

    told = {code for answers in described for answer in answers.values() for code in _codes(whole, answer)}

    # of another address or method, and on the queue only
    assert told == set(TITLES) - {"not_found", "method_not_allowed", "org_not_found"}


def _codes(whole: dict[str, Any], response: dict[str, Any]) -> list[str]:
    """Return the codes of the problems that an answer may be."""
    if "$ref" in response:
        response = whole["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"].get("application/problem+json", {}).get("schema")
    return schema["allOf"][1]["properties"]["code"]["enum"] if schema else []


def test_problems_have_every_code() -> None:
    assert document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == list(TITLES)


def test_the_version_is_that_of_the_package() -> None:
    package = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))

    assert package["project"]["version"] == VERSION


def test_the_committed_document_is_the_one_that_is_served() -> None:
    committed = (HOUSE / "docs" / "openapi.json").read_bytes()

    assert committed == text(), "docs/openapi.json is out of date: make openapi"


@every_operation
def test_every_operation_has_an_example_that_fits_its_schema(path: str, method: str, row: Any) -> None:
    whole = document()
    described = whole["paths"][path][method]

    shown = [
        (content["schema"], example["value"])
        for part in [described.get("requestBody", {}), *described["responses"].values()]
        for content in part.get("content", {}).values()
        for example in content.get("examples", {}).values()
    ]

    assert shown or row.id in {"readMetrics", "readDocument"}
    for schema, value in shown:
        if value != _not_valid():
            jsonschema.Draft202012Validator({**schema, "components": whole["components"]}).validate(value)


def _not_valid() -> object:
    """Return the body that was recorded for being refused."""
    (exchange,) = [exchange for exchange in examples.of_operation("openAccount") if exchange["name"] == "not valid"]
    return exchange["request"]["body"]


def test_what_others_made_is_as_they_published_it() -> None:
    sums = re.findall(r"^\| `(.+)` \| `(.+)` \|$", (openapi.STATIC / "README.md").read_text(encoding="utf-8"), re.M)

    assert len(sums) == 2
    for name, expected in sums:
        assert sha256((openapi.STATIC / "swagger-ui" / name).read_bytes()).hexdigest() == expected


def test_the_page_asks_for_nothing_but_what_is_here() -> None:
    page = (openapi.STATIC / "docs.html").read_text(encoding="utf-8")

    wanted = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert {name.removeprefix("docs/") for name in wanted} == {*openapi.ASSETS, "openapi.json", "data:,"}
    assert sum(path.stat().st_size for path in openapi.STATIC.rglob("*") if path.is_file()) < 2_500_000
