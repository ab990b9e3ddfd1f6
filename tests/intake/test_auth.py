"""The doorkeeper: what it remembers, for how long, and what it never keeps."""

import gc
import shutil
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from intake import auth
from intake.auth import Caller, Doorkeeper
from intake.problems import Rejected
from ledger_core.errors import StorageUnavailable
from ledger_core.orgs import NewKey, Registry, Scope, registry_path

NOON = 1_773_811_800_000_000


@pytest.fixture
def key(tmp_path: Path) -> NewKey:
    """The key of an org in the registry of a data folder."""
    registry = Registry.open_writer(tmp_path)
    new = registry.create_org("acme", name=None, currency=None, now=NOON)
    registry.close()
    return new


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, as its one item says."""
    now_s = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    return now_s


def _revoke(folder: Path, key: NewKey) -> None:
    registry = Registry.open_writer(folder)
    registry.revoke_key(key.org, key.key_id, now=NOON)
    registry.close()


def _remembers(doorkeeper: Doorkeeper, slug: str | None, api_key: str | None) -> bool:
    return doorkeeper.recognized(slug, api_key).is_let_in


def _lets_in(doorkeeper: Doorkeeper, key: NewKey) -> bool:
    try:
        return doorkeeper.caller(key.org, key.api_key).org == key.org
    except Rejected:
        return False


def test_a_revoked_key_that_is_remembered_fails_when_its_time_is_over(
    tmp_path: Path, key: NewKey, clock: list[float]
) -> None:
    doorkeeper = Doorkeeper(tmp_path)
    assert _lets_in(doorkeeper, key)
    clock[0] += auth.CACHE_S / 2
    assert _lets_in(doorkeeper, key), "and being asked for again does not prolong it"

    _revoke(tmp_path, key)
    clock[0] += auth.CACHE_S / 2

    assert auth.CACHE_S < 5
    assert not _lets_in(doorkeeper, key)


def test_one_look_at_the_registry_keeps_all_who_are_remembered(tmp_path: Path, clock: list[float]) -> None:
    registry, doorkeeper = Registry.open_writer(tmp_path), Doorkeeper(tmp_path)
    keys = [registry.create_org(f"org-{number}", name=None, currency=None, now=NOON) for number in range(10)]
    registry.close()
    doorkeeper.renew()
    assert all(_lets_in(doorkeeper, each) for each in keys)

    for _ in range(4):
        clock[0] += auth.CACHE_S / 2
        doorkeeper.renew()

    assert all(_remembers(doorkeeper, each.org, each.api_key) for each in keys)


def test_a_look_at_the_registry_forgets_a_key_that_was_revoked_since(
    tmp_path: Path, key: NewKey, clock: list[float]
) -> None:
    doorkeeper = Doorkeeper(tmp_path)
    doorkeeper.renew()
    assert _lets_in(doorkeeper, key)
    _revoke(tmp_path, key)
    assert _remembers(doorkeeper, key.org, key.api_key), "nobody has looked yet"

    doorkeeper.renew()

    assert not _remembers(doorkeeper, key.org, key.api_key)
    assert not _lets_in(doorkeeper, key)


def test_a_key_that_was_revoked_while_another_one_was_looked_up_is_forgotten_at_the_next_look(
    tmp_path: Path, key: NewKey, clock: list[float]
) -> None:
    registry, doorkeeper = Registry.open_writer(tmp_path), Doorkeeper(tmp_path)
    doorkeeper.renew()
    assert _lets_in(doorkeeper, key)
    registry.revoke_key(key.org, key.key_id, now=NOON)
    another = registry.create_key(key.org, Scope.READ_ONLY, now=NOON)
    registry.close()
    assert _lets_in(doorkeeper, another), "its look-up has seen the revocation"

    doorkeeper.renew()

    assert not _lets_in(doorkeeper, key)
    assert _lets_in(doorkeeper, another)


def test_a_look_at_the_registry_in_the_middle_of_a_call_lets_nobody_in_whom_it_forgets(
    tmp_path: Path, key: NewKey, clock: list[float]
) -> None:
    doorkeeper = Doorkeeper(tmp_path)

    class Known(dict[tuple[str, bytes], Caller]):
        """Those who are remembered; once one of them was found, the thread that looks at the registry has its turn."""

        def get(self, *asked: Any) -> Any:
            found = super().get(*asked)
            doorkeeper.renew()
            return found

    assert _lets_in(doorkeeper, key)
    doorkeeper._known = Known(doorkeeper._known)
    _revoke(tmp_path, key)
    clock[0] += 60.0  # in which the process was stopped

    assert not _lets_in(doorkeeper, key)


def test_a_registry_that_is_put_back_from_a_backup_is_the_one_that_counts(
    tmp_path: Path, key: NewKey, clock: list[float]
) -> None:
    doorkeeper = Doorkeeper(tmp_path)
    assert _lets_in(doorkeeper, key)
    shutil.copytree(tmp_path, tmp_path.with_name("backup"))
    _revoke(tmp_path.with_name("backup"), key)

    (tmp_path.with_name("backup") / "registry.db").rename(registry_path(tmp_path))
    clock[0] += auth.CACHE_S

    assert not _lets_in(doorkeeper, key)


def test_a_registry_that_is_gone_lets_nobody_in_and_one_that_is_back_lets_them_in_again(
    tmp_path: Path, key: NewKey, clock: list[float]
) -> None:
    doorkeeper = Doorkeeper(tmp_path)
    path = registry_path(tmp_path)
    assert _lets_in(doorkeeper, key)
    clock[0] += auth.CACHE_S

    path.rename(path.with_name("away"))
    assert _lets_in(doorkeeper, key), "who was let in just before is let in for as long as a revoked key may work"
    clock[0] += auth.GRACE_S
    with pytest.raises(StorageUnavailable):
        doorkeeper.caller(key.org, key.api_key)
    path.with_name("away").rename(path)

    assert _lets_in(doorkeeper, key)


def test_wrong_keys_leave_nothing_behind_however_many_are_tried(tmp_path: Path, key: NewKey) -> None:
    doorkeeper = Doorkeeper(tmp_path)

    def guess(numbers: range) -> None:
        for number in numbers:
            assert not _lets_in(doorkeeper, key._replace(api_key=f"ffl_{number}", org=f"org-{number % 7}"))

    guess(range(500))
    tracemalloc.start()
    guess(range(500, 600))
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    guess(range(600, 3_000))
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert after - before < 24_000, "10 bytes for each guess would be too many"


def test_the_keys_that_are_remembered_are_bounded_and_only_by_their_digests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "CACHE_KEYS_MAX", 3)
    registry, doorkeeper = Registry.open_writer(tmp_path), Doorkeeper(tmp_path)
    keys = [registry.create_org(f"org-{number}", name=None, currency=None, now=NOON) for number in range(10)]
    registry.close()

    for each in keys:
        assert _lets_in(doorkeeper, each)

    assert len(doorkeeper._known) <= 3
    assert not any(each.api_key in repr(doorkeeper._known) for each in keys)


def test_a_caller_is_remembered_for_a_little_less_long_than_it_is_let_in(
    tmp_path: Path, key: NewKey, clock: list[float]
) -> None:
    doorkeeper = Doorkeeper(tmp_path)
    assert not _remembers(doorkeeper, key.org, key.api_key)
    assert _lets_in(doorkeeper, key)

    clock[0] += auth.CACHE_S - auth.SOON_S - 0.01
    assert _remembers(doorkeeper, key.org, key.api_key)
    clock[0] += auth.SOON_S
    assert _lets_in(doorkeeper, key), "so that who was remembered is let in as it was"
    assert not _remembers(doorkeeper, key.org, key.api_key)


@pytest.mark.parametrize("wrong", ["", "another", "x" * (auth.API_KEY_CHARS_MAX + 1), None])
def test_a_caller_with_another_key_is_not_remembered(tmp_path: Path, key: NewKey, wrong: str | None) -> None:
    doorkeeper = Doorkeeper(tmp_path)
    assert _lets_in(doorkeeper, key)

    assert not _remembers(doorkeeper, key.org, wrong)
    assert not _remembers(doorkeeper, None, key.api_key)
    assert _remembers(doorkeeper, key.org, key.api_key)


def test_who_was_let_in_once_is_no_stranger_when_the_registry_changes(tmp_path: Path, key: NewKey) -> None:
    doorkeeper = Doorkeeper(tmp_path)
    assert not doorkeeper.recognized(key.org, key.api_key).was_let_in
    assert _lets_in(doorkeeper, key)
    _revoke(tmp_path, key)
    doorkeeper.renew()

    assert doorkeeper.recognized(key.org, key.api_key) == (True, False)
    assert not doorkeeper.recognized(key.org, "a guess").was_let_in


def test_of_those_who_were_let_in_once_so_many_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "CACHE_KEYS_MAX", 3)
    registry, doorkeeper = Registry.open_writer(tmp_path), Doorkeeper(tmp_path)
    keys = [registry.create_org(f"org-{number}", name=None, currency=None, now=NOON) for number in range(5)]
    registry.close()

    assert all(_lets_in(doorkeeper, each) for each in keys)

    assert [doorkeeper.recognized(each.org, each.api_key).was_let_in for each in keys] == [False] * 2 + [True] * 3
