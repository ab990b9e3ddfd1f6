"""Restarting the processes of a running ledger one after the other, while callers write."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.system.callers import Caller, go_on, send_home, set_to_work
from tests.system.orgs import Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually

CALLERS = 8


class _Caller(Caller):
    """Posts entries, and makes no second try."""

    def __init__(self, org: Org, number: int) -> None:
        super().__init__(org, number)
        self.turned_away: list[str] = []

    def write(self, http: httpx.Client, key: str) -> None:
        try:
            told = http.post("/v1/entries", json={**entry(1, 2, 1), "idempotency_key": key})
        except httpx.TransportError as error:
            self.turned_away.append(f"{key}: {error!r}")
            return
        if told.status_code == 201:
            self.answered[key] = told
        else:
            self.turned_away.append(f"{key}: {told.text}")


@pytest.mark.parametrize(("workers", "intakes"), [(1, 1), (2, 2)])
def test_a_restart_under_load_turns_nobody_away_and_loses_nothing(
    own_stack: Callable[..., Stack], workers: int, intakes: int
) -> None:
    stack = own_stack(workers=workers, intakes=intakes)
    org = stack.org("busy")
    assert org.open_pair()
    before = {process.pid for process in (*stack.processes("-m workers"), *stack.processes("-m intake"))}
    callers = [_Caller(org, number) for number in range(CALLERS)]
    set_to_work(callers)

    for _ in range(2):
        go_on(callers)
        done = stack.shell("restart")
        assert (done.returncode, done.stdout) == (0, "restarted\n"), done.stderr
    send_home(callers)

    after = {process.pid for process in (*stack.processes("-m workers"), *stack.processes("-m intake"))}
    assert len(after) == workers + intakes
    assert not before & after
    assert [caller.turned_away for caller in callers] == [[]] * CALLERS
    posted = sorted(told.json()["id"] for caller in callers for told in caller.answered.values())
    assert posted == list(range(1, len(posted) + 1))
    assert org.proof()["entries"] == len(posted)


def test_a_new_process_that_does_not_start_leaves_the_old_one_in_place(
    own_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    """As after an upgrade that went wrong."""
    stack = own_stack(environment={"PYTHONPATH": str(tmp_path)})
    org = stack.org("safe")
    assert org.open_pair()
    (old,) = stack.processes("-m workers")
    (tmp_path / "sitecustomize.py").write_text(  # which each new process runs first
        "import os, sys\nif sys.orig_argv[-1] == 'workers':\n    os._exit(3)\n", encoding="utf-8"
    )

    done = stack.shell("restart")

    assert done.returncode == 1
    assert "did not start, and runs on as it was: worker 0" in done.stderr
    assert stack.processes("-m workers") == [old]
    assert org.post("/v1/entries", entry(1, 2, 5)).status_code == 201


def test_without_a_running_ledger_there_is_nothing_to_restart(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack()
    stack.stop()

    done = stack.shell("restart")
    stack.start()

    assert done.returncode == 1
    assert f"no ledgerctl up serves {stack.data}" in done.stderr


def test_callers_who_connect_while_the_http_server_is_gone_wait_for_the_next(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack()
    org = stack.org("patient")
    assert org.open_pair()

    with stack.halted("-m ledgerctl up"):  # nobody starts it again meanwhile
        stack.kill("-m intake")
        answers: list[int] = []
        caller = threading.Thread(
            target=lambda: answers.append(
                httpx.post(
                    f"{stack.base_url}/v1/entries", json=entry(1, 2, 5), headers=org.headers, timeout=60
                ).status_code
            )
        )
        caller.start()
    caller.join(60)

    assert answers == [201]


def test_a_stop_ends_keep_alive_connections_with_their_next_answer(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack()
    org = stack.org("polite")
    caller = _Caller(org, 0)
    assert org.open_pair()
    set_to_work([caller])

    (intake,) = stack.processes("-m intake")
    with stack.halted("-m ledgerctl up"):
        os.kill(intake.pid, signal.SIGTERM)
        eventually(lambda: intake.pid not in [p.pid for p in stack.processes("-m intake")], "it ends")
    send_home([caller])

    assert caller.turned_away == []


def test_a_disk_that_can_t_be_written_does_not_end_the_ledger_that_restarts(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack()
    org = stack.org("full")
    org.open_pair()
    (stack.data / "up.json.draft").mkdir()  # so that what became of the restart can't be written down

    restart = threading.Thread(target=lambda: told.append(stack.shell("restart")))
    told: list[subprocess.CompletedProcess[str]] = []
    restart.start()
    eventually(lambda: "trying again" in stack.log.read_text(encoding="utf-8"), "it could not write it down")
    answer = org.post("/v1/entries", entry(1, 2, 5))
    (stack.data / "up.json.draft").rmdir()
    restart.join()

    assert answer.status_code == 201
    assert (told[0].returncode, told[0].stdout) == (0, "restarted\n")
