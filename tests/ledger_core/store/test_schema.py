"""The tables defend themselves: raw SQL, from a shell too, can neither change nor delete what was posted."""

from collections.abc import Iterator

import apsw
import pytest

from tests.ledger_core.builders import CASH, CUSTOMERS, FEES, Ledger

CAPTURED, RELEASED, ACTIVE = 1, 2, 3
HASH = "zeroblob(32)"

NEVER_CHANGED = {
    "an entry's description": "update entries set description = 'x' where id = 1",
    "an entry's time": "update entries set posted_at = posted_at + 1 where id = 1",
    "an entry's hash": f"update entries set hash = {HASH} where id = 1",
    "an entry's id": "update entries set id = 100 where id = 2",
    "a line's amount": "update lines set debit = debit + 1 where entry_id = 1 and debit > 0",
    "a line's account": f"update lines set account_id = {FEES} where entry_id = 1 and position = 0",
    "a line's running totals": "update lines set debits = debits + 1 where entry_id = 1",
    "a hold's amount": f"update holds set amount = amount + 1 where id = {ACTIVE}",
    "a hold's account": f"update holds set account_id = {CASH} where id = {ACTIVE}",
    "a hold's expiry": f"update holds set expires_at = 1 where id = {ACTIVE}",
    "a hold's figures": f"update holds set released = amount, status = 'released' where id = {ACTIVE}",
    "a hold's status": f"update holds set status = 'expired' where id = {CAPTURED}",
    "a hold's version": f"update holds set version = version + 1 where id = {ACTIVE}",
    "a hold event": "update hold_events set held = held + 1",
    "an outcome's subject": "update operations set subject_id = 2 where subject_id = 1",
    "an outcome's refusal": "update operations set refusal = '[]' where refusal is not null",
    "an account's name": "update accounts set name = 'x'",
    "an account's code": "update accounts set code = 'x' where id = 1",
    "an account's type": "update accounts set type = 'asset' where type = 'liability'",
    "an account's currency": "update accounts set currency = 'EUR'",
    "an account's limit": "update accounts set overdraft_limit = null where overdraft_limit is not null",
    "an account's debits": "update accounts set debits = debits + 1 where id = 1",
    "an account's credits": "update accounts set credits = 0 where credits > 0",
    "an account's version": "update accounts set version = version + 1",
    "an account's held funds": "update accounts set held = 0 where held > 0",
    "whether an account with funds is closed": f"update accounts set closed_at = 1 where id = {CASH}",
    "whether a closed account is open": "update accounts set closed_at = null where closed_at is not null",
    "when an account was closed": "update accounts set closed_at = 1 where closed_at is not null",
    "whose book it is": "update book set org = 'evil'",
    "the book's clock, backwards": "update book set last_at = last_at - 1",
}
NEVER_DELETED = {table: f"delete from {table}" for table in
                 ("entries", "lines", "holds", "hold_events", "operations", "accounts", "book")}  # fmt: skip

REPLACED = {
    "an account": "insert or replace into accounts (id, name, type, currency, created_at)"
    " values (1, 'x', 'asset', 'USD', 1)",
    "an account by its code": "insert or replace into accounts (id, name, code, type, currency, created_at)"
    " values (6, 'x', 'cash', 'asset', 'USD', 1)",
    "an entry": f"insert or replace into entries (id, posted_at, hash) values (1, 1, {HASH})",
    "a reversal": "insert or replace into entries (id, posted_at, reverses, hash) select max(id) + 1, 1, 1, "
    f"{HASH} from entries",
    "a line": "insert or replace into lines select * from lines where entry_id = 1",
    "a hold": "insert or replace into holds (id, account_id, amount, created_at) values (1, 2, 10, 1)",
    "a hold event": f"insert or replace into hold_events select id, {ACTIVE}, 2, account_id, 'released', 0, 100, 0,"
    f" at, null from hold_events where hold_id = {ACTIVE}",
    "an outcome": "insert or replace into operations select id, kind, fingerprint, submission, 1, 1, 3, null, null"
    " from operations",
}


@pytest.fixture
def full(funded: Ledger) -> Ledger:
    """A book with something of everything: five accounts, entries, holds in each state, a refusal."""
    funded.account("asset", code="cash", overdraft_limit=0)
    funded.account("asset")
    funded.write("closure", account_id=5)
    funded.hold(CUSTOMERS, 100, counter_account_id=FEES)
    funded.capture(CAPTURED)
    funded.hold(CUSTOMERS, 100)
    funded.release(RELEASED)
    funded.hold(CUSTOMERS, 100, counter_account_id=FEES)
    funded.post((CASH, 5, "debit"), (FEES, 5, "credit"))
    funded.reverse(3)
    funded.write("release", hold_id=99)
    return funded


@pytest.fixture(params=[True, False], ids=["foreign keys on", "foreign keys off"])
def shell(full: Ledger, request: pytest.FixtureRequest) -> Iterator[apsw.Connection]:
    """The book of `full` as a shell opens it, in a transaction."""
    connection = full.raw(foreign_keys=request.param)
    connection.execute("begin immediate")
    yield connection
    connection.execute("rollback")
    connection.close()


def refused(connection: apsw.Connection, *statements: str) -> bool:
    """Tell whether the last of the statements, or the commit after it, is refused."""
    *before, last = statements
    for sql in before:
        connection.execute(sql)
    try:
        connection.execute(last)
        connection.execute("commit; begin immediate")
    except apsw.ConstraintError:
        return True
    return False


@pytest.mark.parametrize("sql", NEVER_CHANGED.values(), ids=NEVER_CHANGED.keys())
def test_never_changes(full: Ledger, shell: apsw.Connection, sql: str) -> None:
    before = full.dump()

    assert refused(shell, sql)
    assert full.dump() == before


@pytest.mark.parametrize("sql", NEVER_DELETED.values(), ids=NEVER_DELETED.keys())
def test_is_never_deleted(full: Ledger, shell: apsw.Connection, sql: str) -> None:
    before = full.dump()

    assert refused(shell, sql)
    assert full.dump() == before


@pytest.mark.parametrize("sql", REPLACED.values(), ids=REPLACED.keys())
def test_is_never_replaced(full: Ledger, shell: apsw.Connection, sql: str) -> None:
    before = full.dump()

    assert refused(shell, sql)
    assert full.dump() == before


def test_a_book_is_never_replaced(full: Ledger, shell: apsw.Connection) -> None:
    before = full.dump()

    shell.execute("insert or replace into book values (1, 'evil', 'USD', 1, 1); commit; begin immediate")

    assert full.dump() == before


def line(position: int, account_id: int, debit: int, credit: int, entry: str = "5") -> str:
    """Return SQL that writes a line which follows its account as it stands."""
    return (
        "insert into lines (entry_id, position, account_id, debit, credit, version, debits, credits)"
        f" select {entry}, {position}, id, {debit}, {credit}, version + 1, debits + {debit}, credits + {credit}"
        f" from accounts where id = {account_id}"
    )


def seal(entry: int = 5, hash_: str = HASH) -> str:
    return f"insert into entries (id, posted_at, hash) select {entry}, last_at, {hash_} from book"


def test_an_entry_before_the_one_that_it_follows_is_refused(full: Ledger) -> None:
    shell = full.raw()
    shell.execute("begin")
    shell.execute(line(0, CASH, 5, 0))
    shell.execute(line(1, FEES, 0, 5))

    with pytest.raises(apsw.ConstraintError, match="never posted before the one that it follows"):
        shell.execute(f"insert into entries (id, posted_at, hash) select 5, max(posted_at) - 1, {HASH} from entries")


def test_a_balanced_entry_is_taken_from_raw_sql_and_its_wrong_hash_is_found(full: Ledger) -> None:
    shell = full.raw()
    shell.execute("begin")
    for sql in (line(0, CASH, 5, 0), line(1, FEES, 0, 5), seal()):
        shell.execute(sql)
    shell.execute("commit")

    assert full.balance(FEES).total == 105
    assert [finding.subject for finding in full.findings()] == ["entry 5"]


ENTRIES = {
    "out of balance": [line(0, CASH, 5, 0), line(1, FEES, 0, 6), seal()],
    "of one line": [line(0, CASH, 5, 0), seal()],
    "of no line": [seal()],
    "of another number than the next": [line(0, CASH, 5, 0, "9"), line(1, FEES, 0, 5, "9"), seal(9)],
    "with a short hash": [line(0, CASH, 5, 0), line(1, FEES, 0, 5), seal(5, "zeroblob(31)")],
}


@pytest.mark.parametrize("statements", ENTRIES.values(), ids=ENTRIES.keys())
def test_is_no_entry(shell: apsw.Connection, statements: list[str]) -> None:
    assert refused(shell, *statements)


def test_an_entry_balances_in_each_currency(full: Ledger) -> None:
    euros = full.account("asset", currency="EUR")
    shell = full.raw()
    shell.execute("begin")

    assert refused(shell, line(0, CASH, 5, 0), line(1, euros, 0, 5), seal())
    shell.execute("rollback")


FIELDS = "entry_id, position, account_id, debit, credit, version, debits, credits"
LINES = {
    "after its entry": line(2, CASH, 5, 0, "1"),
    "on no account": f"insert into lines ({FIELDS}) values (5, 0, 99, 5, 0, 1, 5, 0)",
    "of nothing": line(0, CASH, 0, 0),
    "on both sides": line(0, CASH, 5, 5),
    "of a negative amount": line(0, CASH, -5, 0),
    "that skips a version": f"insert into lines ({FIELDS}) select 5, 0, id, 5, 0, version + 2, debits + 5, credits"
    " from accounts where id = 1",
    "with other totals": f"insert into lines ({FIELDS}) select 5, 0, id, 5, 0, version + 1, debits + 6, credits"
    " from accounts where id = 1",
    "of a fraction": line(0, CASH, 0, 0).replace("0, 0, version", "0.5, 0, version"),
}


@pytest.mark.parametrize("sql", LINES.values(), ids=LINES.keys())
def test_is_no_line(shell: apsw.Connection, sql: str) -> None:
    assert refused(shell, sql)


def test_a_line_is_not_replaced_before_its_entry_is_posted(shell: apsw.Connection) -> None:
    again = line(0, CASH, 7, 0).replace("insert into", "insert or replace into")

    assert refused(shell, line(0, CASH, 5, 0), again)


def test_lines_without_an_entry_are_refused_or_move_nothing(full: Ledger) -> None:
    """A shell that does not enforce references can leave a line behind: no account moves, and the proof names it."""
    strict, lax = full.raw(foreign_keys=True), full.raw(foreign_keys=False)
    totals = "select id, debits, credits, version from accounts order by id"
    before = strict.execute(totals).fetchall()

    with pytest.raises(apsw.ConstraintError):
        strict.execute(line(0, CASH, 5, 0))
    lax.execute(line(0, CASH, 5, 0))

    assert strict.execute(totals).fetchall() == before
    assert ("entry 5", "has lines but was never posted") in full.findings()


def event(values: str) -> str:
    return (
        "insert into hold_events (hold_id, version, account_id, kind, captured, released, held, at, entry_id)"
        f" values ({values})"
    )


EVENTS = {
    "of a hold that is done": event(f"{RELEASED}, 3, 2, 'released', 0, 0, 100, 1, null"),
    "that skips a version": event(f"{ACTIVE}, 3, 2, 'released', 0, 100, 0, 1, null"),
    "on another account": event(f"{ACTIVE}, 2, 1, 'released', 0, 100, 0, 1, null"),
    "with another held total": event(f"{ACTIVE}, 2, 2, 'released', 0, 100, 1, 1, null"),
    "that releases a part": event(f"{ACTIVE}, 2, 2, 'released', 0, 40, 60, 1, null"),
    "that captures without an entry": event(f"{ACTIVE}, 2, 2, 'captured', 100, 0, 0, 1, null"),
    "that captures more than there is": event(f"{ACTIVE}, 2, 2, 'captured', 101, 0, 0, 1, 2"),
    "that places it again": event(f"{ACTIVE}, 2, 2, 'placed', 0, 0, 200, 1, null"),
}


@pytest.mark.parametrize("sql", EVENTS.values(), ids=EVENTS.keys())
def test_is_no_hold_event(shell: apsw.Connection, sql: str) -> None:
    assert refused(shell, sql)


OPENED = (
    "insert into accounts (id, name, type, currency, created_at{more}) values ({id}, 'x', '{type}', 'USD', 1{values})"
)
RECORDS = {
    "account with debits": OPENED.format(id=6, type="asset", more=", debits", values=", 5"),
    "account with held funds": OPENED.format(id=6, type="asset", more=", held", values=", 5"),
    "account with a version": OPENED.format(id=6, type="asset", more=", version", values=", 1"),
    "account closed from the start": OPENED.format(id=6, type="asset", more=", closed_at", values=", 1"),
    "account of another type": OPENED.format(id=6, type="income", more="", values=""),
    "account with a negative limit": OPENED.format(id=6, type="asset", more=", overdraft_limit", values=", -1"),
    "account with a gap before it": OPENED.format(id=7, type="asset", more="", values=""),
    "account with a code that is taken": OPENED.format(id=6, type="asset", more=", code", values=", 'cash'"),
    "hold with a gap before it": "insert into holds (id, account_id, amount, created_at) values (9, 2, 1, 1)",
    "hold of nothing": "insert into holds (id, account_id, amount, created_at) values (4, 2, 0, 1)",
    "hold for its own account": "insert into holds (id, account_id, counter_account_id, amount, created_at)"
    " values (4, 2, 2, 1, 1)",
    "hold captured from the start": "insert into holds (id, account_id, amount, created_at, captured, status)"
    " values (4, 2, 5, 1, 5, 'captured')",
    "outcome with neither subject nor refusal": "insert into operations values (zeroblob(16), 'entry', zeroblob(32),"
    " 1, 1, 1, null, null, null)",
}  # fmt: skip


@pytest.mark.parametrize("sql", RECORDS.values(), ids=RECORDS.keys())
def test_is_refused(shell: apsw.Connection, sql: str) -> None:
    assert refused(shell, sql)


def test_after_all_of_it_the_book_is_right(full: Ledger) -> None:
    shell = full.raw(foreign_keys=False)
    for sql in (
        *NEVER_CHANGED.values(),
        *NEVER_DELETED.values(),
        *REPLACED.values(),
        *LINES.values(),
        *EVENTS.values(),
    ):
        with pytest.raises(apsw.ConstraintError):
            shell.execute(sql)

    assert full.findings() == []
