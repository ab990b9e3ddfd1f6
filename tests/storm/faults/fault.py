"""What every fault is."""

from tests.storm.system import System


class Fault:
    """Something that goes wrong. `pick` in [0, 1) stands for its choices."""

    def __init__(self, system: System, pick: float) -> None:
        self.system = system
        self.pick = pick

    def begin(self) -> None:
        """Go wrong."""

    def end(self) -> None:
        """Be well again. Called once, also for what is over at once."""


class Impossible(Exception):
    """This fault can't strike now, and why: it is counted apart."""
