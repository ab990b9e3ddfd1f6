"""An upgrade that brings a newer schema, of a running ledger, while callers write."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from ledger_core.store.book import book_path
from ledger_core.store.migrate import copy_path
from tests.system.orgs import Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually

CALLERS = 2
HOUSE = Path(__file__).parent.parent.parent


class _Caller(threading.Thread):
    """Posts entries one after the other, each with its own key, and again under it until it is answered."""

    def __init__(self, org: Org, number: int) -> None:
        super().__init__(daemon=True)
        self._org = org
        self._number = number
        self.enough = threading.Event()
        self.answered: dict[str, int] = {}
        self.other: set[int] = set()

    def run(self) -> None:
        with httpx.Client(base_url=self._org.stack.base_url, headers=self._org.headers, timeout=60) as http:
            while True:
                key = f"{self._number}-{len(self.answered)}"
                try:
                    told = http.post("/v1/entries", json={**entry(1, 2, 1), "idempotency_key": key})
                except httpx.TransportError:
                    continue
                if told.status_code == 201:
                    self.answered[key] = told.json()["id"]
                    if self.enough.is_set():
                        return
                else:
                    self.other.add(told.status_code)
                    time.sleep(0.05)


def _ctl(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ledgerctl", *arguments, "--data", str(stack.data)]
    return subprocess.run(command, env=stack.environment(), capture_output=True, text=True, timeout=120, check=False)


def test_an_upgrade_with_a_newer_schema_loses_no_answer(own_stack: Callable[..., Stack], tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    path = os.pathsep.join([str(Path(__file__).with_name("newer")), str(HOUSE)])
    stack = own_stack(workers=2, environment={"PYTHONPATH": path, "NEWER": str(newer)})
    busy, read = stack.org("busy"), stack.org("read")
    assert busy.open_pair()
    account = read.open_account()
    callers = [_Caller(busy, number) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    eventually(lambda: all(len(caller.answered) > 10 for caller in callers), "every caller is answered")

    newer.touch()
    done = _ctl(stack, "restart")
    before = {caller: len(caller.answered) for caller in callers}
    eventually(lambda: all(len(caller.answered) > before[caller] + 10 for caller in callers), "all of them go on")
    for caller in callers:
        caller.enough.set()
        caller.join(60)

    assert done.returncode == 0, done.stderr
    assert set().union(*(caller.other for caller in callers)) <= {202, 503}
    answered = {key: id_ for caller in callers for key, id_ in caller.answered.items()}
    assert {item["idempotency_key"]: item["id"] for item in busy.all("/v1/entries")} == answered
    assert not copy_path(book_path(stack.data, "read"), 1).exists()
    assert read.balance(account)["total"] == 0  # its first touch
    for org in (busy, read):
        assert copy_path(book_path(stack.data, org.slug), 1).exists()
    verified = _ctl(stack, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "read: right" in verified.stdout
