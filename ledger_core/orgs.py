"""The registry of orgs and their API keys, of which only digests are kept."""

import hashlib
import hmac
import re
import secrets
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ledger_core.errors import OrgNotFound, StorageUnavailable
from ledger_core.money import CURRENCY_DEFAULT, CURRENCY_PATTERN
from ledger_core.store import files
from ledger_core.store import orgs as rows
from ledger_core.store.book import Book
from ledger_core.store.connection import Connection, open_reader, open_writer, storage_errors, transaction
from ledger_core.store.orgs import OrgRow as Org
from ledger_core.store.private import data_folder
from ledger_core.store.versions import FileKind

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
KEY_BYTES = 32  # 256 random bits: nothing to guess, so a plain digest is enough


class Scope(StrEnum):
    """What a key may do."""

    FULL = "full"
    READ_ONLY = "read-only"


class NewKey(NamedTuple):
    """A key, shown this once."""

    org: str
    key_id: str
    api_key: str
    scope: Scope


class KeyInfo(NamedTuple):
    """What may be told of a key."""

    key_id: str
    scope: Scope
    created_at: int
    revoked_at: int | None


class OrgExists(Exception):
    """The slug is taken."""


class InvalidOrg(ValueError):
    """The slug or the currency is not what it must be."""


class KeyNotFound(Exception):
    """The org has no such key that still works."""


class Registry:
    """The registry of a data folder. One thread at a time may use it."""

    def __init__(self, folder: Path, connection: Connection) -> None:
        self._folder = folder
        self._connection = connection
        self._file = _identity(registry_path(folder))

    @classmethod
    def open_writer(cls, folder: Path) -> "Registry":
        """Open the registry of a data folder to change it; both are made when they are not there.

        Raises:
            StorageUnavailable: it can't be opened, or is missing though there are books: an empty one in its place
                would tell every caller that its key is wrong.
        """
        path = registry_path(folder)
        with storage_errors("registry"):
            data_folder(folder)
            if not path.exists() and any((folder / "books").glob("*.db")):
                raise StorageUnavailable("registry: it is missing, though there are books; put it back from a backup")
            files.make_file(path)
        return cls(folder, open_writer(path, FileKind.REGISTRY, create=True))

    @classmethod
    def open_reader(cls, folder: Path) -> "Registry":
        """Open the registry of a data folder to read it.

        Raises:
            StorageUnavailable: it is missing or can't be opened.
        """
        return cls(folder, open_reader(registry_path(folder), FileKind.REGISTRY))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def was_replaced(self) -> bool:
        """Tell whether another file lies in its place by now, such as one from a backup."""
        return _identity(registry_path(self._folder)) != self._file

    def state(self) -> int:
        """Return a number of the state that the file is in: another one once anything is committed elsewhere.

        It is that of this connection, and means nothing to another one.
        """
        with storage_errors("registry"):
            rows.org(self._connection, "")  # SQLite looks for what was committed when it reads
            return self._connection.data_version()

    def create_org(self, slug: str, *, name: str | None, currency: str | None, now: int) -> NewKey:
        """Create an org with its empty book, and its first key, which may do everything.

        Raises:
            InvalidOrg: the slug or the currency is malformed, or the org's book is there and keeps another currency.
            OrgExists: the slug is taken.
            StorageUnavailable: the data folder can't be written.
        """
        currency = currency or CURRENCY_DEFAULT
        if not SLUG.fullmatch(slug):
            raise InvalidOrg(f"{slug!r} is no slug: 1 to 63 of a-z, 0-9 and -, neither first nor last a -")
        if not re.fullmatch(CURRENCY_PATTERN, currency):
            raise InvalidOrg(f"{currency!r} is no currency: 3 to 12 of A-Z and 0-9")
        if self.org(slug) is not None:
            raise OrgExists(slug)
        found = Book.create(self._folder, slug, currency, now)  # first, so that a registered org always has its book
        if found != currency:
            raise InvalidOrg(f"a book of {slug} is there already, in {found}: create the org with that currency")
        with transaction(self._connection, "registry"):
            if not rows.add_org(self._connection, Org(slug, name or slug, currency, now)):
                raise OrgExists(slug)
            return self._add_key(slug, Scope.FULL, now)

    def org(self, slug: str) -> Org | None:
        """Return an org; None when there is none."""
        with storage_errors("registry"):
            return rows.org(self._connection, slug)

    def orgs(self) -> list[Org]:
        """Return all orgs, by slug."""
        with storage_errors("registry"):
            return rows.orgs(self._connection)

    def create_key(self, slug: str, scope: Scope, *, now: int) -> NewKey:
        """Create one more key of an org.

        Raises:
            OrgNotFound: there is no such org.
        """
        if self.org(slug) is None:
            raise OrgNotFound(slug)
        with transaction(self._connection, "registry"):
            return self._add_key(slug, scope, now)

    def keys(self, slug: str) -> list[KeyInfo]:
        """Return what may be told of an org's keys, the oldest first.

        Raises:
            OrgNotFound: there is no such org.
        """
        if self.org(slug) is None:
            raise OrgNotFound(slug)
        with storage_errors("registry"):
            found = rows.keys(self._connection, slug)
        return [KeyInfo(row.id, Scope(row.scope), row.created_at, row.revoked_at) for row in found]

    def revoke_key(self, slug: str, key_id: str, *, now: int) -> None:
        """Make a key fail, for good; servers notice within 5 seconds.

        Raises:
            OrgNotFound: there is no such org.
            KeyNotFound: the org has no such key that still works.
        """
        if self.org(slug) is None:
            raise OrgNotFound(slug)
        with transaction(self._connection, "registry"):
            if not rows.revoke_key(self._connection, slug, key_id, now):
                raise KeyNotFound(key_id)

    def _add_key(self, slug: str, scope: Scope, now: int) -> NewKey:
        key_id, api_key = secrets.token_hex(4), "ffl_" + secrets.token_urlsafe(KEY_BYTES)
        rows.add_key(self._connection, rows.KeyRow(slug, key_id, digest(api_key), scope, now, None))
        return NewKey(slug, key_id, api_key, scope)

    def scope_of(self, slug: str, key_digest: bytes) -> Scope | None:
        """Return what a key with this digest may do; None when the org has none that still works.

        Every working key of the org is compared, each in constant time. For an org that is not there another one's keys
        are loaded and compared, so that nobody can tell by the clock which orgs there are.
        """
        with storage_errors("registry"):
            found = rows.working_keys_of_org_or_next(self._connection, slug)
        scope = None
        for row in found:
            same = hmac.compare_digest(row.digest, key_digest)
            if same and row.org == slug:
                scope = Scope(row.scope)
        return scope


def is_registered(folder: Path, slug: str) -> bool:
    """Tell whether there is an org of that slug, whatever became of its book.

    Raises:
        StorageUnavailable: the registry can't be read.
    """
    registry = Registry.open_reader(folder)
    try:
        return registry.org(slug) is not None
    finally:
        registry.close()


def digest(api_key: str) -> bytes:
    """Return what is kept of a key: SHA-256 of it."""
    return hashlib.sha256(api_key.encode()).digest()


def _identity(path: Path) -> tuple[int, int]:
    with storage_errors("registry"):
        found = path.stat()
    return found.st_dev, found.st_ino


def registry_path(folder: Path) -> Path:
    """Return where the registry of a data folder lies."""
    return folder / "registry.db"
