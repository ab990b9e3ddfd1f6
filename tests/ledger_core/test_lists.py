"""Lists: every filter, both orders, and pages that follow each other without a gap or a repeat."""

from typing import Any

import pytest

from ledger_core.model import AccountStatus, Entry, HoldStatus, ListedEntry
from ledger_core.money import AccountType, Side
from ledger_core.reads import AccountFilter, EntryFilter, HoldFilter, Span, accounts, entries, hold, holds
from ledger_core.store import lists
from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, NOON, SECOND, Ledger

ALL = 100


@pytest.fixture
def busy(ledger: Ledger) -> Ledger:
    """Accounts 1 to 6, entries 1 to 8 a second apart, and holds 1 to 7 in every state."""
    for type_, code in (
        ("asset", "1000"),
        ("liability", "2000"),
        ("revenue", "2001"),
        ("asset", None),
        ("asset", "10"),
        ("equity", "1%"),
    ):
        ledger.account(type_, code=code)
    ledger.write("closure", account_id=4)
    for number in range(1, 7):
        ledger.now = NOON + number * SECOND
        other = CUSTOMERS if number % 2 else FEES
        ledger.post((CASH, 100, "debit"), (other, 60, "credit"), (other, 40, "credit"), idempotency_key=f"e-{number}")
    ledger.now = NOON + 10 * SECOND
    for seconds in (None, 1, 2, None, None, 60, 2):
        ledger.hold(CUSTOMERS, 10, counter_account_id=FEES, expires_in_s=seconds)
    ledger.hold(FEES, 10)
    ledger.capture(1, amount=4, final=False, idempotency_key="e-1")
    ledger.capture(1)
    ledger.release(4)
    ledger.now += SECOND
    ledger.release(8)
    ledger.now += SECOND
    return ledger


def ids(found: Any) -> list[int]:
    return [item.id for item in found]


ACCOUNTS = [
    ({}, [1, 2, 3, 4, 5, 6]),
    ({"type": AccountType.ASSET}, [1, 4, 5]),
    ({"type": AccountType.EXPENSE}, []),
    ({"code": "2000"}, [2]),
    ({"code": "200"}, []),
    ({"code_prefix": "200"}, [2, 3]),
    ({"code_prefix": "1"}, [1, 5, 6]),
    ({"code_prefix": "1%"}, [6]),
    ({"code_prefix": "_"}, []),
    ({"status": AccountStatus.OPEN}, [1, 2, 3, 5, 6]),
    ({"status": AccountStatus.CLOSED}, [4]),
    ({"type": AccountType.ASSET, "status": AccountStatus.OPEN}, [1, 5]),
    ({"type": AccountType.ASSET, "code_prefix": "10"}, [1, 5]),
    ({"type": AccountType.ASSET, "code": "2000"}, []),
    ({"code": "1000", "code_prefix": "10"}, [1]),
    ({"code": "1000", "code_prefix": "2"}, []),
    ({"code": "1000", "status": AccountStatus.CLOSED}, []),
]
ENTRIES = [
    ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
    ({"account_id": CASH}, [1, 2, 3, 4, 5, 6]),
    ({"account_id": FEES}, [2, 4, 6, 7, 8]),
    ({"account_id": 5}, []),
    ({"account_id": 99}, []),
    ({"hold_id": 1}, [7, 8]),
    ({"hold_id": 2}, []),
    ({"hold_id": 1, "account_id": CASH}, []),
    ({"hold_id": 1, "account_id": FEES}, [7, 8]),
    ({"idempotency_key": "e-1"}, [1, 7]),
    ({"idempotency_key": "e-1", "account_id": CASH}, [1]),
    ({"idempotency_key": "e-1", "hold_id": 1}, [7]),
    ({"idempotency_key": "e-9"}, []),
    ({"posted_from": NOON + 3 * SECOND}, [3, 4, 5, 6, 7, 8]),
    ({"posted_from": NOON + 3 * SECOND + 1}, [4, 5, 6, 7, 8]),
    ({"posted_before": NOON + 3 * SECOND}, [1, 2]),
    ({"posted_before": NOON + 3 * SECOND + 1}, [1, 2, 3]),
    ({"posted_from": NOON + 3 * SECOND, "posted_before": NOON + 5 * SECOND}, [3, 4]),
    ({"posted_from": NOON + 3 * SECOND, "posted_before": NOON + 3 * SECOND}, []),
    ({"posted_from": NOON + 5 * SECOND, "posted_before": NOON + 3 * SECOND}, []),
    ({"posted_from": NOON + 99 * SECOND}, []),
    ({"posted_before": NOON}, []),
    ({"posted_from": NOON + 3 * SECOND, "account_id": FEES}, [4, 6, 7, 8]),
    ({"posted_from": NOON + 3 * SECOND, "idempotency_key": "e-1"}, [7]),
    ({"posted_before": NOON + 10 * SECOND, "hold_id": 1}, []),
]
HOLDS = [
    ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
    ({"account_id": CUSTOMERS}, [1, 2, 3, 4, 5, 6, 7]),
    ({"account_id": CASH}, []),
    ({"status": HoldStatus.ACTIVE}, [5, 6]),
    ({"status": HoldStatus.CAPTURED}, [1]),
    ({"status": HoldStatus.RELEASED}, [4, 8]),
    ({"status": HoldStatus.EXPIRED}, [2, 3, 7]),
    ({"account_id": CUSTOMERS, "status": HoldStatus.ACTIVE}, [5, 6]),
    ({"account_id": CUSTOMERS, "status": HoldStatus.RELEASED}, [4]),
    ({"account_id": CUSTOMERS, "status": HoldStatus.EXPIRED}, [2, 3, 7]),
    ({"account_id": FEES, "status": HoldStatus.EXPIRED}, []),
]


def reading(ledger: Ledger, kind: str, wanted: dict[str, Any]) -> Any:
    """Return how a page of this list is read."""
    if kind == "accounts":
        return lambda span: accounts(ledger.reader, AccountFilter(**wanted), span)
    if kind == "entries":
        return lambda span: entries(ledger.reader, EntryFilter(**wanted), span)
    return lambda span: holds(ledger.reader, HoldFilter(**wanted), span, ledger.now)


ROWS = [
    (kind, wanted, expected)
    for kind, rows in (("accounts", ACCOUNTS), ("entries", ENTRIES), ("holds", HOLDS))
    for wanted, expected in rows
]


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize(("kind", "wanted", "expected"), ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS])
def test_a_list_is_filtered_and_paged(
    busy: Ledger, kind: str, wanted: dict[str, Any], expected: list[int], descending: bool
) -> None:
    read = reading(busy, kind, wanted)
    ordered = expected[::-1] if descending else expected

    whole = read(Span(ALL, descending=descending))
    paged: list[int] = []
    while page := ids(read(Span(2, paged[-1] if paged else None, descending))):
        assert len(page) <= 2
        paged += page

    assert ids(whole) == ordered
    assert paged == ordered


@pytest.mark.parametrize("few", [0, 1, 1_000])
@pytest.mark.parametrize(("wanted", "expected"), [row for row in ACCOUNTS if "code_prefix" in row[0]], ids=str)
def test_a_prefix_finds_the_same_accounts_however_many_there_are(
    busy: Ledger, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any], expected: list[int], few: int
) -> None:
    monkeypatch.setattr(lists, "FEW", few)

    found = accounts(busy.reader, AccountFilter(**wanted), Span(ALL, descending=True))

    assert ids(found) == expected[::-1]


@pytest.mark.parametrize("prefix", ["\ud7ff", "\ue000", "\U0010ffff", "a\U0010ffff", "a", "\x7f", "é", "z"])
def test_a_prefix_of_any_characters_finds_what_begins_with_it(ledger: Ledger, prefix: str) -> None:
    codes = [
        first + then
        for first in ("a", "b", "~", "é", "\ud7ff", "\ue000", "\U0010ffff", "a\U0010ffff")
        for then in ("", "a", "\U0010ffff")
    ]
    codes = list(dict.fromkeys(codes))
    for code in codes:
        ledger.account(code=code)

    found = accounts(ledger.reader, AccountFilter(code_prefix=prefix), Span(ALL))

    assert [item.code for item in found] == [code for code in codes if code.startswith(prefix)]


@pytest.mark.parametrize(("wanted", "expected"), HOLDS, ids=str)
def test_a_clock_that_went_back_brings_no_hold_back(busy: Ledger, wanted: dict[str, Any], expected: list[int]) -> None:
    busy.account("asset")  # writes the instant

    found = holds(busy.reader, HoldFilter(**wanted), Span(ALL), NOON - SECOND)

    assert ids(found) == expected
    assert list(found) == [hold(busy.reader, item.id, NOON - SECOND) for item in found]


def listed(entry: Entry) -> ListedEntry:
    """Return what a list should show of an entry."""
    facts = {name: getattr(entry, name) for name in ListedEntry._fields}
    lines = [
        [line.account_id, line.amount, 0] if line.side is Side.DEBIT else [line.account_id, 0, line.amount]
        for line in entry.lines
    ]
    return ListedEntry(**{**facts, "lines": lines})


def test_what_a_list_shows_is_what_a_read_of_one_shows(busy: Ledger) -> None:
    busy.reverse(2)

    assert all(busy.read_account(item.id) == item for item in reading(busy, "accounts", {})(Span(ALL)))
    assert all(listed(busy.read_entry(item.id)) == item for item in reading(busy, "entries", {})(Span(ALL)))
    assert all(busy.read_hold(item.id) == item for item in reading(busy, "holds", {})(Span(ALL)))


def test_a_page_after_the_last_is_empty(busy: Ledger) -> None:
    for kind in ("accounts", "entries", "holds"):
        assert reading(busy, kind, {})(Span(10, 2**63 - 1)) == []
        assert reading(busy, kind, {})(Span(10, 1, descending=True)) == []


def test_what_is_written_between_two_pages_shifts_nothing(busy: Ledger) -> None:
    read = reading(busy, "entries", {})
    first = ids(read(Span(4, descending=True)))

    busy.post((CASH, 5, "debit"), (FEES, 5, "credit"))

    assert (first, ids(read(Span(4, first[-1], descending=True)))) == ([8, 7, 6, 5], [4, 3, 2, 1])


def test_unusual_text_comes_back_as_it_was_sent(ledger: Ledger) -> None:
    text = "é \"quoted\" \\ 😀 \u2028 '1'"
    ledger.account("asset", name=text, code=text, metadata={text: text})
    ledger.account("equity", overdraft_limit=2**53 - 1)
    ledger.post((1, 2**53 - 1, "debit"), (2, 2**53 - 1, "credit"), description=text, metadata={text: text})
    ledger.hold(2, 2**53 - 1, description=text, metadata={text: text})

    (account, _), (entry,), (hold,) = (
        reading(ledger, kind, {})(Span(ALL)) for kind in ("accounts", "entries", "holds")
    )

    assert (account.name, account.code, account.metadata) == (text, text, {text: text})
    assert (entry.description, entry.metadata, entry.lines[0]) == (text, {text: text}, [1, 2**53 - 1, 0])
    assert (hold.description, hold.metadata, hold.remaining) == (text, {text: text}, 2**53 - 1)
