"""Loading what reports are made of: an account's lines in a time, and what all accounts stood at."""

from typing import Any, NamedTuple

import apsw
from pydantic_core import from_json

from ledger_core.limits import LINES_PER_ENTRY_MAX
from ledger_core.store import times

PLACE_FACTOR = 512  # a line's place in its account's history is one number: entry times this, plus position

assert LINES_PER_ENTRY_MAX <= PLACE_FACTOR, "a position must fit its part of a place"

_LINES = """select json_group_array(json_array(entry_id * 512 + position, entry_id, posted_at, description,
    debit, credit, version, debits, credits) order by entry_id, position)
    from (select entry_id, position, debit, credit, version, debits, credits
        from lines indexed by lines_by_account
        where account_id = :account and (entry_id, position) > (:place / 512, :place % 512) and entry_id < :high
        order by entry_id, position limit :limit)
    join entries on entries.id = entry_id"""
_STANDINGS = """select json_group_array(json_array(accounts.id, code, name, type, currency,
    coalesce(last.debits, 0), coalesce(last.credits, 0)) order by accounts.id)
    from accounts left join lines as last on (last.entry_id, last.position) = (
        select entry_id, position from lines indexed by lines_by_account
        where account_id = accounts.id and entry_id <= :until order by entry_id desc, position desc limit 1)
    where accounts.created_at <= :at"""


class LineRow(NamedTuple):
    """A line of an account. `place` orders it among all of them; amounts in minor units."""

    place: int
    entry_id: int
    posted_at: int
    description: str | None
    debit: int
    credit: int
    version: int
    debits: int
    credits: int


class StandingRow(NamedTuple):
    """What an account stood at; totals of its sides in minor units."""

    account_id: int
    code: str | None
    name: str
    type: str
    currency: str
    debits: int
    credits: int


def place_after_entry(entry_id: int) -> int:
    """Return a place that lies after every line of an entry, and before those of the next one."""
    return entry_id * PLACE_FACTOR + PLACE_FACTOR - 1


def lines(connection: apsw.Connection, account_id: int, *, after: int, before_entry: int, limit: int) -> list[LineRow]:
    """Load a page of an account's lines: those after a place, of entries before an id."""
    values = {"account": account_id, "place": after, "high": before_entry, "limit": limit}
    return [LineRow._make(row) for row in _whole(connection, _LINES, values)]


def standings(connection: apsw.Connection, at: int) -> list[StandingRow]:
    """Load what every account stood at, at an instant, of those that existed; one seek for each."""
    values = {"until": times.last_entry_until(connection, at), "at": at}
    return [StandingRow._make(row) for row in _whole(connection, _STANDINGS, values)]


def _whole(connection: apsw.Connection, sql: str, values: dict[str, Any]) -> list[list[Any]]:
    ((text,),) = connection.execute(sql, values)
    rows: list[list[Any]] = from_json(str(text))
    return rows
