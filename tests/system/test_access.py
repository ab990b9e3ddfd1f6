"""Who may call: keys, orgs, and what is told to those who may not."""

import json

import pytest

from tests.system.orgs import Org
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


def _told(response: object) -> tuple[object, ...]:
    problem = response.json()  # type: ignore[attr-defined]
    del problem["request_id"], problem["instance"]
    return response.status_code, problem, response.headers["Content-Type"]  # type: ignore[attr-defined]


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
        *({"X-Org-Slug": slug.encode("latin-1"), "X-Api-Key": org.api_key} for slug in HOSTILE_SLUGS),
    ]

    told = [_told(org.stack.http.get("/v1/accounts", headers=headers)) for headers in wrong]

    assert told[0][0] == 401
    assert told[0][1]["code"] == "unauthorized"  # type: ignore[index]
    assert all(each == told[0] for each in told)


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


@pytest.fixture
def reader(org: Org) -> Org:
    """An org's read-only key."""
    return Org(
        org.stack, org.slug, json.loads(org.stack.ctl("key", "create", org.slug, "--read-only", "--json"))["api_key"]
    )


WRITES = [
    "/v1/accounts",
    "/v1/accounts/1/close",
    "/v1/entries",
    "/v1/entries/1/reverse",
    "/v1/holds",
    "/v1/holds/1/capture",
    "/v1/holds/1/release",
]


@pytest.mark.parametrize("path", WRITES)
def test_a_read_only_key_writes_nothing(reader: Org, path: str) -> None:
    refused = reader.post(path, {})

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_a_read_only_key_reads_everything(org: Org, reader: Org) -> None:
    org.funded()
    org.place_hold(2, 5)

    for path in ("accounts", "accounts/1", "accounts/1/balance", "entries", "entries/1", "holds", "holds/1"):
        assert reader.get(f"/v1/{path}").content == org.get(f"/v1/{path}").content or path == "accounts/1/balance"
        assert reader.get(f"/v1/{path}").status_code == 200
