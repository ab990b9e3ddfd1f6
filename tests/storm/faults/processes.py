"""Processes that are killed, or stand still."""

import os
import shutil
import signal
from contextlib import suppress
from typing import ClassVar

from tests.storm.faults.fault import Fault, Impossible
from tests.storm.system import BROKER, BROKER_SUPERVISOR, INTAKE, SUPERVISOR, WORKER
from tests.system.stack import has_ended
from tests.waiting import eventually


class _OfProcess(Fault):
    part: ClassVar[str]

    def victim(self) -> int:
        pids = sorted(self.system.pids(self.part))
        if not pids:
            raise Impossible("it is dead already")
        return pids[int(self.pick * len(pids))]


class _Kill(_OfProcess):
    def begin(self) -> None:
        victim = self.victim()
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        eventually(lambda: has_ended(victim), "the kernel has ended it")  # or it could pass for well


class _Freeze(_OfProcess):
    _pid: int | None = None

    def begin(self) -> None:
        pid = self.victim()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self._pid = pid

    def end(self) -> None:
        if self._pid in self.system.pids(self.part):  # else it was killed meanwhile
            os.kill(self._pid, signal.SIGCONT)


class KillWorker(_Kill):
    part = WORKER


class KillIntake(_Kill):
    part = INTAKE


class KillBroker(_Kill):
    part = BROKER


class KillEverything(_Kill):
    """`ledgerctl up` dies, and with it every process that it started; the machine's init starts it again."""

    part = SUPERVISOR

    def begin(self) -> None:
        children = self.system.pids(WORKER, INTAKE)
        super().begin()
        eventually(lambda: all(map(has_ended, children)), "they end with it")


class FreezeWorker(_Freeze):
    part = WORKER


class FreezeIntake(_Freeze):
    part = INTAKE


class FreezeBroker(_Freeze):
    part = BROKER


class FreezeSupervisor(_Freeze):
    """Nobody starts again what dies meanwhile."""

    part = SUPERVISOR


class Restart(_OfProcess):
    """An operator has every process changed for a new one, as `ledgerctl restart` does."""

    part = SUPERVISOR

    def begin(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.victim(), signal.SIGHUP)


class WipeBroker(_OfProcess):
    """The broker dies, and its disk is lost before it starts again."""

    part = BROKER

    def begin(self) -> None:
        (supervisor,) = self.system.pids(BROKER_SUPERVISOR)
        os.kill(supervisor, signal.SIGSTOP)
        try:
            with suppress(ProcessLookupError, Impossible):
                os.kill(self.victim(), signal.SIGKILL)
            shutil.rmtree(self.system.data / "broker" / "appendonlydir", ignore_errors=True)
        finally:
            os.kill(supervisor, signal.SIGCONT)


FAULTS: dict[str, type[Fault]] = {
    "kill_worker": KillWorker,
    "kill_intake": KillIntake,
    "kill_broker": KillBroker,
    "kill_everything": KillEverything,
    "restart": Restart,
    "freeze_worker": FreezeWorker,
    "freeze_intake": FreezeIntake,
    "freeze_broker": FreezeBroker,
    "freeze_supervisor": FreezeSupervisor,
    "wipe_broker": WipeBroker,
}
