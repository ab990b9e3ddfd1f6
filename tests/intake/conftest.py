"""Fixtures that the tests of dispatch share, and those of the server's loop."""

from collections.abc import Iterator

import pytest

from intake import broker_watch
from intake import dispatch as module
from intake import server as server_module
from tests.intake.sending import Clock, Sender
from tests.intake.toys import ToyServer, serving

HOUR_S = 3_600


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of dispatch."""
    fake = Clock()
    monkeypatch.setattr(module, "time", fake)
    monkeypatch.setattr(broker_watch, "time", fake)
    return fake


@pytest.fixture
def sender(clock: Clock) -> Sender:
    """Dispatch with nothing on its way."""
    return Sender(clock)


@pytest.fixture
def never_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that looks at its connections when it is told of them alone."""
    monkeypatch.setattr(server_module, "LOOK_EVERY_S", HOUR_S)


@pytest.fixture
def server() -> Iterator[ToyServer]:
    """A server of a toy app, with its loop."""
    with serving() as found:
        yield found
