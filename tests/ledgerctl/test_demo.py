"""The demo org of `make run`: it is there from the first run on, and one key of it works at a time."""

import re
from contextlib import closing
from pathlib import Path

import pytest

from ledger_core.instants import now_us
from ledger_core.orgs import Registry, Scope, digest
from ledger_core.store.book import Book
from ledger_core.verify import verify
from ledgerctl import demo


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def _key(data: Path) -> str:
    """Run it, and return the key that it shows."""
    (shown,) = re.findall(r"X-Api-Key: (ffl_[\w-]+)", demo.invitation(data, "http://localhost:8080"))
    return str(shown)


def _works(data: Path, api_key: str) -> bool:
    with closing(Registry.open_reader(data)) as registry:
        return registry.scope_of(demo.SLUG, digest(api_key)) is Scope.FULL


def test_each_run_shows_a_key_that_works_in_the_place_of_the_last_one(data: Path) -> None:
    first, second = _key(data), _key(data)
    assert [_works(data, key) for key in (first, second)] == [False, True]

    third = _key(data)

    assert [_works(data, key) for key in (first, second, third)] == [False, False, True]


def test_a_key_that_somebody_made_for_the_demo_org_goes_on_working(data: Path) -> None:
    _key(data)
    with closing(Registry.open_writer(data)) as registry:
        own = registry.create_key(demo.SLUG, Scope.FULL, now=now_us())

    _key(data)

    assert _works(data, own.api_key)


def test_a_last_key_that_was_revoked_or_is_not_known_is_no_hindrance(data: Path) -> None:
    _key(data)
    with closing(Registry.open_writer(data)) as registry:
        registry.revoke_key(demo.SLUG, (data / demo.KEY_ID).read_text(encoding="utf-8"), now=now_us())
    assert _works(data, _key(data))
    (data / demo.KEY_ID).write_text("", encoding="utf-8")

    assert _works(data, _key(data))


def test_no_key_is_kept_and_only_its_owner_may_read_what_is(data: Path) -> None:
    keys = [_key(data), _key(data)]

    kept = [path for path in data.rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    assert not any(key.encode() in path.read_bytes() for key in keys for path in kept)


def test_the_chart_is_opened_once(data: Path) -> None:
    for _ in range(2):
        _key(data)

    with closing(Book.open_reader(data, demo.SLUG)) as book:
        assert verify(book).accounts == len(demo.CHART)
