"""A disk that is full where nothing may be mounted: a running process can't write on, and later can again."""

import subprocess
import sys
from pathlib import Path

from tests.storm.disk import Limited

CHILD = """
import sys
for line in sys.stdin:
    try:
        with open(sys.argv[1], "ab") as file:
            file.write(bytes(100_000))
        print("written", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
"""


def test_a_process_is_kept_from_writing_and_let_write_again(tmp_path: Path) -> None:
    disk = Limited.of(tmp_path / "data")
    command = [sys.executable, "-c", CHILD, str(tmp_path / "data" / "file")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None

        def write() -> str:
            child.stdin.write("\n")
            child.stdin.flush()
            return child.stdout.readline().strip()

        told = [write()]
        disk.fill([child.pid])
        told.append(write())
        disk.empty([child.pid])
        told.append(write())
        child.stdin.close()

    assert told == ["written", "File too large", "written"]
