"""A backup of a running ledger, and a ledger that goes on from it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from ledger_core.store.book import book_path
from tests.system.callers import Caller, go_on, send_home, set_to_work
from tests.system.orgs import Json, Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually

CALLERS = 4
PENDING = 20


def _keyed(key: str) -> Json:
    return {**entry(1, 2, 1), "idempotency_key": key}


class _Caller(Caller):
    """Posts entries, and waits for every other one."""

    def __init__(self, org: Org, number: int) -> None:
        super().__init__(org, number)
        self.accepted: dict[str, str] = {}

    def write(self, http: httpx.Client, key: str) -> None:
        told = http.post("/v1/entries", json=_keyed(f"{key}-later"), headers={"Prefer": "respond-async"})
        self.accepted[f"{key}-later"] = told.json()["operation_id"]
        told = http.post("/v1/entries", json=_keyed(key))
        assert told.status_code == 201, told.text
        self.answered[key] = told


@contextmanager
def _going_on_from(copy: Path, org: Org) -> Iterator[Org]:
    """A ledger whose data folder is a backup."""
    stack = Stack(copy).start()
    try:
        yield Org(stack, org.slug, org.api_key)
    finally:
        stack.stop()


def _reaches_an_outcome(org: Org, operation_id: str) -> bool:
    found = org.get(f"/v1/operations/{operation_id}", Prefer="wait=10")
    assert found.status_code == 200, found.text
    return bool(found.json()["status"] == "applied")


def test_all_that_was_answered_before_a_backup_under_load_is_in_it(
    own_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    stack, copy = own_stack(workers=2), tmp_path / "copy"
    busy = stack.org("busy")
    assert busy.open_pair()
    callers = [_Caller(busy, number) for number in range(CALLERS)]
    set_to_work(callers)

    answered = {key: told.text for caller in callers for key, told in dict(caller.answered).items()}
    accepted = {key: id_ for caller in callers for key, id_ in dict(caller.accepted).items()}
    done = stack.shell("backup", str(copy))
    go_on(callers)
    send_home(callers)
    stack.stop()

    assert (done.returncode, done.stderr) == (0, "")
    verified = stack.shell("verify", "--data", str(copy))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert verified.stdout.split()[-1] == json.loads((copy / "backup.json").read_text())["files"][-1]["head"]
    with _going_on_from(copy, busy) as org:
        for operation_id in accepted.values():
            assert _reaches_an_outcome(org, operation_id)
        for key, text in answered.items():
            again = org.post("/v1/entries", _keyed(key))
            assert (again.status_code, again.text) == (201, text)
            assert again.headers["Idempotency-Replayed"] == "true"
        assert org.proof()["entries"] >= len(answered) + len(accepted)


def test_what_was_accepted_and_has_no_outcome_yet_gets_one_after_a_restore(
    own_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    stack, copy = own_stack(), tmp_path / "copy"
    org = stack.org("patient")
    assert org.open_pair()
    with stack.halted("-m workers"):
        accepted = [org.post("/v1/entries", _keyed(f"k{n}"), Prefer="respond-async") for n in range(PENDING)]

        done = stack.shell("backup", str(copy))

    assert done.returncode == 0, done.stderr
    stack.stop()
    with _going_on_from(copy, org) as restored:
        for told in accepted:
            assert told.status_code == 202
            assert _reaches_an_outcome(restored, told.json()["operation_id"])
        assert restored.proof()["entries"] == PENDING


def test_one_book_put_back_while_all_runs_knows_what_it_knew_and_takes_the_rest_again(
    own_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    stack, copy = own_stack(), tmp_path / "copy"
    org, neighbour = stack.org("acme"), stack.org("globex")
    for each in (org, neighbour):
        assert each.open_pair()
    before = [org.post("/v1/entries", _keyed(f"before-{n}")) for n in range(5)]
    done = stack.shell("backup", str(copy), "--org", "acme")
    after = [org.post("/v1/entries", _keyed(f"after-{n}")) for n in range(5)]
    assert neighbour.post_entry(1, 2, 7) == 1

    path = book_path(stack.data, "acme")
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").rename(f"{tmp_path / path.name}{end}")
    (copy / "books" / "acme.db").rename(path)

    assert done.returncode == 0, done.stderr
    eventually(lambda: org.get("/v1/entries/6").status_code == 404, "the book that was put back is read")
    assert org.get(f"/v1/operations/{after[0].headers['Operation-Id']}").status_code == 404
    for n, told in enumerate(before):
        again = org.post("/v1/entries", _keyed(f"before-{n}"))
        assert (again.status_code, again.text, again.headers["Idempotency-Replayed"]) == (201, told.text, "true")
    posted = [org.post("/v1/entries", _keyed(f"after-{n}")) for n in range(5)]
    assert [told.status_code for told in posted] == [201] * 5
    assert org.proof()["entries"] == 10
    assert neighbour.proof()["entries"] == 1
