"""`ledgerctl up` as an operator meets it: how it starts, what it leaves behind, and who else may run."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledgerctl.cli import cli
from tests.system.orgs import Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually


def test_the_command_line_creates_an_org_whose_key_works_at_once(stack: Stack) -> None:
    done = stack.shell("org", "create", "from-a-shell", "--json", "--data", str(stack.data))

    assert (done.returncode, done.stderr) == (0, "")
    assert Org(stack, "from-a-shell", json.loads(done.stdout)["api_key"]).open_account() == 1


def test_a_second_run_on_the_same_data_is_refused(stack: Stack) -> None:
    done = stack.shell("up", *stack.options)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"another ledgerctl up serves {stack.data} already" in done.stderr
    assert stack.healthy()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_and_the_next_run_finds_everything(
    own_stack: Callable[..., Stack], number: signal.Signals
) -> None:
    stack = own_stack()
    org = stack.org("kept")
    org.funded()
    before = org.proof()

    assert stack.stop(number) == 0

    stack.start()
    assert org.balance(2)["total"] == 50_000
    assert org.proof() == before


def test_a_killed_run_leaves_no_process_behind_and_the_next_one_serves(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack()
    org = stack.org("kept")
    org.funded()

    stack.stop(signal.SIGKILL)

    stack.start()
    assert org.balance(2)["total"] == 50_000


def test_what_crashes_is_started_again(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack()
    org = stack.org("kept")
    org.open_pair()

    for part in ("-m workers", "-m intake", "valkey-server"):
        stack.kill(part)
        eventually(lambda part=part: stack.processes(part) and stack.healthy(), f"{part} is back")

    eventually(lambda: org.post("/v1/entries", entry(1, 2, 5)).status_code == 201, "writes work again")


def test_the_broker_listens_on_a_socket_that_only_its_user_can_open(stack: Stack) -> None:
    path = Path(stack.broker_url.removeprefix("redis+socket://"))

    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.fixture
def second_worker(own_stack: Callable[..., Stack]) -> Iterator[tuple[Stack, subprocess.Popen[bytes]]]:
    """A stack, and a worker that was started beside it by hand."""
    stack = own_stack()
    environment = {**stack.environment(), "LEDGER_REDIS_URL": stack.broker_url}
    with stack.log.open("ab") as log:
        worker = subprocess.Popen([sys.executable, "-m", "workers"], env=environment, stdout=log, stderr=log)
    yield stack, worker
    worker.kill()
    worker.wait()


def test_a_second_worker_stands_by_and_takes_over_the_lanes_of_the_first(
    second_worker: tuple[Stack, subprocess.Popen[bytes]],
) -> None:
    stack, standby = second_worker
    orgs = [stack.org(f"org-{number}") for number in range(8)]
    (first,) = [worker for worker in stack.processes("-m workers") if worker.pid != standby.pid]
    eventually(lambda: _opened_locks(standby.pid) == 4, "the second worker stands by for every lane")
    assert all(org.open_pair() for org in orgs)

    with stack.halted("-m ledgerctl up"):  # which would start the first one again
        os.kill(first.pid, signal.SIGKILL)
        told = [org.post("/v1/entries", entry(1, 2, 5)) for org in orgs]

    assert [answer.status_code for answer in told] == [201] * len(orgs)
    assert all(org.proof()["entries"] == 1 for org in orgs)


def _opened_locks(pid: int) -> int:
    links = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(descriptor.readlink()))
        except OSError:  # closed meanwhile
            continue
    return sum("/lanes/" in link for link in links)


def test_a_port_that_is_taken_is_said_at_once(tmp_path: Path) -> None:
    """Somebody else's server there would answer in place of the ledger."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        told = CliRunner().invoke(cli, ["up", "--data", str(tmp_path / "data"), "--port", str(port)])

    assert told.exit_code == 1
    assert f"can't listen on 127.0.0.1 port {port}" in told.output


def test_a_setting_that_cannot_be_is_said_at_once(tmp_path: Path) -> None:
    """Not by a process that is started again and again."""
    told = CliRunner().invoke(cli, ["up", "--data", str(tmp_path / "data")], env={"LEDGER_WAIT_S": "99"})

    assert told.exit_code == 1
    assert "LEDGER_WAIT_S must be a whole number from 0 to 30" in told.output


def test_it_ends_with_the_terminal_that_it_was_started_in(own_stack: Callable[..., Stack]) -> None:
    """The same signal has it restart its processes, from wherever it comes while the terminal is there."""
    stack = own_stack()
    stack.stop()
    child, terminal = pty.fork()
    if child == 0:  # its session's leader, whose terminal this is
        os.execvpe(sys.executable, [sys.executable, "-m", "ledgerctl", "up", *stack.options], stack.environment())
    eventually(lambda: b"ready http" in os.read(terminal, 65_536), "it comes up")
    assert stack.processes("-m intake")

    os.close(terminal)

    assert eventually(lambda: os.waitpid(child, os.WNOHANG)[0] == child, "it ends") is not None
    eventually(lambda: not stack.processes(), "and leaves nothing running")


def test_a_broker_whose_name_nobody_knows_is_said_at_once_and_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "unknown").touch()
    named = {"PYTHONPATH": str(Path(__file__).with_name("named")), "NAMES": str(tmp_path)}
    url, shown = (f"redis://{login}@the-broker.invalid:6379/0" for login in (":secret", "***"))
    stack = Stack(tmp_path / "data", environment={"LEDGER_REDIS_URL": url, **named})
    hurried = "from ledgerctl import cli, stack; stack.START_S_MAX = 1.0; cli.main()"

    done = subprocess.run(
        [sys.executable, "-c", hurried, "up", *stack.options],
        env=stack.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    waiting, ended = done.stderr.splitlines()
    assert f"waiting for the broker {shown}" in waiting
    assert "Name or service not known" in waiting
    assert ended == f"Error: the broker does not answer within 1 s; broker: {shown}"
    assert not stack.processes()
