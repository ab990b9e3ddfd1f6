"""Outages: orgs whose books can't be used are set aside, looked at now and then, and served again when they are well.

While an org is set aside its commands are answered at once, so that it costs the others of its lane nothing.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import apsw

from ledger_core.errors import StorageUnavailable
from ledger_core.instants import now_us
from ledger_core.orgs import is_registered
from ledger_core.set_aside import SetAside
from ledger_core.store.book import book_path
from ledger_core.store.probe import Signature, check_book, signature, try_book

logger = logging.getLogger("ledger.workers")

LOOK_AGAIN_S_MIN = 0.5  # after an org was set aside; then twice as long each time,
LOOK_AGAIN_S_MAX = 8.0  # up to this: so long at most it stays set aside when its book is well again
RELAPSE_S = 60.0  # an org that fails again so soon is not looked at as often as one that fails for the first time
NOTED_EVERY_S = 5.0  # how often what other workers noted is looked at, such as those that ended
PULSE_S = 0.25
SUSPECT_EVERY_S = 60.0  # a whole book is not read more often than this after a fault of ours in it


class _Outage:
    def __init__(self, cause: str, look_at_s: float, wait_s: float, *, is_damaged: bool) -> None:
        self.cause = cause
        self.look_at_s = look_at_s
        self.wait_s = wait_s
        self.is_damaged = is_damaged
        self.is_noted = False
        self.seen: Signature | None = None  # the damaged file, as it was when it was last read


class Outages:
    """The orgs of a data folder that this worker has set aside. Any thread may use it."""

    def __init__(self, folder: Path, aside: SetAside, is_ours: Callable[[str], bool] = lambda org: True) -> None:
        self._folder = folder
        self._aside = aside
        self._is_ours = is_ours
        self._lock = threading.Lock()
        self._out: dict[str, _Outage] = {}
        self._begun: dict[str, int] = {}  # how often each org was set aside
        self._ended: dict[str, tuple[float, float]] = {}  # when, and after how long a wait
        self._suspects: dict[str, float] = {}  # when each may be suspected again
        self._to_check: set[str] = set()
        self._noted_at_s = float("-inf")
        self._can_note = True

    def check(self, org: str) -> None:
        """Pass for an org that is not set aside.

        Raises:
            StorageUnavailable: it is; with the cause.
        """
        outage = self._out.get(org)
        if outage is not None:
            raise StorageUnavailable(f"{org}: set aside: {outage.cause}")

    def begun(self, org: str) -> int:
        """Return how often an org was set aside: a book that was opened before it last was is not to be used."""
        return self._begun.get(org, 0)

    def begin(self, org: str, error: StorageUnavailable) -> None:
        """Set an org aside whose book can't be used."""
        is_damaged = isinstance(error.__cause__, apsw.CorruptError)
        now_s = time.monotonic()
        with self._lock:
            ended_at_s, wait_s = self._ended.pop(org, (float("-inf"), 0.0))
            relapsed = now_s - ended_at_s < RELAPSE_S
            wait_s = min(wait_s * 2, LOOK_AGAIN_S_MAX) if relapsed else LOOK_AGAIN_S_MIN
            self._begun[org] = self.begun(org) + 1
            self._out[org] = _Outage(str(error), now_s + wait_s, wait_s, is_damaged=is_damaged)
        logger.error("set aside %s, whose book can't be used: %s", org, error)

    def suspect(self, org: str) -> None:
        """Have an org's book read for damage: something in it met a fault of ours, or of the file."""
        now_s = time.monotonic()
        with self._lock:
            if self._suspects.get(org, 0.0) <= now_s:
                self._suspects[org] = now_s + SUSPECT_EVERY_S
                self._to_check.add(org)

    def look_once(self) -> None:
        """Look at those that are due; serve those again that are well; note for others how it stands."""
        now_s = time.monotonic()
        self._check_suspects()
        if now_s >= self._noted_at_s + NOTED_EVERY_S:
            self._noted_at_s = now_s
            self._take_over()
        for org, outage in list(self._out.items()):
            if now_s >= outage.look_at_s:
                self._look(org, outage)
            if org in self._out and not outage.is_noted:
                outage.is_noted = self._note(partial(self._aside.begin_outage, org, outage.cause, now_us()))
        with self._lock:
            self._ended = {org: ended for org, ended in self._ended.items() if now_s - ended[0] < RELAPSE_S}
            self._suspects = {org: until_s for org, until_s in self._suspects.items() if until_s > now_s}

    def keep_looking(self) -> None:
        """Look, and look again, in a thread of its own, which ends with the process."""

        def run() -> None:
            while True:
                try:
                    self.look_once()
                except Exception:
                    logger.exception("a bug in looking at books")
                time.sleep(PULSE_S)

        threading.Thread(target=run, name="outages", daemon=True).start()

    def _look(self, org: str, outage: _Outage) -> None:
        try:
            self._try(org, outage)
        except StorageUnavailable as error:
            outage.wait_s = min(outage.wait_s * 2, LOOK_AGAIN_S_MAX)
            outage.look_at_s = time.monotonic() + outage.wait_s
            if str(error) != outage.cause:
                outage.cause, outage.is_noted = str(error), False
            return
        with self._lock:
            self._out.pop(org, None)
            self._ended[org] = time.monotonic(), outage.wait_s
        logger.warning("the book of %s can be used again", org)
        self._note(partial(self._aside.end_outage, org))

    def _try(self, org: str, outage: _Outage) -> None:
        """Raise StorageUnavailable if the book is no better. A damaged one is read whole, once for each state of it."""
        if outage.is_damaged:
            seen = signature(self._folder, org)
            if seen == outage.seen:
                raise StorageUnavailable(outage.cause)
            try:
                check_book(self._folder, org)
            except StorageUnavailable:
                outage.seen = signature(self._folder, org)
                raise
        if book_path(self._folder, org).exists() or is_registered(self._folder, org):
            try_book(self._folder, org, now_us())

    def _check_suspects(self) -> None:
        with self._lock:
            orgs, self._to_check = self._to_check, set()
        for org in orgs:
            if org in self._out:
                continue
            try:
                check_book(self._folder, org)
            except StorageUnavailable as error:
                self.begin(org, error)
                self._out[org].is_damaged = True

    def _take_over(self) -> None:
        """Look at the orgs of our lanes that somebody noted: a worker that has ended since, or an intake."""
        try:
            noted = self._aside.outages()
        except StorageUnavailable:
            return
        for outage in noted:
            if outage.org not in self._out and self._is_ours(outage.org):
                found = _Outage(outage.cause, 0.0, LOOK_AGAIN_S_MIN, is_damaged=True)
                found.is_noted = True
                try:
                    self._try(outage.org, found)
                    self._note(partial(self._aside.end_outage, outage.org))
                except StorageUnavailable as error:
                    self.begin(outage.org, error)
                    self._out[outage.org].is_damaged = isinstance(error.__cause__, apsw.CorruptError)

    def _note(self, write: Callable[[], None]) -> bool:
        """Write down how it stands, for health, metrics and `ledgerctl`; say once if that can't be done."""
        try:
            write()
        except StorageUnavailable as error:
            if self._can_note:
                logger.error("can't note which orgs are set aside: %s", error)
            self._can_note = False
            return False
        self._can_note = True
        return True
