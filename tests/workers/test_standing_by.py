"""A worker that stands by, as `python -m workers` runs it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.waiting import eventually
from wire.lanes import LANES_DEFAULT
from workers.lanes import LaneLocks


def test_a_worker_that_stands_by_ends_well_when_told_to(tmp_path: Path) -> None:
    owner = LaneLocks(tmp_path, range(LANES_DEFAULT))
    environment = {**os.environ, "LEDGER_DATA": str(tmp_path), "LEDGER_LANES": str(LANES_DEFAULT)}
    standby = subprocess.Popen([sys.executable, "-m", "workers"], env=environment)

    try:
        eventually(lambda: _stands_by(standby), "it waits for a lane")
        standby.terminate()
        code = standby.wait(10)
    finally:
        standby.kill()

    assert owner.wait_for_one() == set(range(LANES_DEFAULT))
    assert code == 0


def _stands_by(process: "subprocess.Popen[bytes]") -> bool:
    """Tell whether it waits for every lane: a thread for each, beside the first."""
    assert process.poll() is None
    return len(list(Path(f"/proc/{process.pid}/task").iterdir())) == LANES_DEFAULT + 1
