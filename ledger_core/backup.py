"""A copy of a ledger while it runs: each file is one state of it, and together they lose nothing that was answered.

The order is what makes them fit together. A write leaves the inbox once it is in its book, and an org is in the
registry once it has its book: whatever rests on another file is copied before it. See docs/operations.md.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from ledger_core.errors import OrgNotFound, StorageUnavailable
from ledger_core.inbox import inbox_path
from ledger_core.instants import format_instant, now_us
from ledger_core.orgs import Registry, registry_path
from ledger_core.set_aside import set_aside_path
from ledger_core.store import copying, files, scan
from ledger_core.store.book import Book, book_path
from ledger_core.store.connection import Connection, open_reader, storage_errors
from ledger_core.store.private import data_folder, private_folder
from ledger_core.store.versions import FileKind, newest
from ledger_core.verify import Finding, Report, verify

MANIFEST = "backup.json"  # comes last: a folder without one is no backup
FINDINGS_MAX = 3  # of a copy that is not right: `ledgerctl verify` tells all of them


class TargetUnusable(Exception):
    """The folder that was to become a backup has something in it already, or can't be made or written."""


class Copied(NamedTuple):
    """What became of a file: the proof of its copy, if it is a book, or why there is no copy.

    `name` is that of the file, or the slug of the org whose book it is.
    """

    name: str
    file: str
    schema: int
    taken_at: str
    report: Report | None
    problem: str | None


class _Part(NamedTuple):
    """A file of a ledger, and the org whose book it is."""

    name: str
    kind: FileKind
    path: Path
    org: str | None = None


def backup(folder: Path, target: Path, slugs: Collection[str] = ()) -> Iterator[Copied]:
    """Copy a ledger into a new or empty folder, with the books of all orgs or of those named. It may be running.

    A copy counts once it is on disk and was proved. A file that can't be copied, or is not right, is left out, and the
    others go on. The manifest comes last, and says what there is.

    Raises:
        OrgNotFound: there is no such org.
        TargetUnusable: the folder is not empty, or can't be written.
        StorageUnavailable: the registry can't be copied.
    """
    known = _slugs(folder)
    for slug in slugs:
        if slug not in known:
            raise OrgNotFound(slug)
    began_at = now_us()
    _make_folder(target)
    done = []
    for copied in _shared_copied(folder, target):
        done.append(copied)
        yield copied
    registered = _slugs(target)
    _remove_ends(registry_path(target))
    asked_for = slugs or registered
    for slug in asked_for:
        done.append(_copied(_Part(slug, FileKind.BOOK, book_path(folder, slug), slug), folder, target))
        yield done[-1]
    _write_manifest(target, began_at, done, registered, asked_for)


def not_asked_for(folder: Path) -> Collection[str]:
    """Return the orgs whose books a backup is without, since only others were asked for; none of another folder."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["not_asked_for"]
    except (OSError, ValueError, LookupError, TypeError):
        return ()
    return [slug for slug in found if isinstance(slug, str)] if isinstance(found, list) else ()


def _shared_copied(folder: Path, target: Path) -> Iterator[Copied]:
    """Copy what is of all orgs."""
    for part in (
        _Part("inbox", FileKind.INBOX, inbox_path(folder)),
        _Part("set_aside", FileKind.SET_ASIDE, set_aside_path(folder)),
    ):
        if part.path.exists():
            yield _copied(part, folder, target)
    registry = _copied(_Part("registry", FileKind.REGISTRY, registry_path(folder)), folder, target)
    if registry.problem is not None:
        raise StorageUnavailable(registry.problem)  # only it knows which books there are
    yield registry


def _copied(part: _Part, folder: Path, target: Path) -> Copied:
    file = part.path.relative_to(folder)
    taken_at, report, problem = format_instant(now_us()), None, None
    try:
        with storage_errors(part.name):
            with closing(_open(part, folder)) as source:
                copying.copy(source, target / file)
            report = _proved(part, target, target / file)
    except Exception as error:  # whatever it is, such as a table that is gone, must not cost the others their copies
        is_told = isinstance(error, StorageUnavailable)
        problem = str(error) if is_told else f"{part.name}: {type(error).__name__}: {error}"
        with suppress(OSError):
            files.remove(target / file)
    return Copied(part.name, str(file), newest(part.kind), taken_at, report, problem)


def _open(part: _Part, folder: Path) -> Connection:
    if part.org is not None:
        return Book.open_reader(folder, part.org).connection
    return open_reader(part.path, part.kind)


def _proved(part: _Part, target: Path, copy: Path) -> Report | None:
    """Prove a copy, leave it as one file, and return what was found of a book.

    Raises:
        StorageUnavailable: it is not right, or can't be read.
    """
    report = None
    try:
        if part.org is None:
            with closing(open_reader(copy, part.kind)) as connection:
                findings = [Finding("file", fault) for fault in scan.file_faults(connection)]
        else:
            with closing(Book.open_reader(target, part.org)) as book:
                report = verify(book)
                findings = report.findings
    finally:
        _remove_ends(copy)
    if findings:
        raise StorageUnavailable(f"{part.name}: is not right: {_sentence(findings)}")
    return report


def _remove_ends(copy: Path) -> None:
    """Remove what a reader leaves beside a file, with nothing in it."""
    for end in ("-wal", "-shm"):
        files.remove(copy.with_name(copy.name + end))


def _sentence(findings: Sequence[Finding]) -> str:
    return "; ".join(f"{finding.subject} {finding.problem}" for finding in findings[:FINDINGS_MAX])


def _slugs(folder: Path) -> list[str]:
    with closing(Registry.open_reader(folder)) as registry:
        return [org.slug for org in registry.orgs()]


def _make_folder(target: Path) -> None:
    try:
        if target.exists() and any(item.name != "lost+found" for item in target.iterdir()):
            raise TargetUnusable("it is not empty")
        data_folder(target)
        private_folder(target / "books")
    except (OSError, StorageUnavailable) as error:
        raise TargetUnusable(str(error)) from error


def _write_manifest(
    target: Path, began_at: int, done: Sequence[Copied], registered: Sequence[str], asked_for: Collection[str]
) -> None:
    books = {copied.name for copied in done if copied.report is not None}
    manifest = {
        "began_at": format_instant(began_at),
        "ended_at": format_instant(now_us()),
        "is_whole": all(copied.problem is None for copied in done) and books.issuperset(registered),
        "files": [_facts(copied) for copied in done if copied.problem is None],
        "left_out": [{"name": copied.name, "problem": copied.problem} for copied in done if copied.problem is not None],
        "not_asked_for": [slug for slug in registered if slug not in asked_for],
    }
    draft = target / f"{MANIFEST}.partial"
    try:
        files.make_file(draft)
        draft.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        files.put_in_place(draft, target / MANIFEST)
    except OSError as error:
        raise TargetUnusable(str(error)) from error


def _facts(copied: Copied) -> dict[str, object]:
    facts: dict[str, object] = {"name": copied.name, "file": copied.file, "schema": copied.schema}
    facts["taken_at"] = copied.taken_at
    if copied.report is not None:
        report = copied.report._asdict()
        facts |= {name: report[name] for name in report if name != "findings"}
    return facts
