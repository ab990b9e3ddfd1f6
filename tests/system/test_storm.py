"""A short storm: no answer lost, nothing twice, nothing flipped. `make storm` has longer ones."""

import os
import secrets
from pathlib import Path

import pytest

from tests.storm.plan import FAULTS
from tests.storm.storm import storm

SECONDS = 15.0


def test_a_storm_loses_nothing_and_repeats_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("STORM_SEED") or secrets.randbelow(1_000_000))

    figures = storm(tmp_path, seed=seed, seconds=SECONDS)

    with capsys.disabled():
        print("", *figures.lines(), sep="\n")
    assert not figures.violations, f"make storm SECONDS={SECONDS:.0f} SEED={seed} replays the plan"
    assert {*figures.faults, *figures.impossible} == set(FAULTS)
    assert figures.answers["201"] > 0
