"""A stack that has faults on demand: bugs in its rules, and a disk that fails."""

from pathlib import Path


class Faults:
    """Turns faults of a stack on and off while it runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()

    @property
    def environment(self) -> dict[str, str]:
        """What the processes of the stack need in their environment."""
        return {"PYTHONPATH": str(Path(__file__).with_name("failing")), "FAULTS": str(self._folder)}

    def poison(self) -> None:
        """Have every entry that is described as poison meet a bug."""
        (self._folder / "poison").touch()

    def fail_writes(self, error: str, *names: str) -> None:
        """Have every write to files of these names fail with an error of APSW."""
        (self._folder / "new").write_text(" ".join([error, *names]))
        (self._folder / "new").rename(self._folder / "disk")

    def end(self) -> None:
        """Have no fault any more."""
        for fault in ("poison", "disk"):
            (self._folder / fault).unlink(missing_ok=True)
