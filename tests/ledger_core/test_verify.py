"""The proof: a right book gives no findings, and whoever changes one behind its guards is found out."""

import pytest

from ledger_core.verify import GUARDS, verify
from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, Ledger, posting

CAPTURED, ACTIVE, RELEASED, EXPIRED = 1, 2, 3, 4
PLACED_EVENT = f"(select id from hold_events where hold_id = {ACTIVE} and version = 1)"


@pytest.fixture
def busy(funded: Ledger) -> Ledger:
    """A book with something of everything: entries 1 to 5, of which 2 is a capture's and 4 reverses 3."""
    funded.hold(CUSTOMERS, 100, counter_account_id=FEES)
    funded.capture(CAPTURED, amount=60)
    funded.hold(CUSTOMERS, 100)
    funded.hold(CUSTOMERS, 100)
    funded.release(RELEASED)
    funded.hold(CUSTOMERS, 100, expires_in_s=1)
    funded.pass_s(1)
    euros, lent = funded.account("asset", currency="EUR"), funded.account("liability", currency="EUR")
    funded.post((CASH, 5, "debit"), (FEES, 5, "credit"), description="Fee", metadata={"a": "é"})
    funded.reverse(3)
    funded.post((euros, 7, "debit"), (CASH, 9, "debit"), (lent, 7, "credit"), (CUSTOMERS, 9, "credit"))
    funded.write("closure", account_id=funded.account("asset"))
    funded.write("release", hold_id=99)
    return funded


TAMPERED = {
    "an amount": ("update lines set debit = debit + 1 where entry_id = 3 and debit > 0", "entry 3"),
    "two amounts that balance": (
        "update lines set debit = debit * 2, credit = credit * 2, debits = debits + debit, credits = credits + credit"
        " where entry_id = 3",
        "entry 3",
    ),
    "the sides of an entry": ("update lines set debit = credit, credit = debit where entry_id = 3", "entry 3"),
    "the account of a line": (f"update lines set account_id = {CASH} where entry_id = 3 and credit > 0", "entry 3"),
    "a line's running total": ("update lines set debits = debits + 1 where entry_id = 3 and position = 0", "entry 3"),
    "a line's version": ("update lines set version = version + 1 where entry_id = 3 and position = 0", "entry 3"),
    "a hash": ("update entries set hash = zeroblob(32) where id = 3", "entry 3"),
    "the hash of the last entry": ("update entries set hash = zeroblob(32) where id = 5", "entry 5"),
    "a description": ("update entries set description = 'Free' where id = 3", "entry 3"),
    "a description that was none": ("update entries set description = '' where id = 1", "entry 1"),
    "metadata": ("""update entries set metadata = '{"a":"e"}' where id = 3""", "entry 3"),
    "metadata that is none": ("update entries set metadata = 'nonsense' where id = 3", "entry 3"),
    "metadata of a capture's entry": ("update entries set metadata = 'nonsense' where id = 2", "entry 2"),
    "what no account can be": (
        "pragma ignore_check_constraints = on; update accounts set type = 'income' where id = 3",
        "file",
    ),
    "a time": ("update entries set posted_at = posted_at - 1 where id = 3", "entry 3"),
    "an entry's key": ("update entries set idempotency_key = 'k' where id = 3", "entry 3"),
    "what an entry reverses": ("update entries set reverses = 1 where id = 4", "entry 4"),
    "the hold of an entry": (f"update entries set hold_id = {ACTIVE} where id = 2", "entry 2"),
    "an account's debits": ("update accounts set debits = debits + 1 where id = 1", "account 1"),
    "an account's credits": ("update accounts set credits = credits - 1 where id = 2", "account 2"),
    "an account's version": ("update accounts set version = 1 where id = 1", "account 1"),
    "an account's held funds": ("update accounts set held = 0 where id = 2", "account 2"),
    "an account's currency": ("update accounts set currency = 'EUR' where id = 3", "entry 2"),
    "an account's metadata": ("update accounts set metadata = 'nonsense' where id = 3", "account 3"),
    "an account with funds closed": ("update accounts set closed_at = 1 where id = 1", "account 1"),
    "an account gone": ("delete from accounts where id = 3", "account 4"),
    "a hold's status": (f"update holds set status = 'released' where id = {CAPTURED}", f"hold {CAPTURED}"),
    "a hold's figures": (f"update holds set captured = 100, released = 0 where id = {CAPTURED}", f"hold {CAPTURED}"),
    "a hold's amount": (f"update holds set amount = 200 where id = {ACTIVE}", f"hold {ACTIVE}"),
    "a hold's account": (f"update holds set account_id = {CASH} where id = {ACTIVE}", f"hold {ACTIVE}"),
    "a hold's version": (f"update holds set version = 3 where id = {ACTIVE}", f"hold {ACTIVE}"),
    "a hold gone": (f"delete from holds where id = {ACTIVE}", f"hold {ACTIVE}"),
    "a hold that was never placed": (
        "insert into holds (id, account_id, amount, created_at) values (5, 2, 10, 1)",
        "hold 5",
    ),
    "what an event captured": (
        f"update hold_events set captured = 59, released = 41 where hold_id = {CAPTURED} and version = 2",
        f"hold {CAPTURED}",
    ),
    "what an event leaves held": (
        f"update hold_events set held = held + 1 where id = {PLACED_EVENT}",
        f"hold {ACTIVE}",
    ),
    "the entry of a capture": ("update hold_events set entry_id = 3 where entry_id = 2", f"hold {CAPTURED}"),
    "when an event was": ("update hold_events set at = at + 10 where id = 2", "hold 2"),
    "an event gone": (f"delete from hold_events where hold_id = {RELEASED} and version = 2", f"hold {RELEASED}"),
    "a placing gone": (f"delete from hold_events where id = {PLACED_EVENT}", f"hold {ACTIVE}"),
    "a line gone": ("delete from lines where entry_id = 3 and position = 1", "entry 3"),
    "all lines of an entry gone": ("delete from lines where entry_id = 5", "entry 5"),
    "an entry gone, its lines left": ("delete from entries where id = 5", "entry 5"),
    "an entry gone with its lines": (
        "delete from lines where entry_id = 3; delete from entries where id = 3",
        "entry 4",
    ),
    "an entry of its own number gone": ("update entries set id = 9 where id = 5", "entry 9"),
}  # fmt: skip


def drop_guards(ledger: Ledger) -> None:
    shell = ledger.raw(foreign_keys=False)
    for name in GUARDS:
        shell.execute(f"drop trigger {name}")
    shell.close()


def subjects(ledger: Ledger) -> set[str]:
    return {finding.subject for finding in ledger.findings()}


def test_a_right_book_has_no_findings(busy: Ledger) -> None:
    report = verify(busy.reader)

    assert report.findings == []
    assert (report.org, report.accounts, report.entries, report.lines, report.holds) == (busy.org, 6, 5, 12, 4)
    assert report.operations == len(list(busy.reader.connection.execute("select id from operations")))
    assert report.head == busy.read_entry(5).hash.hex()


def test_an_empty_book_has_no_findings(ledger: Ledger) -> None:
    report = verify(ledger.reader)

    assert (report.findings, report.entries, report.head) == ([], 0, "00" * 32)


@pytest.mark.parametrize(("sql", "subject"), TAMPERED.values(), ids=TAMPERED.keys())
def test_is_found_out(busy: Ledger, sql: str, subject: str) -> None:
    drop_guards(busy)
    busy.raw(foreign_keys=False).execute(sql)

    assert subject in subjects(busy) - {"schema"}


def test_dropped_guards_alone_are_the_only_findings(busy: Ledger) -> None:
    drop_guards(busy)

    assert subjects(busy) == {"schema"}
    assert len(busy.findings()) == len(GUARDS)


@pytest.mark.parametrize("name", sorted(GUARDS))
def test_a_dropped_guard_is_named(ledger: Ledger, name: str) -> None:
    ledger.raw().execute(f"drop trigger {name}")

    (finding,) = ledger.findings()

    assert finding == ("schema", f"the guard {name} is gone")


def test_a_guard_that_guards_nothing_is_found_out(busy: Ledger) -> None:
    busy.raw().execute(
        "drop trigger lines_never_change;create trigger lines_never_change before update on lines begin select 1; end"
    )

    assert subjects(busy) == {"schema"}


@pytest.mark.parametrize("kind", ["entry", "account", "hold"])
def test_an_outcome_that_points_nowhere_is_named(busy: Ledger, kind: str) -> None:
    operation_id = bytes(range(16))

    busy.raw().execute("insert into operations values (?, ?, zeroblob(32), 1, 1, 1, 99, 1, null)", (operation_id, kind))

    assert busy.findings() == [
        (f"operation {operation_id.hex()}", f"answered with {kind} 99, which does not exist"),
    ]


def test_the_last_entry_undone_without_a_trace_is_found_by_its_outcome(chart: Ledger) -> None:
    outcome = chart.write("entry", **posting((CASH, 5, "debit"), (CUSTOMERS, 5, "credit")))
    drop_guards(chart)
    shell = chart.raw(foreign_keys=False)

    shell.execute("delete from lines; delete from entries; update accounts set debits = 0, credits = 0, version = 0")

    assert subjects(chart) == {"schema", f"operation {outcome.operation_id.hex()}"}


@pytest.mark.parametrize("kind", ["hold", "refusal"])
def test_a_clock_behind_what_was_written_last_is_found(busy: Ledger, kind: str) -> None:
    """What is no entry was written last: of an entry the clock is what the entry says."""
    busy.pass_s(1)
    if kind == "hold":
        busy.hold(CUSTOMERS, 1)
    else:
        busy.write("release", hold_id=99)
    drop_guards(busy)

    busy.raw(foreign_keys=False).execute("update book set last_at = created_at")

    assert "book" in subjects(busy)


def test_two_changes_that_cancel_each_other_out_are_found(busy: Ledger) -> None:
    drop_guards(busy)
    busy.raw(foreign_keys=False).execute(
        "update accounts set debits = debits + 5 where id = 1; update accounts set credits = credits + 5 where id = 2"
    )

    assert {"account 1", "account 2"} <= subjects(busy)


def test_a_damaged_file_is_found_or_refused(busy: Ledger) -> None:
    """An index that lost a row, which every read through it would miss."""
    drop_guards(busy)
    shell = busy.raw()
    shell.pragma("writable_schema", True)
    shell.execute("update sqlite_schema set sql = replace(sql, '(type)', '(name)') where name = 'accounts_by_type'")
    shell.close()
    busy.reopen()

    assert "file" in subjects(busy)
