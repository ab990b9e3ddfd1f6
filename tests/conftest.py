"""What all folders share: fixtures, and that a test which compares times has the machine to itself."""

import fcntl
import itertools
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.system.orgs import Org
from tests.system.stack import Stack

_numbers = itertools.count(1)
_MACHINE = Path(__file__)  # locked by each test while it runs: by one that is to be `alone`, for itself
_QUEUE = Path(__file__).with_name("__init__.py")  # held by whoever waits for the machine, so that all get their turn


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Have a test that is marked `alone` run while no other process of the run has one under way."""
    with _MACHINE.open() as machine:
        with _QUEUE.open() as queue:
            fcntl.flock(queue, fcntl.LOCK_EX)
            fcntl.flock(machine, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        return (yield)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running ledger, shared by all tests that leave it as it is."""
    running = Stack(tmp_path_factory.mktemp("stack") / "data", workers=2).start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def org(stack: Stack) -> Org:
    """An org of this test's own."""
    return stack.org(f"org-{next(_numbers)}")


@pytest.fixture
def another_org(stack: Stack) -> Org:
    """A second org of this test's own."""
    return stack.org(f"org-{next(_numbers)}")


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """A maker of stacks of this test's own, which may be broken; they are ended with the test."""
    made: list[Stack] = []

    def start(**options: object) -> Stack:
        made.append(Stack(tmp_path / f"data{len(made)}", **options))  # type: ignore[arg-type]
        return made[-1].start()

    yield start
    for running in made:
        if running.processes():
            running.stop()
