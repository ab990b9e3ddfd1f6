"""The broker of a storm as an operator runs one, apart from `ledgerctl up`: `python -m tests.storm.broker DATA`."""

import os
import signal
import sys
import time
from pathlib import Path

from ledgerctl import broker
from ledgerctl.processes import Child, die_with_parent

LOOK_EVERY_S = 0.05
STOP_S_MAX = 5.0


def main(data: Path) -> int:
    """Keep a broker running until told to stop."""
    child = Child("broker", broker.command(data), os.environ, when_orphaned=signal.SIGKILL)
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    while not stopping:
        child.keep_running()
        time.sleep(LOOK_EVERY_S)
    child.stop(STOP_S_MAX)
    return 0


if __name__ == "__main__":
    die_with_parent(signal.SIGKILL, os.getppid())
    sys.exit(main(Path(sys.argv[1])))
