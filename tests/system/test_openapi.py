"""The description of the HTTP interface against the running ledger: its examples, and the page that shows it."""

from intake.openapi.document import document
from intake.openapi.examples import exchanges
from intake.resources.openapi import ASSETS
from tests.system.exchanges import SLUG, send_again
from tests.system.stack import Stack


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


def test_only_what_the_page_is_made_of_is_served(stack: Stack) -> None:
    for name in ("README.md", "..%2fapp.py", "%2e%2e/settings.py", "", "swagger-ui/LICENSE"):
        response = stack.http.get(f"/docs/{name}")

        assert (response.status_code, response.json()["code"]) == (404, "not_found")
