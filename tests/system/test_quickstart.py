"""What the documentation has callers run, against a real ledger: it can't rot."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.orgs import Org
from tests.system.stack import Stack

HOUSE = Path(__file__).parent.parent.parent
EXAMPLES = HOUSE / "examples"


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
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    recorded = (EXAMPLES / "quickstart.out").read_text(encoding="utf-8")
    assert normalised(done.stdout) == recorded
    assert stack.proof("quickstart")["ok"]


def test_the_python_of_the_readme_runs(
    stack: Stack, org: Org, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", org.api_key)
    org.funded(1_000)
    (text,) = re.findall(r"```python\n(.*?)```", (HOUSE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    here = text.replace("http://localhost:8080", stack.base_url).replace("acme-corp", org.slug)

    exec(here, {})
    exec(here, {})

    assert capsys.readouterr().out == "posted 2 leaves 300\n" * 2


QUEUE = re.findall(r"```python\n(.*?)```", (HOUSE / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", QUEUE, ids=["with-the-producer", "with-plain-celery"])
def test_the_python_of_the_queue_runs_with_the_url_that_is_printed(stack: Stack, org: Org, text: str) -> None:
    org.open_pair()
    (ready,) = re.findall(r"^ready \S+ broker (\S+)", stack.output.read_text(encoding="utf-8"), re.MULTILINE)

    done = subprocess.run(
        [sys.executable, "-c", f"{text.replace('acme-corp', org.slug)}\nprint(told)"],
        env={**stack.environment(), "LEDGER_REDIS_URL": ready},
        cwd=HOUSE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "applied" in done.stdout
    assert org.proof()["entries"] == 1
