"""Every target holds for its seeds, for the corpus that the fuzzer found, and for what hypothesis makes up."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import bounds, corpus, mutations
from tests.fuzz.bounds import EXPANDED_BYTES_MAX, TooSlow, bounded, expand
from tests.fuzz.house import house
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

every_target = pytest.mark.parametrize("name", TARGETS)
MADE_UP = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """What is set aside is logged, thousands of times over."""
    caplog.set_level(logging.CRITICAL + 1, logger="ledger")


@every_target
def test_a_target_holds_for_its_seeds(name: str) -> None:
    for data in seeds(name):
        TARGETS[name](data)


@every_target
def test_a_target_holds_for_its_corpus(name: str) -> None:
    kept = corpus.load(name)

    for data in kept:
        TARGETS[name](data)

    assert 0 < len(kept) <= corpus.INPUTS_MAX


@every_target
def test_a_target_holds_for_what_is_made_up(name: str) -> None:
    start = [*seeds(name), *corpus.load(name)]

    @MADE_UP
    @given(st.one_of(st.binary(max_size=200), st.builds(_changed, st.sampled_from(start), st.integers(0, 2**32))))
    def check(data: bytes) -> None:
        TARGETS[name](data)

    check()


def _changed(data: bytes, seed: int) -> bytes:
    return mutations.mutated(data, seed) or data[: seed % (len(data) + 1)]


def test_after_all_that_the_book_proves_itself() -> None:
    for data in [*seeds("requests"), *corpus.load("requests")]:
        TARGETS["requests"](data)

    house().check_books()


def test_the_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in corpus.FOLDER.iterdir()) < 1_000_000


def test_a_short_input_stands_for_a_long_one() -> None:
    assert expand(b"a\xfe1bc\xfed") == b"a" + b"bc" * 16 + b"d"
    assert expand(b"\xfe9[\xfe]") == b"[" * 4**10
    assert len(expand(b"\xfe9[\xfe" * 3)) == EXPANDED_BYTES_MAX
    assert expand(b"\xfex[\xfe") == b"\xfex[\xfe"


def test_what_takes_too_long_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "CPU_S_MAX", 0.001)

    with pytest.raises(TooSlow), bounded("a quadratic one"):
        sum(1 for a in range(1_000) for b in range(1_000))


def test_a_mutation_is_the_same_each_time_and_leaves_what_is_no_json() -> None:
    data = b'\x02{"lines":[{"amount":1}]}'

    assert mutations.mutated(data, 7) == mutations.mutated(data, 7)
    assert len({mutations.mutated(data, seed) for seed in range(100)}) > 50
    assert mutations.mutated(b"wait=5", 7) is None
