"""The machine itself: its disk is full, its clock is wrong."""

from typing import ClassVar

from tests.storm.faults.fault import Fault
from tests.storm.system import INTAKE, WORKER

STEPS_S = (1.5, 90.0, 3_700.0, 6 * 3_600.0, 26 * 3_600.0)


class FillDisk(Fault):
    """Nothing more can be written."""

    def begin(self) -> None:
        self.system.disk.fill(self.system.pids(WORKER, INTAKE))

    def end(self) -> None:
        self.system.disk.empty(self.system.pids(WORKER, INTAKE))


class _MoveClock(Fault):
    sign: ClassVar[int]

    def begin(self) -> None:
        self.system.move_clock(self.sign * STEPS_S[int(self.pick * len(STEPS_S))])

    def end(self) -> None:
        self.system.move_clock(0.0)


class ClockForwards(_MoveClock):
    """The clock runs ahead, by seconds or by a day, and is set right again."""

    sign = 1


class ClockBack(_MoveClock):
    """The clock stays behind, by seconds or by a day, and is set right again."""

    sign = -1


FAULTS: dict[str, type[Fault]] = {
    "fill_disk": FillDisk,
    "clock_forwards": ClockForwards,
    "clock_back": ClockBack,
}
