"""Finding entries by time. Ids and times rise together, so the first of a time is found by halving the ids.

Instants are microseconds since 1970-01-01T00:00:00Z.
"""

import apsw

# Of each range of ids, the entry in its middle says in which half the first one is that was posted by then.
_FIRST_FROM = """with recursive halves (low, high) as (
        select 0, (select coalesce(max(id), 0) + 1 from entries)
        union all
        select iif(posted_at < :at, id, low), iif(posted_at < :at, high, id)
            from halves cross join entries on id = (low + high) / 2 where high - low > 1)
    select min(high) from halves"""


def first_entry_from(connection: apsw.Connection, at: int) -> int:
    """Return the id of the first entry posted at an instant or after it; the next id, if there is none."""
    ((entry_id,),) = connection.execute(_FIRST_FROM, {"at": at})
    return int(entry_id)


def last_entry_until(connection: apsw.Connection, at: int) -> int:
    """Return the id of the last entry posted at an instant or before it; 0, if there is none."""
    return first_entry_from(connection, at + 1) - 1
