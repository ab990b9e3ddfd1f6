"""A disk as power loss leaves it: what was synced is there, and of the rest whatever chance will have.

The model is that of fsync(2), and no kinder. What a file was written since its last sync may be there or not, in each
sector for itself; where it grew without its data there are zeros or garbage. A name that was made, moved or removed
since its folder was synced may be as it was or as it is, and a file whose name is missing is missing.
"""

import copy
import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

SECTOR_BYTES = 512
FOLDER = -1  # stands in the place of a file's number


class Write(NamedTuple):
    """Bytes written to a file. Files are numbered, since names come and go."""

    file: int
    offset: int
    data: bytes


class Truncate(NamedTuple):
    """A file cut, or grown, to a size."""

    file: int
    size: int


class Sync(NamedTuple):
    """A file's content put on disk."""

    file: int


class Link(NamedTuple):
    """A name made, of a file or of a folder."""

    path: str
    file: int


class Unlink(NamedTuple):
    """A name removed."""

    path: str


class Rename(NamedTuple):
    """A file moved from one name to another, in whose place it comes."""

    path: str
    to: str


class SyncFolder(NamedTuple):
    """The names in a folder put on disk."""

    path: str


class Submitted(NamedTuple):
    """The scenario begins its step of this number."""

    step: int


class Answered(NamedTuple):
    """The scenario's step of this number was answered: from now on it must survive."""

    step: int


Change: TypeAlias = Write | Truncate
NameChange: TypeAlias = Link | Unlink | Rename
Event: TypeAlias = Change | NameChange | Sync | SyncFolder | Submitted | Answered
Image: TypeAlias = dict[str, bytes | None]  # by path; None is a folder


class Chance(NamedTuple):
    """What power loss does to what was not synced."""

    name: str
    keeps: Callable[[int, int], bool]  # a change, by its number among those pending and how many these are
    keeps_sector: Callable[[], bool]  # of a change that is kept
    keeps_name: Callable[[int, int], bool]
    cut: int | None  # after how many bytes the last change that is kept ends
    garbage: bool  # where a file grew without its data


class Disk:
    """What is on disk for certain, and what is on its way there, at one point of a recording."""

    def __init__(self, root: Path) -> None:
        """Start with what a folder holds now, as if it had lain there for long."""
        self.files: dict[int, bytearray] = {}
        self.names: dict[str, int] = {}
        self.pending: list[Change] = []
        self.pending_names: list[NameChange] = []
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            if path.is_dir():
                self.names[name] = FOLDER
            elif not name.endswith("-shm"):
                self.names[name] = number = len(self.files)
                self.files[number] = bytearray(path.read_bytes())

    def copy(self) -> "Disk":
        """Return the same disk, to go on from here in another way."""
        return copy.deepcopy(self)

    def advance(self, event: Event) -> None:
        """Go one event on."""
        match event:
            case Write() | Truncate():
                self.pending.append(event)
            case Link() | Unlink() | Rename():
                self.pending_names.append(event)
            case Sync(file):
                content = self.files.setdefault(file, bytearray())
                for change in self.pending:
                    if change.file == file:
                        _apply(content, change)
                self.pending = [change for change in self.pending if change.file != file]
            case SyncFolder(folder):
                for change in self.pending_names:
                    if _folder(change) == folder:
                        _rename(self.names, change)
                self.pending_names = [change for change in self.pending_names if _folder(change) != folder]

    def image(self, chance: Chance, dice: random.Random) -> Image:
        """Return one of the states that power loss could leave here."""
        names = dict(self.names)
        for number, change in enumerate(self.pending_names):
            if chance.keeps_name(number, len(self.pending_names)):
                _rename(names, change)
        files = {number: bytearray(content) for number, content in self.files.items() if number in names.values()}
        kept = [n for n in range(len(self.pending)) if chance.keeps(n, len(self.pending))]
        for number in kept:
            change = self.pending[number]
            content = files.setdefault(change.file, bytearray())
            last = number == kept[-1]
            if isinstance(change, Truncate):
                _apply(content, change)
            elif last and chance.cut is not None:
                if chance.garbage:
                    _grow(content, change, chance, dice)
                _apply(content, change._replace(data=change.data[: chance.cut % (len(change.data) + 1)]))
            else:
                _write_sectors(content, change, chance, dice)
        image: Image = {}
        for path, file in sorted(names.items()):
            if all(str(parent) in names for parent in list(Path(path).parents)[:-1]):
                image[path] = None if file == FOLDER else bytes(files.get(file, b""))
        return image


def digest(image: Image) -> bytes:
    """Return what tells one image from another."""
    whole = hashlib.blake2b(digest_size=16)
    for path, content in image.items():
        whole.update(path.encode() + (b"/" if content is None else b"\0%d\0" % len(content) + content))
    return whole.digest()


def write(image: Image, folder: Path, dice: random.Random) -> None:
    """Put an image into an empty folder; sometimes with shared memory of before, which is no memory at all."""
    for path, content in image.items():
        if content is None:
            (folder / path).mkdir(mode=0o700)
        else:
            _put(folder / path, content)
            if path.endswith(".db") and dice.random() < 0.25:
                _put(folder / f"{path}-shm", dice.randbytes(32 * 1024))


def _put(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _write_sectors(content: bytearray, change: Write, chance: Chance, dice: random.Random) -> None:
    end = change.offset + len(change.data)
    _grow(content, change, chance, dice)
    at = change.offset
    while at < end:
        upto = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        if chance.keeps_sector():
            content[at:upto] = change.data[at - change.offset : upto - change.offset]
        at = upto


def _grow(content: bytearray, change: Write, chance: Chance, dice: random.Random) -> None:
    missing = change.offset + len(change.data) - len(content)
    if missing > 0:
        content.extend(dice.randbytes(missing) if chance.garbage else bytes(missing))


def _apply(content: bytearray, change: Change) -> None:
    if isinstance(change, Truncate):
        content[:] = content[: change.size].ljust(change.size, b"\0")
        return
    if len(content) < change.offset:
        content.extend(bytes(change.offset - len(content)))
    content[change.offset : change.offset + len(change.data)] = change.data


def _rename(names: dict[str, int], change: NameChange) -> None:
    match change:
        case Link(path, file):
            names[path] = file
        case Unlink(path):
            names.pop(path, None)
        case Rename(path, to):
            if path in names:
                names[to] = names.pop(path)


def _folder(change: NameChange) -> str:
    return str(Path(change.path).parent)
