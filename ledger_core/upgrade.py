"""Bringing every file of a data folder up to date at once, rather than each when it is first touched."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import inbox_path
from ledger_core.orgs import Registry, registry_path
from ledger_core.set_aside import set_aside_path
from ledger_core.store.book import Book, book_path
from ledger_core.store.connection import Connection, open_writer
from ledger_core.store.migrate import copy_path
from ledger_core.store.versions import FileKind, newest


class Upgraded(NamedTuple):
    """What became of a file: its schema version before and now, and the copy of what it was; or what is wrong with it.

    `name` is that of the file, or the slug of the org whose book it is. `copy` is None when it was up to date.
    """

    name: str
    before: int | None
    now: int | None
    copy: Path | None
    problem: str | None


def upgrade(folder: Path) -> Iterator[Upgraded]:
    """Bring all files of a ledger up to date, every org's book too, one after the other. Safe while the ledger runs.

    A file that can't be brought up to date stays as it was, and the others go on.

    Raises:
        StorageUnavailable: the registry can't be used.
    """
    registry, inbox = registry_path(folder), inbox_path(folder)
    yield _touched("registry", registry, FileKind.REGISTRY, partial(open_writer, registry, FileKind.REGISTRY))
    if inbox.exists():
        yield _touched("inbox", inbox, FileKind.INBOX, partial(open_writer, inbox, FileKind.INBOX))
    aside = set_aside_path(folder)
    if aside.exists():
        yield _touched("set_aside", aside, FileKind.SET_ASIDE, partial(open_writer, aside, FileKind.SET_ASIDE))
    for slug in _slugs(folder):
        yield _touched(slug, book_path(folder, slug), FileKind.BOOK, partial(_book, folder, slug))


def _book(folder: Path, slug: str) -> Connection:
    return Book.open_writer(folder, slug).connection


def _slugs(folder: Path) -> list[str]:
    registry = Registry.open_reader(folder)
    try:
        return [org.slug for org in registry.orgs()]
    finally:
        registry.close()


def _touched(name: str, path: Path, kind: FileKind, open_: Callable[[], Connection]) -> Upgraded:
    try:
        with closing(open_()) as connection:
            before = connection.migrated_from
    except StorageUnavailable as error:
        return Upgraded(name, None, None, None, str(error))
    if before is None:
        return Upgraded(name, newest(kind), newest(kind), None, None)
    return Upgraded(name, before, newest(kind), copy_path(path, before), None)
