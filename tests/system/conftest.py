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


@pytest.fixture
def shop(org: Org) -> Org:
    """An org that was paid 500.00, earned 20.00 of it, spent 5.00, and has an account in euros."""
    org.open_account(name="Cash", code="1000")
    org.open_account(name="Customers", type="liability")
    org.open_account(name="Fees", type="revenue")
    org.open_account(name="Rent", type="expense")
    org.open_account(name="Capital", type="equity", currency="EUR")
    org.post_entry(1, 2, 50_000, description="Deposit")
    org.post_entry(2, 3, 2_000)
    org.post_entry(4, 1, 500, description='Rent, "March"')
    return org


@pytest.fixture(scope="module")
def service(stack: Stack) -> Iterator[Service]:
    """A process of another service."""
    running = Service(stack.broker_url)
    yield running
    running.end()
