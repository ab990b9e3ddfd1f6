"""Entries are found by time as one would find them by reading all of them."""

from itertools import accumulate

import pytest

from ledger_core.store import times
from tests.ledger_core.builders import CASH, CUSTOMERS, NOON, SECOND, Ledger

GAPS_S = {
    "none": [],
    "one": [0],
    "one later": [3],
    "all at once": [0, 0, 0, 0],
    "each later": [1, 1, 1, 1, 1],
    "some at once": [1, 0, 0, 2, 0, 1, 5, 0, 0, 0, 1],
}


@pytest.mark.parametrize("gaps_s", GAPS_S.values(), ids=GAPS_S.keys())
def test_entries_are_found_by_time(chart: Ledger, gaps_s: list[int]) -> None:
    for gap_s in gaps_s:
        chart.pass_s(gap_s)
        chart.post((CASH, 1, "debit"), (CUSTOMERS, 1, "credit"))
    posted = [NOON + passed_s * SECOND for passed_s in accumulate(gaps_s)]
    connection = chart.reader.connection

    for at in {at + off for at in [0, NOON, *posted, chart.now + 9 * SECOND] for off in (-1, 0, 1)}:
        before = sum(1 for each in posted if each < at)
        until = sum(1 for each in posted if each <= at)
        assert times.first_entry_from(connection, at) == before + 1
        assert times.last_entry_until(connection, at) == until


def test_a_book_that_lost_entries_is_read_all_the_same(funded: Ledger) -> None:
    """What is wrong with it is for the proof to say."""
    for _ in range(5):
        funded.pass_s(1)
        funded.post((CASH, 1, "debit"), (CUSTOMERS, 1, "credit"))
    shell = funded.raw(foreign_keys=False)
    shell.execute("drop trigger entries_never_go; delete from entries where id = 3")
    shell.close()

    assert 1 <= times.first_entry_from(funded.reader.connection, NOON + 4 * SECOND) <= 7
