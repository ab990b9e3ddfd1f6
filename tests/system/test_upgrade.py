"""An upgrade that brings a newer schema, of a running ledger, while callers write."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from ledger_core.store.book import book_path
from ledger_core.store.migrate import copy_path
from ledger_core.store.versions import FileKind
from tests.newer_program import OURS
from tests.system.callers import Caller, go_on, send_home, set_to_work
from tests.system.orgs import Org, entry
from tests.system.stack import Stack

CALLERS = 2
HOUSE = Path(__file__).parent.parent.parent


class _Caller(Caller):
    """Posts entries, each again under its key until it is answered."""

    def __init__(self, org: Org, number: int) -> None:
        super().__init__(org, number)
        self.other: set[int] = set()

    def write(self, http: httpx.Client, key: str) -> None:
        while key not in self.answered:
            try:
                told = http.post("/v1/entries", json={**entry(1, 2, 1), "idempotency_key": key})
            except httpx.TransportError:
                continue
            if told.status_code == 201:
                self.answered[key] = told
            else:
                self.other.add(told.status_code)
                time.sleep(0.05)


def test_an_upgrade_with_a_newer_schema_loses_no_answer(own_stack: Callable[..., Stack], tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    path = os.pathsep.join([str(Path(__file__).with_name("newer")), str(HOUSE)])
    stack = own_stack(workers=2, environment={"PYTHONPATH": path, "NEWER": str(newer)})
    busy, read = stack.org("busy"), stack.org("read")
    assert busy.open_pair()
    account = read.open_account()
    callers = [_Caller(busy, number) for number in range(CALLERS)]
    set_to_work(callers)

    newer.touch()
    done = stack.shell("restart")
    go_on(callers)
    send_home(callers)

    assert done.returncode == 0, done.stderr
    assert set().union(*(caller.other for caller in callers)) <= {202, 503}
    answered = {key: told.json()["id"] for caller in callers for key, told in caller.answered.items()}
    assert {item["idempotency_key"]: item["id"] for item in busy.all("/v1/entries")} == answered
    assert not copy_path(book_path(stack.data, "read"), OURS[FileKind.BOOK]).exists()
    assert read.balance(account)["total"] == 0  # its first touch
    for org in (busy, read):
        assert copy_path(book_path(stack.data, org.slug), OURS[FileKind.BOOK]).exists()
    verified = stack.shell("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "read: right" in verified.stdout
