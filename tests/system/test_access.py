"""Who may call: keys, orgs, and what is told to those who may not."""

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import falcon.inspect
import httpx
import pytest

from intake.app import Parts, make_app
from tests.system.orgs import Json, Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually

HOSTILE_SLUGS = [
    "",
    "-",
    "a-",
    "-a",
    "A",
    "a_b",
    "a.b",
    "../registry",
    "a/b",
    "a" * 64,
    "a b",
    "%61",
    "a\xe9",
]


OF_EACH_REQUEST = {"x-request-id", "date"}


def _told(response: httpx.Response) -> tuple[int, Json, Json]:
    """Return all that an answer says, but for what differs from request to request and for its own address."""
    problem = response.json()
    del problem["request_id"], problem["instance"]
    headers = {name: value for name, value in response.headers.items() if name not in OF_EACH_REQUEST}
    return response.status_code, problem, headers


def _routes() -> list[tuple[str, str, bool]]:
    """Return method, path and whether it is open to all, of every route that there is."""
    app = make_app(Parts(*[cast(Any, None)] * len(Parts._fields)))
    return [
        (method.method, re.sub(r"{[a-z_]*}", "1", route.path), getattr(resource, "PUBLIC", False))
        for route in falcon.inspect.inspect_routes(app)
        for resource in [app._router.find(route.path)[0]]  # type: ignore[index]
        for method in route.methods
        if not method.internal
    ]


ROUTES = _routes()
OPEN_TO_ALL = {"/health", "/metrics", "/openapi.json", "/docs", "/docs/1"}


def test_whoever_is_not_known_is_told_the_same_whatever_is_wrong(org: Org, another_org: Org) -> None:
    wrong = [
        {},
        {"X-Org-Slug": org.slug},
        {"X-Api-Key": org.api_key},
        {"X-Org-Slug": org.slug, "X-Api-Key": ""},
        {"X-Org-Slug": org.slug, "X-Api-Key": org.api_key[:-1]},
        {"X-Org-Slug": org.slug, "X-Api-Key": org.api_key + "x"},
        {"X-Org-Slug": org.slug, "X-Api-Key": "k" * 10_000},
        {"X-Org-Slug": org.slug, "X-Api-Key": "\xfc\xff".encode("latin-1")},
        {"X-Org-Slug": org.slug, "X-Api-Key": another_org.api_key},
        {"X-Org-Slug": "no-such-org", "X-Api-Key": org.api_key},
        {"X-Org-Slug": "no-such-org", "X-Api-Key": "ffl_wrong"},
        {"Authorization": f"Bearer {org.api_key}", "X-Org-Slug": org.slug},
        {"Cookie": f"X-Org-Slug={org.slug}; X-Api-Key={org.api_key}"},
        *({"X-Org-Slug": slug.encode("latin-1"), "X-Api-Key": org.api_key} for slug in HOSTILE_SLUGS),
    ]

    told = [_told(org.stack.http.get("/v1/accounts", headers=headers)) for headers in wrong]

    assert told[0][0] == 401
    assert told[0][1]["code"] == "unauthorized"
    assert all(each == told[0] for each in told)


def test_only_what_says_nothing_of_any_org_is_open_to_all() -> None:
    assert {path for _, path, public in ROUTES if public} == OPEN_TO_ALL


@pytest.mark.parametrize(("method", "path"), [row[:2] for row in ROUTES if not row[2]], ids="-".join)
def test_no_route_lets_in_who_has_no_key_that_works(org: Org, another_org: Org, method: str, path: str) -> None:
    """By the route table itself: a new route can't be forgotten here."""
    org.funded()
    before = org.proof()
    wrong = [{}, {**org.headers, "X-Api-Key": another_org.api_key}, {**org.headers, "X-Org-Slug": "no-such-org"}]

    told = [org.stack.http.request(method, path, headers=headers) for headers in wrong]
    told.append(org.stack.http.request(method, f"{path}?api_key={org.api_key}", headers={"X-Org-Slug": org.slug}))

    assert path.startswith("/v1/")
    assert [each.status_code for each in told] == [401] * 4
    assert all(_told(each) == _told(told[0]) for each in told)
    assert org.proof() == before


def test_who_is_turned_away_is_counted(org: Org) -> None:
    """So that an operator hears of somebody who tries keys; the log would be filled by it."""
    name = 'ledger_requests_turned_away_total{code="unauthorized"}'
    org.stack.http.get("/v1/accounts")
    before, logged = org.stack.metric(name), org.stack.log.read_bytes().count(b"\n")

    for number in range(20):
        org.stack.http.get("/v1/accounts", headers={**org.headers, "X-Api-Key": f"ffl_{number}"})

    assert org.stack.metric(name) == before + 20
    assert org.stack.log.read_bytes().count(b"\n") - logged < 20


def test_two_orgs_see_nothing_of_each_other(org: Org, another_org: Org) -> None:
    org.funded()

    assert another_org.get("/v1/accounts/1").json()["code"] == "account_not_found"
    assert another_org.all("/v1/entries") == []
    assert another_org.open_account() == 1


def test_a_second_key_works_beside_the_first(org: Org) -> None:
    second = json.loads(org.stack.ctl("key", "create", org.slug, "--json"))

    assert Org(org.stack, org.slug, second["api_key"]).open_account() == 1
    assert org.open_account() == 2


def test_a_revoked_key_stops_working_within_five_seconds(org: Org) -> None:
    second = json.loads(org.stack.ctl("key", "create", org.slug, "--json"))
    revoked = Org(org.stack, org.slug, second["api_key"])
    assert revoked.get("/v1/accounts").status_code == 200

    org.stack.ctl("key", "revoke", org.slug, second["key_id"])

    eventually(lambda: revoked.get("/v1/accounts").status_code == 401, "the key stops working", within_s=5)
    assert _told(revoked.get("/v1/accounts")) == _told(org.stack.http.get("/v1/accounts"))
    assert org.get("/v1/accounts").status_code == 200


def test_a_key_that_is_revoked_while_its_request_waits_is_told_nothing_more(own_stack: Callable[..., Stack]) -> None:
    """Neither over the connection that it opened before, nor when what it waits for comes."""
    stack = own_stack(environment={"LEDGER_WAIT_S": "30"}, intakes=2)
    org = stack.org("acme")
    org.open_pair()
    new = json.loads(stack.ctl("key", "create", org.slug, "--json"))
    revoked = Org(stack, org.slug, new["api_key"])
    with ThreadPoolExecutor(2) as pool:
        with stack.halted("-m workers"):
            accepted = revoked.post("/v1/entries", entry(1, 2, 5), Prefer="respond-async")
            watching = pool.submit(revoked.get, accepted.headers["Location"], Prefer="wait=30")
            writing = pool.submit(revoked.post, "/v1/entries", entry(1, 2, 7), Prefer="wait=30")
            eventually(lambda: stack.metric("ledger_commands_pending") == 2, "both wait")
            stack.ctl("key", "revoke", org.slug, new["key_id"])
            began_s = time.monotonic()
            watched = watching.result()
            took_s = time.monotonic() - began_s
        written = writing.result()

    assert took_s < 5
    assert _told(watched)[:2] == _told(stack.http.get("/v1/accounts"))[:2]
    assert written.status_code == 201, "a write that was let in is answered as it went: its money moved"
    eventually(lambda: len(org.all("/v1/entries")) == 2, "both are posted")
    target = f"{stack.base_url}{accepted.headers['Location']}"

    def turned_away() -> bool:  # each time on a connection of its own, which any of the servers may take
        return all(httpx.get(target, headers=revoked.headers, timeout=30).status_code == 401 for _ in range(10))

    eventually(turned_away, "every server turns it away", within_s=5)
    assert turned_away()
    assert org.get(accepted.headers["Location"]).status_code == 200


def test_what_lies_behind_a_key_may_be_kept_by_nobody_on_the_way(org: Org) -> None:
    org.open_pair()

    told = [org.get("/v1/accounts"), org.get("/v1/accounts/9"), org.post("/v1/entries", entry(1, 2, 5))]
    told += [org.stack.http.get("/v1/accounts"), org.stack.http.get("/nowhere"), org.stack.http.get("/metrics")]

    assert {each.headers["Cache-Control"] for each in told} == {"no-store"}
    assert {each.headers["X-Content-Type-Options"] for each in told} == {"nosniff"}
    assert not any("access-control-allow-origin" in each.headers for each in told)


@pytest.mark.parametrize("path", sorted(OPEN_TO_ALL))
def test_what_is_open_to_all_names_no_org_no_key_and_no_path(org: Org, path: str) -> None:
    org.funded()

    told = org.stack.http.get(path.replace("/1", "/docs.js"))

    assert told.status_code == 200
    for secret in (org.slug, org.api_key, str(org.stack.data), "/home", "/app", "Customers"):
        assert secret not in told.text, secret


@pytest.mark.parametrize("path", sorted(OPEN_TO_ALL))
def test_what_is_open_to_all_takes_no_parameters(org: Org, path: str) -> None:
    """A page that took the address of another document could be made to show it as ours."""
    told = org.stack.http.get(f"{path.replace('/1', '/docs.js')}?url=https://example.org/")

    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")


@pytest.fixture
def reader(org: Org) -> Org:
    """An org's read-only key."""
    return Org(
        org.stack, org.slug, json.loads(org.stack.ctl("key", "create", org.slug, "--read-only", "--json"))["api_key"]
    )


WRITES = [(method, path) for method, path, public in ROUTES if method != "GET" and not public]


def test_there_are_writes() -> None:
    assert len(WRITES) >= 8


@pytest.mark.parametrize(("method", "path"), WRITES, ids="-".join)
def test_a_read_only_key_writes_nothing(reader: Org, method: str, path: str) -> None:
    """By the route table itself, too."""
    before = reader.proof()

    refused = [
        reader.stack.http.request(method, path, headers={**reader.headers, **more}, content=b"{}")
        for more in ({}, {"Prefer": "respond-async"}, {"Idempotency-Key": "k", "Content-Type": "application/json"})
    ]

    assert [(each.status_code, each.json()["code"]) for each in refused] == [(403, "forbidden")] * 3
    assert reader.proof() == before


def test_a_read_only_key_reads_everything(org: Org, reader: Org) -> None:
    org.funded()
    org.place_hold(2, 5)

    for path in ("accounts", "accounts/1", "accounts/1/balance", "entries", "entries/1", "holds", "holds/1"):
        assert reader.get(f"/v1/{path}").content == org.get(f"/v1/{path}").content or path == "accounts/1/balance"
        assert reader.get(f"/v1/{path}").status_code == 200
