"""A disk that can be filled: a small file system where that may be mounted, else a limit on the size of files."""

import os
import resource
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Protocol

SIZE_MIB = 192
LIMIT_BYTES = 16_384  # beyond it the kernel refuses each write of a file (EFBIG)


class Disk(Protocol):
    """What a fault does with a disk."""

    name: str

    def fill(self, pids: list[int]) -> None:
        """Let these processes write nothing more."""

    def empty(self, pids: list[int]) -> None:
        """Let them write again."""

    def close(self) -> None:
        """Give it back."""


class Small:
    """A tmpfs of its own at the data folder. Needs the right to mount."""

    name = f"a tmpfs of {SIZE_MIB} MiB, filled"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._filler = folder / "filler"
        options = f"size={SIZE_MIB}m,mode=0700"
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "storm", str(folder)], check=True, capture_output=True, timeout=10
        )

    def fill(self, pids: list[int]) -> None:
        chunk = b"\0" * 65_536
        with self._filler.open("ab", buffering=0) as file:
            while chunk:
                try:
                    file.write(chunk)
                except OSError:  # it is full for that many bytes: then for half of them
                    chunk = chunk[: len(chunk) // 2]

    def empty(self, pids: list[int]) -> None:
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self._folder)], check=True, capture_output=True, timeout=10)


class Limited:
    """The folder as it is; processes are forbidden to write files beyond a size (RLIMIT_FSIZE)."""

    name = "RLIMIT_FSIZE on intake and workers"

    @classmethod
    def of(cls, folder: Path) -> "Limited":
        """Make a folder, and return its disk."""
        folder.mkdir(mode=0o700, parents=True)
        return cls()

    def fill(self, pids: list[int]) -> None:
        self._limit(pids, LIMIT_BYTES)

    def empty(self, pids: list[int]) -> None:
        self._limit(pids, resource.RLIM_INFINITY)

    def close(self) -> None:
        pass

    def _limit(self, pids: list[int], size: int) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):  # it ended meanwhile
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def disk_of(folder: Path) -> Disk:
    """Return a disk for a folder, which is made."""
    limited = Limited.of(folder)
    if os.geteuid() == 0:
        with suppress(OSError, subprocess.SubprocessError):
            return Small(folder)
    return limited
