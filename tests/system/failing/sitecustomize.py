"""Faults on demand in the processes of a stack: Python runs this first, where PYTHONPATH names its folder.

The folder FAULTS holds one file for each fault that is on: `poison`, a bug in the rules that every entry described
as poison meets; `disk`, whose first word names an error, such as IOError or FullError, and whose others name files,
each of which fails to be written with that error.
"""

import os
from pathlib import Path
from typing import Any

import apsw

from ledger_core import ledger

FOLDER = Path(os.environ["FAULTS"])
post_entry = ledger.post_entry


def post_or_crash(command: Any, **known: Any) -> Any:
    if command.description == "poison" and (FOLDER / "poison").exists():
        raise ZeroDivisionError("a bug in the rules")
    return post_entry(command, **known)


class FaultyFile(apsw.VFSFile):
    """A file that fails when it is told to."""

    def __init__(self, name: Any, flags: Any) -> None:
        super().__init__("unix", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(path).name if path else ""

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  # the name that SQLite has for it
        if (FOLDER / "disk").exists():
            error, *names = (FOLDER / "disk").read_text().split()
            if self._name in names:
                raise getattr(apsw, error)("a fault of the disk")
        super().xWrite(data, offset)


class Faulty(apsw.VFS):
    """The disk, with faults."""

    def __init__(self) -> None:
        super().__init__("faulty", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: Any) -> FaultyFile:  # noqa: N802
        return FaultyFile(name, flags)


ledger.post_entry = post_or_crash
disk = Faulty()
