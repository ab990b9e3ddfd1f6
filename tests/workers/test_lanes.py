"""Owning lanes: one owner at a time, and the next one the moment it ends, however it ends."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.waiting import eventually
from wire.lanes import is_owned
from workers.lanes import LaneLocks

OWNER = """
import sys
from pathlib import Path
from workers.lanes import LaneLocks
print(*sorted(LaneLocks(Path(sys.argv[1]), map(int, sys.argv[2:])).wait_for_one()), flush=True)
sys.stdin.read()
"""

Owner = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """A maker of other processes that own lanes of the same data folder."""
    started = []

    def start(*lanes: int) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", OWNER, str(tmp_path), *map(str, lanes)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().split() == [str(lane) for lane in lanes]
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_lane_that_nobody_owns_is_taken_at_once(tmp_path: Path) -> None:
    locks = LaneLocks(tmp_path, [0, 2])

    assert locks.wait_for_one() == {0, 2}
    assert [is_owned(tmp_path, lane) for lane in range(3)] == [True, False, True]


def test_a_lane_that_is_owned_is_waited_for(tmp_path: Path, owner: Owner) -> None:
    owner(0, 1)

    assert LaneLocks(tmp_path, [0, 1, 2]).wait_for_one() == {2}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_lane_falls_to_who_stands_by_the_moment_its_owner_ends(
    tmp_path: Path, owner: Owner, end: signal.Signals
) -> None:
    first = owner(0, 1)
    locks = LaneLocks(tmp_path, [0, 1, 2])
    told: list[int] = []
    locks.follow(told.append)
    assert told == [2]

    first.send_signal(end)

    eventually(lambda: sorted(told) == [0, 1, 2], "it is told of the lanes that fell to it")
    assert locks.wait_for_one() == {0, 1, 2}


def test_waiting_for_a_first_lane_ends_when_one_falls_free(tmp_path: Path, owner: Owner) -> None:
    first = owner(0)
    locks = LaneLocks(tmp_path, [0])

    first.kill()

    assert locks.wait_for_one() == {0}


def test_who_follows_late_is_told_of_everything_that_is_owned(tmp_path: Path) -> None:
    locks = LaneLocks(tmp_path, [3, 1])
    told: list[int] = []

    locks.follow(told.append)

    assert sorted(told) == [1, 3]
