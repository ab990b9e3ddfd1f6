"""Lanes: which one an org's writes take, and whether somebody owns it."""

import fcntl
import zlib
from pathlib import Path

import pytest

from wire.lanes import is_owned, lane_of, lock_path, queue_of


@pytest.mark.parametrize("slug", ["acme-corp", "a", "0", "z" * 63])
@pytest.mark.parametrize("lanes", [1, 4, 256])
def test_the_lane_of_an_org_is_the_crc_of_its_slug(slug: str, lanes: int) -> None:
    assert lane_of(slug, lanes) == zlib.crc32(slug.encode()) % lanes


def test_lanes_are_as_other_services_have_written_them_down() -> None:
    """These must never change: a service on another lane loses the order of an org's writes."""
    assert {slug: queue_of(lane_of(slug, 4)) for slug in ("acme-corp", "demo", "a")} == {
        "acme-corp": "ledger.lane.0",
        "demo": "ledger.lane.0",
        "a": "ledger.lane.3",
    }


def test_orgs_spread_over_all_lanes() -> None:
    counts = [0] * 4
    for number in range(1_000):
        counts[lane_of(f"org-{number}", 4)] += 1

    assert min(counts) > 200


def test_a_lane_is_owned_while_its_lock_is_held(tmp_path: Path) -> None:
    assert not is_owned(tmp_path, 0)
    path = lock_path(tmp_path, 0)
    path.parent.mkdir()

    with path.open("w") as lock:
        assert not is_owned(tmp_path, 0)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_owned(tmp_path, 0)
        assert not is_owned(tmp_path, 1)

    assert not is_owned(tmp_path, 0)
