"""A page costs the same however deep it lies: SQLite seeks to it, and neither scans nor sorts."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from ledger_core import reads, reports
from ledger_core.model import HoldStatus
from ledger_core.money import AccountType
from ledger_core.reads import AccountFilter, EntryFilter, HoldFilter, Span
from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, NOON, SECOND, Ledger

FILTERS = [
    EntryFilter(account, hold, key, since, before)
    for account, hold, key, since, before in product(
        (None, CASH), (None, 1), (None, "k"), (None, NOON), (None, NOON + SECOND)
    )
]
BALANCES = [None, NOON - 1, NOON, NOON + 100 * SECOND]


SMALL = "book|halves|CONSTANT"


class Watch:
    """Keeps what a connection runs."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.seen = connection, []

    def __call__(self, cursor: Any, sql: str, bindings: Any) -> bool:
        self.seen.append((sql, bindings))
        return True

    def plans(self) -> Iterator[tuple[str, str]]:
        """Yield each step of each plan, with its statement."""
        self.connection.exec_trace = None
        for sql, bindings in self.seen:
            if sql.lower().startswith(("select", "with")):
                for row in self.connection.execute("explain query plan " + sql, bindings):
                    yield row[3], sql


@pytest.fixture
def watch(funded: Ledger) -> Iterator[Watch]:
    for _ in range(3):
        funded.hold(CUSTOMERS, 10, counter_account_id=FEES, expires_in_s=60)
        funded.pass_s(1)
    funded.capture(1, idempotency_key="k")
    watching = Watch(funded.reader.connection)
    funded.reader.connection.exec_trace = watching
    watching.ledger = funded
    yield watching
    funded.reader.connection.exec_trace = None


def costly(watch: Watch) -> list[tuple[str, str]]:
    """Return the steps that read a whole table or index, or sort. Putting a page's own rows in order is neither."""
    return [
        (step, sql)
        for step, sql in watch.plans()
        if (
            re.match(r"SCAN (?!(book|halves|CONSTANT)\b)", step)
            and "SUBQUERY" not in step.upper()
            and "LIST" not in step
        )
        or ("TEMP B-TREE" in step and "json_group_array" not in step)
    ]


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_a_page_of_entries_is_sought(watch: Watch, wanted: EntryFilter, descending: bool) -> None:
    reads.entries(watch.ledger.reader, wanted, Span(10, 3, descending))

    assert watch.seen
    assert costly(watch) == []


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("type_", [None, AccountType.ASSET])
def test_a_prefix_of_few_codes_is_sought(watch: Watch, type_: AccountType | None, descending: bool) -> None:
    reads.accounts(watch.ledger.reader, AccountFilter(type_, code_prefix="12"), Span(10, 3, descending))

    steps = [step for step, _ in watch.plans() if "accounts_1" in step]

    assert len(steps) == 2  # to see whether they are few, and to read them
    assert all(step.endswith("(code>? AND code<?)") and step.startswith("SEARCH") for step in steps)


@pytest.mark.parametrize("at", BALANCES)
def test_a_balance_at_any_instant_is_sought(watch: Watch, at: int | None) -> None:
    reads.balance(watch.ledger.reader, CUSTOMERS, watch.ledger.now, at)

    assert watch.seen
    assert costly(watch) == []


@pytest.mark.parametrize("account_id", [None, CUSTOMERS])
@pytest.mark.parametrize("status", [None, *HoldStatus])
def test_a_page_of_holds_is_sought(watch: Watch, account_id: int | None, status: HoldStatus | None) -> None:
    reads.holds(watch.ledger.reader, HoldFilter(account_id, status), Span(10), watch.ledger.now)

    assert watch.seen
    assert costly(watch) == []


def test_reads_of_one_thing_are_sought(watch: Watch) -> None:
    book = watch.ledger.reader

    reads.account(book, 1)
    reads.entry(book, 1)
    reads.hold(book, 1, watch.ledger.now)
    reads.operation(book, bytes(16))

    assert costly(watch) == []


PERIODS = list(product((None, NOON + SECOND, NOON + 99 * SECOND), (None, NOON + 2 * SECOND)))


@pytest.mark.parametrize("after", [0, 512])
@pytest.mark.parametrize(("from_at", "to_at"), PERIODS)
def test_a_page_of_a_statement_is_sought(watch: Watch, from_at: int | None, to_at: int | None, after: int) -> None:
    book, now = watch.ledger.reader, watch.ledger.now

    reports.statement(book, CUSTOMERS, now, from_at=from_at, to_at=to_at, after=after, limit=10)

    assert watch.seen
    assert costly(watch) == []


@pytest.mark.parametrize(("from_at", "to_at"), PERIODS)
def test_a_report_goes_through_the_accounts_and_seeks_the_last_line_of_each(
    watch: Watch, from_at: int | None, to_at: int | None
) -> None:
    book, now = watch.ledger.reader, watch.ledger.now

    reports.trial_balance(book, now, to_at)
    reports.balance_sheets(book, now, to_at)
    reports.income_statements(book, now, from_at=from_at, to_at=to_at)

    assert watch.seen
    assert {step for step, _ in costly(watch)} == {"SCAN accounts"}
