"""A registry that loses its power: no org without its book, no key lost, and none that works again."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ledger_core.orgs import KeyInfo, NewKey, OrgExists, Registry, Scope, digest
from ledger_core.store.book import Book
from ledger_core.verify import verify
from tests.crash.disk import Answered, Submitted
from tests.crash.recording import Recording
from tests.ledger_core.builders import NOON

DATA = "data"  # below the folder that is recorded: that it was made is recorded, too


class Seen(NamedTuple):
    """What a registry held after a step."""

    orgs: list[str]
    keys: dict[str, list[KeyInfo]]


class BusyRegistry:
    """Makes orgs, makes keys and revokes them, and knows what was there after each step. Step 0: an empty registry."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.made: list[tuple[int, NewKey]] = []  # each with its step
        self.revoked: list[tuple[int, NewKey]] = []
        self._orgs = 0

    def run(self, record: Recording, orgs: int) -> None:
        """Do it, in a data folder that is not there yet, each step as `ledgerctl` does: it opens, writes and exits."""
        folder = record.root / DATA
        self._step(record, folder, lambda registry: None)
        self._orgs = orgs
        for number in range(1, orgs + 1):
            slug = f"org-{number}"
            self._step(record, folder, lambda registry: self._made(self._create(registry, slug)))  # noqa: B023
            for scope in Scope:
                self._step(
                    record,
                    folder,
                    lambda registry: self._made(registry.create_key(slug, scope, now=NOON)),  # noqa: B023
                )
            self._step(record, folder, self._revoke_last)

    def check(self, folder: Path, answered: int, submitted: int) -> None:
        """Check what power loss left: what was answered is there, and what was under way is there or can be done."""
        registry = Registry.open_writer(folder / DATA)
        try:
            now = _seen(registry)
            assert now in self.seen[max(answered, 0) : submitted + 1], "the registry is as it never was"
            for step, new in self.made:
                if step <= answered:
                    gone = any(step <= answered and other == new for step, other in self.revoked)
                    found = registry.scope_of(new.org, digest(new.api_key))
                    assert found == (None if gone else new.scope) or self._may_be_revoked(new, answered, submitted)
            for slug in now.orgs:
                self._book_is_there(folder / DATA, slug)
            self._goes_on(registry, folder / DATA)
        finally:
            registry.close()

    def _may_be_revoked(self, new: NewKey, answered: int, submitted: int) -> bool:
        return any(answered < step <= submitted and other == new for step, other in self.revoked)

    @staticmethod
    def _book_is_there(folder: Path, slug: str) -> None:
        book = Book.open_writer(folder, slug)
        try:
            assert verify(book).findings == []
        finally:
            book.close()

    def _goes_on(self, registry: Registry, folder: Path) -> None:
        """What was under way can be asked for again, and something new, too."""
        for slug in (f"org-{number}" for number in range(1, self._orgs + 2)):
            try:
                new = self._create(registry, slug)
            except OrgExists:
                continue
            assert registry.scope_of(slug, digest(new.api_key)) is Scope.FULL
            self._book_is_there(folder, slug)
            return

    def _step(self, record: Recording, folder: Path, do: Callable[[Registry], object]) -> None:
        record.note(Submitted(len(self.seen)))
        registry = Registry.open_writer(folder)
        do(registry)
        self.seen.append(_seen(registry))
        record.note(Answered(len(self.seen) - 1))
        registry.close()

    @staticmethod
    def _create(registry: Registry, slug: str) -> NewKey:
        return registry.create_org(slug, name=None, currency="EUR", now=NOON)

    def _made(self, new: NewKey) -> None:
        self.made.append((len(self.seen), new))

    def _revoke_last(self, registry: Registry) -> None:
        _, new = self.made[-1]
        registry.revoke_key(new.org, new.key_id, now=NOON + 1)
        self.revoked.append((len(self.seen), new))


def _seen(registry: Registry) -> Seen:
    slugs = [org.slug for org in registry.orgs()]
    return Seen(slugs, {slug: registry.keys(slug) for slug in slugs})
