"""Who is calling: an org and an API key of it."""

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from intake import problems
from ledger_core.errors import StorageUnavailable
from ledger_core.orgs import SLUG, Registry, Scope, digest

CACHE_S = 2.0  # who was let in is let in for so long after the registry was last looked at; the contract allows 5 s
RENEW_EVERY_S = 0.5  # it is looked at so often, by a thread of its own
GRACE_S = 3.0  # longer, where the registry can't be read: what is left of those 5 s
SOON_S = 0.05  # in which a request that was read is served; only a thread that may be held up looks into the registry
CACHE_KEYS_MAX = 10_000
API_KEY_CHARS_MAX = 255


class Caller(NamedTuple):
    """An org that has shown a key that works."""

    org: str
    scope: Scope


class Recognized(NamedTuple):
    """What is remembered of a caller: that it was let in once, and that it would be now and soon."""

    was_let_in: bool
    is_let_in: bool


class Doorkeeper:
    """Checks keys against the registry. Any thread may use it.

    Who was let in is remembered for as long as nothing is committed to the registry: a look at that is one look,
    however many are remembered.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._registry: Registry | None = None
        self._state: int | None = None  # of the registry, from which all that is known comes
        self._known: dict[tuple[str, bytes], Caller] = {}
        self._known_until_s = 0.0
        self._let_in: dict[tuple[str, bytes], None] = {}  # at any time, the one for the longest first

    def caller(self, slug: str | None, api_key: str | None) -> Caller:
        """Return who is calling.

        Raises:
            Rejected: unauthorized, with the same answer whatever is wrong.
            StorageUnavailable: the registry can't be read.
        """
        if slug is None or api_key is None or len(api_key) > API_KEY_CHARS_MAX:
            raise problems.unauthorized()
        key_digest = digest(api_key)
        known_until_s = self._known_until_s  # first: who is forgotten meanwhile must not pass by the time that follows
        known = self._known.get((slug, key_digest))
        if known is not None and known_until_s > time.monotonic():
            return known
        if not SLUG.fullmatch(slug):
            raise problems.unauthorized()
        return self._look_up(slug, key_digest)

    def recognized(self, slug: str | None, api_key: str | None) -> Recognized:
        """Tell what is remembered of a caller, without looking into the registry."""
        if slug is None or api_key is None or len(api_key) > API_KEY_CHARS_MAX:
            return Recognized(was_let_in=False, is_let_in=False)
        name = slug, digest(api_key)
        is_let_in = name in self._known and self._known_until_s > time.monotonic() + SOON_S
        return Recognized(is_let_in or name in self._let_in, is_let_in)

    def renew(self) -> None:
        """Look whether what is remembered still holds. A registry that can't be read is left to those who call."""
        with self._lock, suppress(StorageUnavailable):
            self._renew()

    def check(self) -> None:
        """Check that the registry can be read.

        Raises:
            StorageUnavailable: it can't.
        """
        with self._lock:
            self._renew()

    def _look_up(self, slug: str, key_digest: bytes) -> Caller:
        name = slug, key_digest
        with self._lock:
            try:
                registry = self._renew() if self._known_until_s <= time.monotonic() else self._open()
                if name in self._known:
                    return self._known[name]
                scope = registry.scope_of(slug, key_digest)
            except StorageUnavailable:
                self._close()  # the next request finds it healed, if it is
                if name in self._known and time.monotonic() < self._known_until_s + GRACE_S:
                    return self._known[name]
                raise
            if scope is None:
                raise problems.unauthorized()
            if len(self._known) >= CACHE_KEYS_MAX:
                self._known.clear()
            caller = self._known[name] = Caller(slug, scope)
            self._let_in[name] = None
            if len(self._let_in) > CACHE_KEYS_MAX:
                del self._let_in[next(iter(self._let_in))]
        return caller

    def _renew(self) -> Registry:
        """Forget all if anything was committed since, and remember from now on."""
        now_s = time.monotonic()
        try:
            registry = self._open()
            state = registry.state()
        except StorageUnavailable:
            self._close()
            raise
        if state != self._state:
            self._known = {}
            self._state = state
        self._known_until_s = now_s + CACHE_S
        return registry

    def _open(self) -> Registry:
        if self._registry is not None and self._registry.was_replaced():
            self._close()  # a key that was revoked in the new one must not work by the old one
        if self._registry is None:
            self._registry = Registry.open_reader(self._folder)
            self._state = None
        return self._registry

    def _close(self) -> None:
        if self._registry is not None:
            self._registry.close()
            self._registry = None
