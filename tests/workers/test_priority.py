"""A worker beside processes that want the processor too, as `python -m workers` runs it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.waiting import eventually
from wire.lanes import LANES_DEFAULT
from workers.lanes import LaneLocks


def test_no_thread_of_a_worker_takes_the_processor_from_others(tmp_path: Path) -> None:
    owner = LaneLocks(tmp_path, range(LANES_DEFAULT))
    environment = {**os.environ, "LEDGER_DATA": str(tmp_path), "LEDGER_LANES": str(LANES_DEFAULT)}
    worker = subprocess.Popen([sys.executable, "-m", "workers"], env=environment)

    try:
        eventually(lambda: len(_threads(worker)) == LANES_DEFAULT + 1, "it waits for a lane, by a thread for each")
        threads = _threads(worker)
        policies = {os.sched_getscheduler(thread) for thread in threads}
    finally:
        worker.kill()
        worker.wait()

    assert owner.wait_for_one() == set(range(LANES_DEFAULT))
    assert policies == {os.SCHED_BATCH}


def _threads(process: "subprocess.Popen[bytes]") -> list[int]:
    assert process.poll() is None
    return [int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir()]
