"""The registry: orgs, and API keys of which only digests are kept."""

import re
import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from ledger_core.errors import OrgNotFound, StorageUnavailable
from ledger_core.orgs import InvalidOrg, KeyNotFound, OrgExists, Registry, Scope, digest, registry_path
from ledger_core.store.book import Book, book_path
from tests.ledger_core.builders import NOON


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open_writer(tmp_path / "data")
    yield registry
    registry.close()


def create(registry: Registry, slug: str = "acme-corp", **changes: str | None):
    fields = {"name": None, "currency": None, **changes}
    return registry.create_org(slug, now=NOON, **fields)


def test_an_org_is_created_with_its_book_and_a_key_that_may_do_everything(registry: Registry, tmp_path: Path) -> None:
    new = create(registry, name="Acme", currency="EUR")

    assert (new.org, new.scope) == ("acme-corp", Scope.FULL)
    assert registry.org("acme-corp") == ("acme-corp", "Acme", "EUR", NOON)
    assert registry.scope_of("acme-corp", digest(new.api_key)) is Scope.FULL
    Book.open_writer(tmp_path / "data", "acme-corp").close()


def test_an_org_is_named_by_its_slug_and_keeps_dollars_by_default(registry: Registry) -> None:
    create(registry)

    assert registry.org("acme-corp") == ("acme-corp", "acme-corp", "USD", NOON)


def test_a_slug_is_taken_once(registry: Registry) -> None:
    create(registry)

    with pytest.raises(OrgExists):
        create(registry, currency="EUR")

    assert [org.currency for org in registry.orgs()] == ["USD"]


def test_an_org_is_not_created_in_another_currency_than_its_book_is_in(registry: Registry, tmp_path: Path) -> None:
    Book.create(tmp_path / "data", "acme-corp", "EUR", NOON)

    with pytest.raises(InvalidOrg, match="in EUR"):
        create(registry, currency="USD")

    assert registry.orgs() == []


@pytest.mark.parametrize("slug", ["a", "0", "a-b", "a--b", "a" * 63, "0-0"])
def test_a_slug_is_1_to_63_small_letters_digits_and_dashes_within(registry: Registry, slug: str) -> None:
    assert create(registry, slug).org == slug


@pytest.mark.parametrize("slug", ["", "-", "-a", "a-", "A", "a_b", "a.b", "a/b", "..", "a" * 64, "a\n", "é", "a b"])
def test_what_is_no_slug_is_refused_and_makes_no_file(registry: Registry, tmp_path: Path, slug: str) -> None:
    with pytest.raises(InvalidOrg):
        create(registry, slug)

    assert registry.orgs() == []
    assert not (tmp_path / "data" / "books").exists()


@pytest.mark.parametrize("currency", ["US", "usd", "USD\n", "A" * 13, "U-D"])
def test_what_is_no_currency_is_refused(registry: Registry, currency: str) -> None:
    with pytest.raises(InvalidOrg):
        create(registry, currency=currency)


def test_orgs_are_listed_by_slug(registry: Registry) -> None:
    for slug in ("b", "a", "c"):
        create(registry, slug)

    assert [org.slug for org in registry.orgs()] == ["a", "b", "c"]
    assert registry.org("d") is None


def test_a_key_is_kept_only_as_its_digest(registry: Registry, tmp_path: Path) -> None:
    new = create(registry)
    apsw.Connection(str(registry_path(tmp_path / "data"))).execute("pragma wal_checkpoint(truncate)")

    written = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())

    assert new.api_key.encode() not in written
    assert new.api_key.removeprefix("ffl_").encode() not in written
    assert digest(new.api_key) in written
    assert re.fullmatch(r"ffl_[\w-]{43}", new.api_key)


def test_no_two_keys_are_the_same(registry: Registry) -> None:
    keys = [create(registry)] + [registry.create_key("acme-corp", Scope.FULL, now=NOON) for _ in range(20)]

    assert len({key.api_key for key in keys}) == len({key.key_id for key in keys}) == 21


def test_a_key_may_be_read_only(registry: Registry) -> None:
    full = create(registry)
    reading = registry.create_key("acme-corp", Scope.READ_ONLY, now=NOON + 1)

    assert registry.scope_of("acme-corp", digest(reading.api_key)) is Scope.READ_ONLY
    assert registry.scope_of("acme-corp", digest(full.api_key)) is Scope.FULL


def test_a_key_belongs_to_one_org(registry: Registry) -> None:
    new = create(registry)
    create(registry, "other")

    assert registry.scope_of("other", digest(new.api_key)) is None
    assert registry.scope_of("nobody", digest(new.api_key)) is None
    assert registry.scope_of("acme-corp", digest(new.api_key + "x")) is None


def test_a_revoked_key_fails_for_good(registry: Registry) -> None:
    first = create(registry)
    second = registry.create_key("acme-corp", Scope.FULL, now=NOON + 1)

    registry.revoke_key("acme-corp", first.key_id, now=NOON + 2)

    assert registry.scope_of("acme-corp", digest(first.api_key)) is None
    assert registry.scope_of("acme-corp", digest(second.api_key)) is Scope.FULL
    assert registry.keys("acme-corp") == [
        (first.key_id, Scope.FULL, NOON, NOON + 2),
        (second.key_id, Scope.FULL, NOON + 1, None),
    ]
    with pytest.raises(KeyNotFound):
        registry.revoke_key("acme-corp", first.key_id, now=NOON + 3)


def test_only_a_key_of_the_org_can_be_revoked(registry: Registry) -> None:
    new = create(registry)
    create(registry, "other")

    with pytest.raises(KeyNotFound):
        registry.revoke_key("other", new.key_id, now=NOON)

    assert registry.scope_of("acme-corp", digest(new.api_key)) is Scope.FULL


def test_what_is_asked_of_no_org_is_refused(registry: Registry) -> None:
    with pytest.raises(OrgNotFound):
        registry.create_key("nobody", Scope.FULL, now=NOON)
    with pytest.raises(OrgNotFound):
        registry.keys("nobody")
    with pytest.raises(OrgNotFound):
        registry.revoke_key("nobody", "1", now=NOON)


def test_a_reader_sees_what_a_writer_did(registry: Registry, tmp_path: Path) -> None:
    new = create(registry)
    reader = Registry.open_reader(tmp_path / "data")

    registry.revoke_key("acme-corp", new.key_id, now=NOON)

    assert reader.scope_of("acme-corp", digest(new.api_key)) is None
    reader.close()


def test_a_reader_can_not_write(registry: Registry, tmp_path: Path) -> None:
    create(registry)
    reader = Registry.open_reader(tmp_path / "data")

    with pytest.raises(StorageUnavailable):
        reader.create_key("acme-corp", Scope.FULL, now=NOON)

    reader.close()


def test_a_registry_that_is_not_there_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        Registry.open_reader(tmp_path / "data")


def test_a_data_folder_that_can_not_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")

    with pytest.raises(StorageUnavailable):
        Registry.open_writer(tmp_path / "data")


def test_only_its_owner_can_read_a_data_folder(registry: Registry, tmp_path: Path) -> None:
    create(registry)
    data = tmp_path / "data"

    assert data.stat().st_mode & 0o777 == 0o700
    assert registry_path(data).stat().st_mode & 0o777 == 0o600
    assert book_path(data, "acme-corp").stat().st_mode & 0o777 == 0o600


def test_an_org_whose_creation_was_cut_short_is_created_after_all(registry: Registry, tmp_path: Path) -> None:
    Book.create(tmp_path / "data", "acme-corp", "USD", NOON)

    assert create(registry).org == "acme-corp"


def test_a_key_works_for_its_own_org_only_also_where_another_ones_keys_are_looked_at(registry: Registry) -> None:
    """For an org that is not there the keys of the next one are compared, or of the first: none of them may do."""
    keys = {slug: create(registry, slug).api_key for slug in ("bee", "cat", "dog")}

    for slug in ("", "a", "bee", "beef", "cat", "cats", "dog", "doge", "zebra"):
        for owner, api_key in keys.items():
            assert (registry.scope_of(slug, digest(api_key)) is Scope.FULL) is (slug == owner)


def test_an_unknown_org_takes_as_long_as_a_known_one(registry: Registry) -> None:
    """The median of many, taken in turns, so that whatever else the machine does meets both."""
    for slug in ("bee", "cat", "dog"):
        create(registry, slug)
        for _ in range(9):
            registry.create_key(slug, Scope.FULL, now=NOON)
    took: dict[str, list[int]] = {"bee": [], "ape": [], "zebra": []}
    wrong = digest("ffl_wrong")

    for _ in range(2_000):
        for slug, times in took.items():
            began = time.perf_counter_ns()
            registry.scope_of(slug, wrong)
            times.append(time.perf_counter_ns() - began)

    known, *unknown = (statistics.median(times) for times in took.values())
    assert all(0.8 < each / known < 1.25 for each in unknown), (known, unknown)


def test_a_registry_that_was_replaced_by_another_file_is_noticed(registry: Registry, tmp_path: Path) -> None:
    assert not registry.was_replaced()

    path = registry_path(tmp_path / "data")
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    copy.rename(path)

    assert registry.was_replaced()
