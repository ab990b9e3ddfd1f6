"""A row that falls under its floor is named."""

from bench import floors
from bench.measure import compare
from bench.rows import QUICK
from tests.bench.samples import load, ratio, row


def test_a_row_under_its_floor_is_named() -> None:
    found = floors.broken([ratio(299), ratio(300, name="async")], {"post": 0.3, "async": 0.3})

    assert found == ["post: sync post / bare echo is 0.30, its floor is 0.3"]


def test_where_less_is_better_a_floor_is_a_ceiling() -> None:
    fast, slow = (compare(row("one", figure="p50_ms"), [load(p50_ms=ms)], [load(p50_ms=1)]) for ms in (1.9, 2.1))

    assert not floors.broken([fast], {"one": 2})
    assert floors.broken([slow], {"one": 2})


def test_a_row_without_a_floor_never_falls() -> None:
    assert not floors.broken([ratio(1)], {})


def test_every_quick_row_has_a_floor_and_no_other() -> None:
    assert set(floors.read()) == set(QUICK)
