"""Who is calling: an org and an API key of it."""

import threading
import time
from pathlib import Path
from typing import NamedTuple

from intake import problems
from ledger_core.errors import StorageUnavailable
from ledger_core.orgs import SLUG, Registry, Scope, digest

CACHE_S = 2.0  # a revoked key fails within this; the contract allows 5 s
GRACE_S = 3.0  # longer, where the registry can't be read: what is left of those 5 s
SOON_S = 0.05  # in which a request that was read is served; only a thread that may be held up looks into the registry
CACHE_KEYS_MAX = 10_000
API_KEY_CHARS_MAX = 255


class Caller(NamedTuple):
    """An org that has shown a key that works."""

    org: str
    scope: Scope


class Doorkeeper:
    """Checks keys against the registry. Any thread may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._registry: Registry | None = None
        self._known: dict[tuple[str, bytes], tuple[Caller, float]] = {}

    def caller(self, slug: str | None, api_key: str | None) -> Caller:
        """Return who is calling.

        Raises:
            Rejected: unauthorized, with the same answer whatever is wrong.
            StorageUnavailable: the registry can't be read.
        """
        if slug is None or api_key is None or len(api_key) > API_KEY_CHARS_MAX:
            raise problems.unauthorized()
        key_digest = digest(api_key)
        known = self._known.get((slug, key_digest))
        if known is not None and known[1] > time.monotonic():
            return known[0]
        if not SLUG.fullmatch(slug):
            raise problems.unauthorized()
        return self._look_up(slug, key_digest)

    def remembers(self, slug: str | None, api_key: str | None) -> bool:
        """Tell whether a caller can be let in, now and soon, without looking into the registry."""
        if slug is None or api_key is None or len(api_key) > API_KEY_CHARS_MAX:
            return False
        known = self._known.get((slug, digest(api_key)))
        return known is not None and known[1] > time.monotonic() + SOON_S

    def check(self) -> None:
        """Check that the registry can be read.

        Raises:
            StorageUnavailable: it can't.
        """
        with self._lock:
            try:
                self._open().org("")
            except StorageUnavailable:
                self._close()
                raise

    def _look_up(self, slug: str, key_digest: bytes) -> Caller:
        valid_until = time.monotonic() + CACHE_S
        with self._lock:
            try:
                scope = self._open().scope_of(slug, key_digest)
            except StorageUnavailable:
                self._close()  # the next request finds it healed, if it is
                caller, known_until_s = self._known.get((slug, key_digest), (None, 0.0))
                if caller is not None and time.monotonic() < known_until_s + GRACE_S:
                    return caller
                raise
        if scope is None:
            raise problems.unauthorized()
        caller = Caller(slug, scope)
        if len(self._known) >= CACHE_KEYS_MAX:
            self._known.clear()
        self._known[slug, key_digest] = caller, valid_until
        return caller

    def _open(self) -> Registry:
        if self._registry is not None and self._registry.was_replaced():
            self._close()  # a key that was revoked in the new one must not work by the old one
        if self._registry is None:
            self._registry = Registry.open_reader(self._folder)
        return self._registry

    def _close(self) -> None:
        if self._registry is not None:
            self._registry.close()
            self._registry = None
