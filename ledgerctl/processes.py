"""Child processes that end with their parent, however that ends.

They are started again when they end by themselves, and can be replaced while they work: the successor starts first.
"""

import ctypes
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from wire.started import READY_FD

logger = logging.getLogger("ledger.up")

_PR_SET_PDEATHSIG = 1  # prctl(2)
RESTART_DELAY_S_MIN = 0.1
RESTART_DELAY_S_MAX = 5.0
STEADY_S = 10.0  # a child that lived this long starts again without delay
START_S_MAX = 30.0  # a successor that has not started by then never will
STOP_S_MAX = 10.0
LOOK_EVERY_S = 0.01


def has_terminal() -> bool:
    """Tell whether this process can be reached from a terminal, as it can until that is closed."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def die_with_parent(signal_number: int, parent: int) -> None:
    """Have the kernel send this process a signal when its parent ends. Linux only; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal_number)  # it ended before we asked


class _Process:
    """One process, from its start to its end."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        when_orphaned: signal.Signals,
        inherits: Sequence[int],
    ) -> None:
        parent = os.getpid()
        self.started_at_s = time.monotonic()
        self._told_to_end_at_s: float | None = None
        self._started = False
        ready, tell = os.pipe()
        self._ready: int | None = ready
        try:
            self._process = subprocess.Popen(
                command,
                env={**environment, READY_FD: str(tell)},
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),  # standard output is for the line that says it is ready
                start_new_session=True,  # Ctrl-C in a terminal is for the parent, which ends the children in order
                pass_fds=(*inherits, tell),
                preexec_fn=lambda: die_with_parent(when_orphaned, parent),  # noqa: PLW1509  # this process has one thread
            )
        finally:
            os.close(tell)

    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return self._process.poll()

    def has_started(self) -> bool:
        """Tell whether it ever said that it does its work."""
        if self._ready is not None and select.select([self._ready], [], [], 0)[0]:
            self._started = os.read(self._ready, 1) == b"\n"  # else it closed the descriptor unsaid
            self._forget_ready()
        return self._started

    def end(self) -> None:
        """Tell it to end, politely, and if it was told long ago, not politely. Returns at once."""
        now_s = time.monotonic()
        if self._told_to_end_at_s is None:
            self._told_to_end_at_s = now_s
            self._process.terminate()
        elif now_s - self._told_to_end_at_s > STOP_S_MAX:
            logger.warning("process %d does not end; killing it", self._process.pid)
            self._process.kill()

    def wait(self) -> None:
        """Have it end, and wait until it has."""
        while self.exit_code() is None:
            self.end()
            time.sleep(LOOK_EVERY_S)
        self._forget_ready()

    def _forget_ready(self) -> None:
        if self._ready is not None:
            os.close(self._ready)
            self._ready = None


class Child:
    """A process that is to run for as long as its parent does. `inherits` are descriptors that it is given."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        when_orphaned: signal.Signals = signal.SIGKILL,
        inherits: Sequence[int] = (),
    ) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._when_orphaned = when_orphaned
        self._inherits = inherits
        self._process: _Process | None = None
        self._successor: _Process | None = None
        self._start_after_s = 0.0
        self._delay_s = RESTART_DELAY_S_MIN

    def keep_running(self) -> None:
        """Start the process if it does not run; one that keeps ending is started less and less often."""
        now_s = time.monotonic()
        if self._process is not None:
            code = self._process.exit_code()
            if code is None:
                return
            logger.warning("%s ended with %d; starting it again", self.name, code)
            steady = now_s - self._process.started_at_s > STEADY_S
            self._process = None
            self._delay_s = RESTART_DELAY_S_MIN if steady else min(self._delay_s * 2, RESTART_DELAY_S_MAX)
            self._start_after_s = now_s + self._delay_s
        if now_s >= self._start_after_s:
            self._process = self._start()

    def replace(self) -> bool | None:
        """Go on with replacing the process: to be called again until it tells how that came out. Returns at once.

        True: a successor, with the code of today, has taken its place; the process was told to end once the successor
        had started, and has ended. False: the successor did not start, and nothing has changed.
        """
        successor = self._successor = self._successor or self._start()
        if not successor.has_started():
            if successor.exit_code() is None and time.monotonic() - successor.started_at_s < START_S_MAX:
                return None
            logger.error("%s: a new process does not start; the old one goes on", self.name)
            successor.wait()
            self._successor = None
            return False
        if self._process is not None and self._process.exit_code() is None:
            self._process.end()
            return None
        self._process, self._successor = successor, None
        return True

    def stop(self) -> None:
        """End the process: politely, then not. Returns when it has ended."""
        for process in (self._successor, self._process):
            if process is not None:
                process.wait()

    def _start(self) -> _Process:
        return _Process(self._command, self._environment, self._when_orphaned, self._inherits)
