"""The rows of what was set aside."""

from typing import NamedTuple

import apsw


class ItemRow(NamedTuple):
    """Something that could not be carried out."""

    form: str
    org: str | None
    kind: str | None
    operation_id: bytes | None
    submission: int | None
    request_id: str | None
    submitted_at: int | None
    lane: str | None
    body: bytes
    is_whole: int
    is_told: int
    cause: str
    digest: bytes
    first_at: int
    last_at: int
    times: int


class OutageRow(NamedTuple):
    """An org whose book can't be used."""

    org: str
    cause: str
    since: int
    seen_at: int


_KEEP = """insert into items
    (form, org, kind, operation_id, submission, request_id, submitted_at, lane, body, is_whole, is_told, cause, digest,
     first_at, last_at, times)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (digest) do update set cause = excluded.cause, last_at = excluded.last_at, times = times + 1,
      is_told = min(is_told, excluded.is_told), lane = coalesce(excluded.lane, lane)"""
_ITEMS = """select id, form, org, kind, operation_id, submission, request_id, submitted_at, lane, body, is_whole,
    is_told, cause, digest, first_at, last_at, times from items where id > ? order by id limit ?"""
_ITEM = """select id, form, org, kind, operation_id, submission, request_id, submitted_at, lane, body, is_whole,
    is_told, cause, digest, first_at, last_at, times from items where id = ?"""
_BY_OPERATION = """select id, form, org, kind, operation_id, submission, request_id, submitted_at, lane, body, is_whole,
    is_told, cause, digest, first_at, last_at, times from items where operation_id = ? order by id limit 1"""
# Who was told of a failure knows of it; what else came on a lane may be sent again; a command may have been promised.
_FIRST_TO_GO = "select id from items order by is_told desc, form = 'command', id limit 1"


def keep(connection: apsw.Connection, row: ItemRow) -> None:
    """Save something for an operator; what is there already is counted."""
    connection.execute(_KEEP, row)


def size(connection: apsw.Connection) -> tuple[int, int]:
    """Load how many items there are, and how many bytes their bodies take."""
    row = connection.execute("select count(*), coalesce(sum(length(body)), 0) from items").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def let_one_go(connection: apsw.Connection) -> None:
    """Delete the item that is the least loss, and count it."""
    connection.execute(f"delete from items where id = ({_FIRST_TO_GO})")  # noqa: S608  # no value is put in
    connection.execute("update let_go set items = items + 1")


def let_go(connection: apsw.Connection) -> int:
    """Load how many items made room for later ones."""
    return int(connection.execute("select items from let_go").get or 0)


def items(connection: apsw.Connection, after: int, limit: int) -> list[tuple[int, ItemRow]]:
    """Load a page of items, the oldest first, each with its number."""
    return [(row[0], ItemRow._make(row[1:])) for row in connection.execute(_ITEMS, (after, limit))]


def item(connection: apsw.Connection, number: int) -> ItemRow | None:
    """Load one item."""
    row = connection.execute(_ITEM, (number,)).fetchone()
    return None if row is None else ItemRow._make(row[1:])


def item_of(connection: apsw.Connection, operation_id: bytes) -> ItemRow | None:
    """Load the item of an operation."""
    row = connection.execute(_BY_OPERATION, (operation_id,)).fetchone()
    return None if row is None else ItemRow._make(row[1:])


def operation_ids(connection: apsw.Connection) -> set[bytes]:
    """Load the ids of all operations that were set aside."""
    return {row[0] for row in connection.execute("select operation_id from items where operation_id is not null")}


def drop(connection: apsw.Connection, number: int) -> bool:
    """Delete an item; False when there is none."""
    connection.execute("delete from items where id = ?", (number,))
    return connection.changes() == 1


def add_outage(connection: apsw.Connection, row: OutageRow) -> None:
    """Save that an org's book can't be used; since when stays as it was first said."""
    connection.execute(
        "insert into outages (org, cause, since, seen_at) values (?, ?, ?, ?)"
        " on conflict do update set cause = excluded.cause, seen_at = excluded.seen_at",
        row,
    )


def end_outage(connection: apsw.Connection, org: str) -> None:
    """Save that an org's book can be used again."""
    connection.execute("delete from outages where org = ?", (org,))


def outages(connection: apsw.Connection) -> list[OutageRow]:
    """Load all orgs whose books can't be used, by slug."""
    return [OutageRow._make(row) for row in connection.execute(
        "select org, cause, since, seen_at from outages order by org")]  # fmt: skip
