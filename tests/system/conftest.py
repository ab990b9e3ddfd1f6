"""Fixtures that the system tests share."""

from collections.abc import Iterator

import pytest

from tests.system.orgs import Org
from tests.system.services import Service
from tests.system.stack import Stack


@pytest.fixture
def pair(org: Org) -> Org:
    """An org with two accounts."""
    org.open_pair()
    return org


@pytest.fixture(scope="module")
def service(stack: Stack) -> Iterator[Service]:
    """A process of another service."""
    running = Service(stack.broker_url)
    yield running
    running.end()
