"""The rows of the registry."""

from typing import NamedTuple

import apsw

_KEYS_OF_ORG_OR_NEXT = """
select org, id, digest, scope, created_at, revoked_at from api_keys where revoked_at is null and org = coalesce(
  (select slug from orgs where slug >= ? order by slug limit 1),
  (select slug from orgs order by slug limit 1)
)"""


class OrgRow(NamedTuple):
    """An org."""

    slug: str
    name: str
    currency: str
    created_at: int


class KeyRow(NamedTuple):
    """An API key: SHA-256 of it, and what it may do."""

    org: str
    id: str
    digest: bytes
    scope: str
    created_at: int
    revoked_at: int | None


def add_org(connection: apsw.Connection, row: OrgRow) -> bool:
    """Save an org; False when its slug is taken."""
    connection.execute(
        "insert into orgs (slug, name, currency, created_at) values (?, ?, ?, ?) on conflict do nothing", row
    )
    return connection.changes() == 1


def org(connection: apsw.Connection, slug: str) -> OrgRow | None:
    """Load an org."""
    row = connection.execute("select slug, name, currency, created_at from orgs where slug = ?", (slug,)).fetchone()
    return None if row is None else OrgRow._make(row)


def orgs(connection: apsw.Connection) -> list[OrgRow]:
    """Load all orgs, by slug."""
    return [OrgRow._make(row) for row in connection.execute(
        "select slug, name, currency, created_at from orgs order by slug")]  # fmt: skip


def add_key(connection: apsw.Connection, row: KeyRow) -> None:
    """Save a key."""
    connection.execute(
        "insert into api_keys (org, id, digest, scope, created_at, revoked_at) values (?, ?, ?, ?, ?, ?)", row
    )


def keys(connection: apsw.Connection, slug: str) -> list[KeyRow]:
    """Load all keys of an org, the oldest first."""
    return [KeyRow._make(row) for row in connection.execute(
        "select org, id, digest, scope, created_at, revoked_at from api_keys where org = ?"
        " order by created_at, id", (slug,))]  # fmt: skip


def working_keys_of_org_or_next(connection: apsw.Connection, slug: str) -> list[KeyRow]:
    """Load the keys of an org that still work, or of the next one in order when it is not there, by the same steps."""
    return [KeyRow._make(row) for row in connection.execute(_KEYS_OF_ORG_OR_NEXT, (slug,))]


def revoke_key(connection: apsw.Connection, slug: str, key_id: str, now: int) -> bool:
    """Save that a key is revoked; False when there is none that still works."""
    connection.execute(
        "update api_keys set revoked_at = ? where org = ? and id = ? and revoked_at is null", (now, slug, key_id)
    )
    return connection.changes() == 1
