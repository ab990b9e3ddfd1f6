"""Loading pages, and what an account stood at, by index seeks: a page costs the same however deep it lies.

A page is a range of ids, both ends exclusive, walked up or down; each question has one statement for each way.
"""

import sys
from typing import Any, NamedTuple

import apsw
from pydantic_core import from_json

from ledger_core.limits import ID_MAX
from ledger_core.model import Account, Hold, HoldStatus, ListedEntry
from ledger_core.store import load, times

FEW = 1_000  # accounts, whose ids are soon put in order; of more, a walk mostly meets a page soon


class Range(NamedTuple):
    """The ids strictly between `low` and `high`, at most `limit` of them, from the top if `descending`."""

    low: int
    high: int
    limit: int
    descending: bool


class _Walk(NamedTuple):
    """A statement for each way through a range."""

    up: str
    down: str


def _walk(columns: str, table: str, ids: str) -> _Walk:
    """Return the statement that loads a page whole, as one JSON text, both ways through its ids.

    The order is that of the subselect: an aggregate that is told to sort would copy the page first.
    """
    whole = "select json_group_array(json_array({})) from ({}{} limit :limit) cross join {} using (id)"
    return _Walk(whole.format(columns, ids, "", table), whole.format(columns, ids, " desc", table))


def _accounts(ids: str) -> _Walk:
    return _walk(load.ACCOUNT_COLUMNS, "accounts", ids)


def _entries(ids: str) -> _Walk:
    return _walk(load.LISTED_ENTRY_COLUMNS, "entries", ids)


def _holds(ids: str) -> _Walk:
    return _walk(f"{load.HOLD_COLUMNS}, {_AS_OF}", "holds", ids.format(as_of=_AS_OF))


# A machine's clock may go back, what a book has written does not.
_AS_OF = f"(select max(:now, {load.LAST_AT}) from book)"  # noqa: S608


_ACCOUNTS = _accounts(
    "select id from accounts where id > :low and id < :high and (:type is null or type = :type)"
    " and (:prefix is null or substr(code, 1, length(:prefix)) = :prefix)"
    " and (:closed is null or (closed_at is not null) = :closed) order by id"
)
_ACCOUNTS_BY_TYPE = _accounts(
    "select id from accounts indexed by accounts_by_type where type = :type and id > :low and id < :high"
    " and (:prefix is null or substr(code, 1, length(:prefix)) = :prefix)"
    " and (:closed is null or (closed_at is not null) = :closed) order by id"
)
_ACCOUNTS_BY_CODE = _accounts(
    "select id from accounts where code = :code and id > :low and id < :high and (:type is null or type = :type)"
    " and (:prefix is null or substr(code, 1, length(:prefix)) = :prefix)"
    " and (:closed is null or (closed_at is not null) = :closed) order by id"
)
_ACCOUNTS_BY_PREFIX = _accounts(  # its index is the one that keeps codes unique
    "select id from accounts indexed by sqlite_autoindex_accounts_1 where code >= :prefix and code < :beyond"
    " and substr(code, 1, length(:prefix)) = :prefix and id > :low and id < :high"
    " and (:type is null or type = :type) and (:closed is null or (closed_at is not null) = :closed) order by id"
)
_ARE_FEW = """select count(*) <= :few from (select 1 from accounts where code >= :prefix and code < :beyond
    limit :few + 1)"""

_ENTRIES = _entries("select id from entries where id > :low and id < :high order by id")
_ENTRIES_BY_KEY = _entries(
    "select id from entries indexed by entries_by_key where idempotency_key = :key and id > :low and id < :high"
    " and (:hold is null or hold_id = :hold) and (:account is null or exists ("
    "select 1 from lines where account_id = :account and entry_id = entries.id)) order by id"
)
_ENTRIES_BY_HOLD = _entries(
    "select id from entries indexed by entries_by_hold where hold_id = :hold and id > :low and id < :high"
    " and (:account is null or exists ("
    "select 1 from lines where account_id = :account and entry_id = entries.id)) order by id"
)
_ENTRIES_BY_ACCOUNT = _entries(
    "select distinct entry_id as id from lines indexed by lines_by_account"
    " where account_id = :account and entry_id > :low and entry_id < :high order by entry_id"
)

_HOLDS = _holds("select id from holds where id > :low and id < :high order by id")
_HOLDS_BY_ACCOUNT = _holds(
    "select id from holds indexed by holds_by_account where account_id = :account"
    " and id > :low and id < :high order by id"
)
_HOLDS_BY_STATUS = _holds(
    "select id from holds indexed by holds_by_status where status = :status and id > :low and id < :high"
    " and (status <> 'active' or expires_at is null or expires_at > {as_of}) order by id"
)
_HOLDS_BY_BOTH = _holds(
    "select id from holds indexed by holds_by_account_status where account_id = :account and status = :status"
    " and id > :low and id < :high and (status <> 'active' or expires_at is null or expires_at > {as_of}) order by id"
)
_HOLDS_EXPIRED = _holds(  # settled ones, and those that no writer has settled yet
    "select id from holds where status = 'expired' and id > :low and id < :high"
    " and (:account is null or account_id = :account)"
    " union all select id from holds where status = 'active' and expires_at <= {as_of} and id > :low and id < :high"
    " and (:account is null or account_id = :account) order by id"
)

_HOLD_NOW = f"select {load.HOLD_COLUMNS}, {_AS_OF} from holds where id = :hold"  # noqa: S608
_LAST_LINE = """select debits, credits, version from lines where account_id = ? and entry_id <= ?
    order by entry_id desc, position desc limit 1"""
_LAST_HELD = "select held from hold_events where account_id = ? and at <= ? order by at desc, id desc limit 1"
_DUE_OF_ACCOUNT = """select coalesce(sum(amount - captured - released), 0) from holds indexed by holds_due_by_account
    where account_id = ? and status = 'active' and expires_at is not null and expires_at <= ?"""


# The instant stands there twice rather than in a subselect, which SQLite would write to a table of its own first.
_STANDING_NOW = f"""select debits, credits, version, max(?2, {load.LAST_AT}),
    iif(held = 0, 0, held - (
        select coalesce(sum(amount - captured - released), 0) from holds indexed by holds_due_by_account
        where account_id = accounts.id and status = 'active' and expires_at is not null
            and expires_at <= max(?2, {load.LAST_AT}))),
    accounts.currency, type
    from accounts, book where accounts.id = ?1"""  # noqa: S608


class Standing(NamedTuple):
    """What an account stood at: totals of its sides in minor units, and how many lines it had."""

    debits: int
    credits: int
    version: int


class StandingNow(NamedTuple):
    """What an account stands at, as of an instant that is not behind the book's last; amounts in minor units."""

    debits: int
    credits: int
    version: int
    as_of: int
    held: int
    currency: str
    type: str


def accounts(
    connection: apsw.Connection,
    span: Range,
    *,
    type: str | None,
    code: str | None,
    code_prefix: str | None,
    closed: bool | None,
) -> list[Account]:
    """Load a page of accounts."""
    beyond = _beyond(code_prefix or "")
    if code is not None:
        walk = _ACCOUNTS_BY_CODE
    elif code_prefix is not None and beyond is not None and _are_few(connection, code_prefix, beyond):
        walk = _ACCOUNTS_BY_PREFIX
    else:
        walk = _ACCOUNTS if type is None else _ACCOUNTS_BY_TYPE
    bindings = {"type": type, "code": code, "prefix": code_prefix, "beyond": beyond, "closed": closed}
    return [load.account_record(row) for row in _page(connection, walk, span, bindings)]


def entries(
    connection: apsw.Connection, span: Range, *, account: int | None, hold: int | None, key: str | None
) -> list[ListedEntry]:
    """Load a page of entries."""
    if key is not None:
        walk = _ENTRIES_BY_KEY
    elif hold is not None:
        walk = _ENTRIES_BY_HOLD
    else:
        walk = _ENTRIES if account is None else _ENTRIES_BY_ACCOUNT
    bindings = {"account": account, "hold": hold, "key": key}
    return load.listed_entries(_page(connection, walk, span, bindings))


def holds(
    connection: apsw.Connection, span: Range, *, account: int | None, status: HoldStatus | None, now: int
) -> list[tuple[Hold, int]]:
    """Load a page of holds, as they are written, by the status that they have as of an instant; each with it."""
    if status is HoldStatus.EXPIRED:
        walk = _HOLDS_EXPIRED
    elif status is None:
        walk = _HOLDS if account is None else _HOLDS_BY_ACCOUNT
    else:
        walk = _HOLDS_BY_STATUS if account is None else _HOLDS_BY_BOTH
    bindings = {"account": account, "status": status, "now": now}
    return [(load.hold_record(row[:-1]), row[-1]) for row in _page(connection, walk, span, bindings)]


def hold_now(connection: apsw.Connection, hold_id: int, now: int) -> tuple[Hold, int] | None:
    """Load a hold as it is written, and the instant as of which it is read."""
    row = connection.execute(_HOLD_NOW, {"hold": hold_id, "now": now}).fetchone()
    return None if row is None else (load.hold_record(row[:-1]), row[-1])


def entries_between(connection: apsw.Connection, posted_from: int | None, posted_before: int | None) -> tuple[int, int]:
    """Return the range of ids, both ends exclusive, of the entries posted in a time: ids and times rise together."""
    low, high = 0, ID_MAX
    if posted_from is not None:
        low = times.first_entry_from(connection, posted_from) - 1
    if posted_before is not None:
        high = times.first_entry_from(connection, posted_before)
    return low, high


def standing_now(connection: apsw.Connection, account_id: int, now: int) -> StandingNow | None:
    """Load what an account stands at, expired holds not counted; None when there is no such account."""
    row = connection.execute(_STANDING_NOW, (account_id, now)).fetchone()
    return None if row is None else StandingNow._make(row)


def standing(connection: apsw.Connection, account_id: int, at: int) -> Standing:
    """Load what an account stood at, at an instant, with what was posted at that very instant."""
    until = times.last_entry_until(connection, at)
    row = connection.execute(_LAST_LINE, (account_id, until)).fetchone()
    return Standing(0, 0, 0) if row is None else Standing._make(row)


def held(connection: apsw.Connection, account_id: int, at: int) -> int:
    """Load what an account had on hold at an instant, in minor units, expired holds not counted."""
    row = connection.execute(_LAST_HELD, (account_id, at)).fetchone()
    if row is None:
        return 0
    ((due,),) = connection.execute(_DUE_OF_ACCOUNT, (account_id, at))  # expired by then, and not settled yet
    return int(row[0]) - int(due)


def _are_few(connection: apsw.Connection, prefix: str, beyond: str) -> bool:
    """Tell whether so few codes begin so that putting their ids in order costs less than to walk past all others."""
    row = connection.execute(_ARE_FEW, {"prefix": prefix, "beyond": beyond, "few": FEW}).fetchone()
    return bool(row and row[0])


def _beyond(prefix: str) -> str | None:
    """Return the first text after all that begin with a prefix, in the order of code points, which is SQLite's."""
    kept = prefix.rstrip(chr(sys.maxunicode))
    if not kept:
        return None
    last = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if last == 0xD800 else last)  # between them lie surrogates, which no text has


def _page(connection: apsw.Connection, walk: _Walk, span: Range, bindings: dict[str, Any]) -> list[list[Any]]:
    sql = walk.down if span.descending else walk.up
    values = {**bindings, "low": span.low, "high": span.high, "limit": span.limit}
    row = connection.execute(sql, values).fetchone()
    assert row is not None, "an aggregate has a row"
    rows: list[list[Any]] = from_json(row[0], cache_strings="none")  # few come twice
    return rows
