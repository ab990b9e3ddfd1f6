"""examples/quickstart.sh prints what is recorded beside it, against a real ledger: the documentation can't rot."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.stack import Stack

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def normalised(text: str) -> str:
    """Return what was printed, without what differs from run to run."""
    sed = ["sed", "-E", "-f", str(EXAMPLES / "quickstart.sed")]
    return subprocess.run(sed, input=text, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="the script is written with curl")
def test_the_quickstart_prints_what_is_recorded(stack: Stack) -> None:
    environment = {
        **stack.environment(),
        "BASE_URL": stack.base_url,
        "ORG": "quickstart",
        "LEDGERCTL": f"{sys.executable} -m ledgerctl",
    }

    done = subprocess.run(
        ["sh", str(EXAMPLES / "quickstart.sh")],
        env=environment,
        cwd=EXAMPLES.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    recorded = (EXAMPLES / "quickstart.out").read_text(encoding="utf-8")
    assert normalised(done.stdout) == recorded
    assert stack.proof("quickstart")["ok"]
