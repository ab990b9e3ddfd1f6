"""Child processes that end with their parent, however that ends, and are started again when they end by themselves."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

logger = logging.getLogger("ledger.up")

_PR_SET_PDEATHSIG = 1  # prctl(2)
RESTART_DELAY_S_MIN = 0.1
RESTART_DELAY_S_MAX = 5.0
STEADY_S = 10.0  # a child that lived this long starts again without delay


def die_with_parent(signal_number: int, parent: int) -> None:
    """Have the kernel send this process a signal when its parent ends. Linux only; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal_number)  # it ended before we asked


class Child:
    """One process that is to run for as long as its parent does."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        when_orphaned: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._when_orphaned = when_orphaned
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at_s = 0.0
        self._start_after_s = 0.0
        self._delay_s = RESTART_DELAY_S_MIN

    def keep_running(self) -> None:
        """Start the process if it does not run; one that keeps ending is started less and less often."""
        now_s = time.monotonic()
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            logger.warning("%s ended with %d; starting it again", self.name, code)
            self._process = None
            steady = now_s - self._started_at_s > STEADY_S
            self._delay_s = RESTART_DELAY_S_MIN if steady else min(self._delay_s * 2, RESTART_DELAY_S_MAX)
            self._start_after_s = now_s + self._delay_s
        if now_s >= self._start_after_s:
            self._start()

    def stop(self, grace_s: float) -> None:
        """End the process: politely, then not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            logger.warning("%s does not end; killing it", self.name)
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        parent = os.getpid()
        self._started_at_s = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),  # standard output is for the line that says it is ready
            start_new_session=True,  # Ctrl-C in a terminal is for the parent, which ends the children in order
            preexec_fn=lambda: die_with_parent(self._when_orphaned, parent),  # noqa: PLW1509  # this process has one thread
        )
