"""Hostile requests: each is turned away as the contract says, and leaves nothing behind."""

import json
from typing import Any

import pytest

from tests.system import raw
from tests.system.hostile import ROWS, Row
from tests.system.orgs import Org
from tests.system.stack import Stack


class Target:
    """An org to be hostile to, with a key for each scope."""

    def __init__(self, org: Org, read_only_key: str) -> None:
        self.org = org
        self.proof = org.proof()
        self._keys = {"full": org.api_key, "read-only": read_only_key}

    def send(self, row: Row) -> raw.Answer:
        headers = dict(row.headers)
        if row.key:
            headers |= {"X-Org-Slug": self.org.slug.encode(), "X-Api-Key": self._keys[row.key].encode()}
        return raw.send(self.org.stack.base_url, row.method, row.target, headers.items(), row.body)


@pytest.fixture(scope="module")
def target(stack: Stack) -> Target:
    """An org with two accounts, an entry and a hold."""
    org = stack.org("hostile")
    org.funded()
    org.place_hold(2, 5)
    key = json.loads(stack.ctl("key", "create", org.slug, "--read-only", "--json"))["api_key"]
    return Target(org, key)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what.encode("ascii", "backslashreplace").decode())
def test_a_hostile_request_is_turned_away_and_leaves_nothing_behind(target: Target, row: Row) -> None:
    answer = target.send(row)

    assert (answer.status, answer.code or "") == (row.status, row.code), answer.body
    assert answer.headers["x-request-id"]
    assert target.org.proof() == target.proof
    _tells_nothing_internal(answer)
    if answer.status == 405:
        assert set(answer.headers["allow"].split(", ")) <= {"GET", "POST"}


def _tells_nothing_internal(answer: raw.Answer) -> None:
    text = answer.body.decode()
    assert not any(word in text for word in ("Traceback", "sqlite", "select ", "/work", ".py", "pydantic"))


def test_the_table_is_long_and_names_no_row_twice() -> None:
    assert len(ROWS) >= 700
    names: list[Any] = [row.what for row in ROWS]
    assert len(names) == len(set(names))
