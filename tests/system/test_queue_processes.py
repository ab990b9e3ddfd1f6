"""The queue from processes of their own: this project's producer, and plain Celery without any of this project."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from ledger_core.set_aside import BODY_BYTES_MAX, Item, SetAside
from tests.system.orgs import Json, Org, entry
from tests.waiting import eventually

PACKAGES = ["ledger_core", "wire", "intake", "workers", "ledgerctl"]
MIB = 1024 * 1024

# What the contract shows, in a process that has Celery and nothing else: -I -S leave nothing to import but the
# standard library, then the installed packages are put on the path without the hooks that make this project's known.
PLAIN = """
import importlib, json, sys, zlib
sys.path.append(sys.argv[1])
from celery import Celery
wanted = json.load(sys.stdin)
app = Celery(broker=wanted["url"], backend=wanted["url"])
told = []
for task in wanted["tasks"]:
    lane = f"ledger.lane.{zlib.crc32(task['org'].encode()) % 4}"
    told.append(app.send_task("ledger.submit", kwargs=task, queue=lane).get(timeout=30))
known = []
for name in wanted["packages"]:
    try:
        importlib.import_module(name)
        known.append(name)
    except ModuleNotFoundError:
        pass
json.dump({"told": told, "known": known}, sys.stdout)
"""

OURS = """
import asyncio, dataclasses, json, sys
from wire import AccountType, CaptureHold, LedgerQueue, Line, OpenAccount, PlaceHold, PostEntry, ReleaseHold
from wire import ReverseEntry, Side
org = sys.argv[1]
queue = LedgerQueue.from_env()
lines = [Line(account_id=1, amount=100, direction=Side.DEBIT), Line(account_id=2, amount=100, direction=Side.CREDIT)]
commands = [
    OpenAccount(name="Cash", type=AccountType.ASSET),
    OpenAccount(name="Customers", type=AccountType.LIABILITY),
    PostEntry(lines=lines, idempotency_key="deposit"),
    PlaceHold(account_id=2, amount=10, counter_account_id=1),
    CaptureHold(hold_id=1, amount=4, final=False),
    ReleaseHold(hold_id=1),
    ReverseEntry(entry_id=2),
    ReverseEntry(entry_id=2),
]
async def awaited():
    told = []
    for command in commands:
        told.append(await (await queue.submit_async(org, command)).get_async(timeout=30))
    first, second = await asyncio.gather(*(queue.submit_async(org, commands[2]) for _ in range(2)))
    return [*told, *await asyncio.gather(first.get_async(timeout=30), second.get_async(timeout=30))]
if sys.argv[2] == "async":
    told = asyncio.run(awaited())
else:
    told = [queue.submit(org, command).get(timeout=30) for command in commands]
    told += [queue.submit(org, commands[2]).get(timeout=30) for _ in range(2)]
queue.close()
json.dump(told, sys.stdout)
"""


def _run(folder: Path, *arguments: str, stdin: object = None, **environment: str) -> Any:
    """Run Python in an empty folder and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        input=json.dumps(stdin), capture_output=True, text=True, cwd=folder, env=environment, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _plain(org: Org, folder: Path, *tasks: Json) -> list[Json]:
    """Enqueue tasks from plain Celery, one after the other, and return their results."""
    site_packages = sysconfig.get_path("purelib")
    wanted = {"url": org.stack.broker_url, "packages": PACKAGES, "tasks": [{"org": org.slug, **task} for task in tasks]}
    found = _run(folder, "-I", "-S", "-c", PLAIN, site_packages, stdin=wanted)
    assert found["known"] == [], "nothing of this project may be within its reach"
    told: list[Json] = found["told"]
    return told


def _set_aside(org: Org) -> list[Item]:
    return [kept.item for kept in SetAside(org.stack.data).items()]


@pytest.mark.parametrize("how", ["sync", "async"])
def test_this_projects_producer_submits_and_waits_in_a_process_of_its_own(org: Org, tmp_path: Path, how: str) -> None:
    told = _run(tmp_path, "-c", OURS, org.slug, how, LEDGER_REDIS_URL=org.stack.broker_url)

    assert [each["http_status"] for each in told] == [201, 201, 201, 201, 200, 200, 201, 409, 201, 201]
    assert (told[7]["status"], told[7]["error"]["code"]) == ("refused", "entry_already_reversed")
    assert told[2] == told[8] == told[9]
    assert [each["result"]["id"] for each in told[:3]] == [1, 2, 1]
    assert org.balance(2)["available"] == 100
    assert org.proof()["entries"] == 3


def test_plain_celery_without_any_of_this_project_makes_every_kind_of_write(org: Org, tmp_path: Path) -> None:
    told = _plain(
        org,
        tmp_path,
        {"kind": "account", "command": {"name": "Cash", "type": "asset"}},
        {"kind": "account", "command": {"name": "Customers", "type": "liability", "idempotency_key": "c"}},
        {"kind": "entry", "command": entry(1, 2, 100, idempotency_key="deposit")},
        {"kind": "hold", "command": {"account_id": 2, "amount": 10, "counter_account_id": 1}},
        {"kind": "capture", "command": {"hold_id": 1, "amount": 4, "final": False}},
        {"kind": "release", "command": {"hold_id": 1}},
        {"kind": "reversal", "command": {"entry_id": 2, "description": "Back"}},
        {"kind": "release", "command": {"hold_id": 1}},
    )

    assert [(each["status"], each["http_status"]) for each in told] == [
        *[("applied", 201)] * 4, ("applied", 200), ("applied", 200), ("applied", 201), ("refused", 409),
    ]  # fmt: skip
    paths = ["accounts/1", "accounts/2", "entries/1"]
    assert [each["result"] for each in told[:3]] == [org.get(f"/v1/{path}").json() for path in paths]
    assert told[5]["result"] == org.get("/v1/holds/1").json()
    assert told[7]["error"]["code"] == "hold_not_active"
    for each in told:
        operation = org.get(f"/v1/operations/{each['operation_id']}").json()
        assert {name: operation[name] for name in each} == each
    assert org.proof()["operations"] == 8


def test_a_command_as_large_as_a_body_may_be_is_applied_and_a_larger_one_refused_and_kept(
    org: Org, tmp_path: Path
) -> None:
    org.open_pair()
    entries = _entries_of(MIB)
    larger = [{**entries[0], "description": entries[0]["description"] + "x"}, *entries[1:]]
    kept = len(_set_aside(org))

    fits, refused = _plain(
        org,
        tmp_path,
        {"kind": "bulk", "command": {"entries": entries}},
        {"kind": "bulk", "command": {"entries": larger}},
    )

    assert (_size({"entries": entries}), _size({"entries": larger})) == (MIB, MIB + 1)
    assert len(fits["result"]["results"]) == len(entries)
    assert (refused["status"], refused["http_status"], refused["result"]) == ("refused", 413, None)
    assert (refused["error"]["code"], refused["error"]["bytes_max"]) == ("body_too_large", MIB)
    assert len(_set_aside(org)) == kept + 1
    assert "1048576 bytes" in _set_aside(org)[-1].cause
    assert org.proof()["entries"] == len(entries)


def _entries_of(size: int) -> list[Json]:
    """Build entries that take exactly so many bytes as the body of a bulk."""
    full, last = entry(1, 2, 1, description="ü" * 495), entry(1, 2, 1, description="")
    left = size - len('{"entries":[]}') - _size(last)
    count, rest = divmod(left, _size(full) + 1)
    return [*[full] * count, {**last, "description": "x" * rest}]


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


@pytest.mark.parametrize("argument", ["org", "kind", "command"])
def test_no_argument_of_a_task_may_be_larger_than_a_body(org: Org, tmp_path: Path, argument: str) -> None:
    org.open_pair()
    kept = len(_set_aside(org))
    task = {"org": org.slug, "kind": "entry", "command": entry(1, 2, 5), argument: "x" * 3 * MIB}

    refused, posted = _plain(org, tmp_path, task, {"kind": "entry", "command": entry(1, 2, 5)})

    assert (refused["http_status"], refused["error"]["code"]) == (413, "body_too_large")
    assert len(json.dumps(refused)) < 1_000
    assert posted["http_status"] == 201
    eventually(lambda: len(_set_aside(org)) == kept + 1, "it is kept")
    assert len(_set_aside(org)[-1].body) <= BODY_BYTES_MAX


@pytest.mark.parametrize("depth", [50, 900])
def test_a_command_nested_deeply_is_refused_and_kept(org: Org, tmp_path: Path, depth: int) -> None:
    org.open_pair()
    kept = len(_set_aside(org))
    nested: Any = 1
    for _ in range(depth):
        nested = [nested]

    refused, posted = _plain(
        org,
        tmp_path,
        {"kind": "entry", "command": {**entry(1, 2, 5), "metadata": nested}},
        {"kind": "entry", "command": entry(1, 2, 5)},
    )

    assert (refused["http_status"], refused["error"]["code"]) == (422, "invalid_request")
    assert posted["http_status"] == 201
    assert len(_set_aside(org)) == kept + 1


def test_a_bulk_on_the_queue_is_one_write_and_atomic(org: Org, tmp_path: Path) -> None:
    org.open_pair()
    entries = [entry(1, 2, 5), entry(1, 9, 5)]

    each, whole = _plain(
        org,
        tmp_path,
        {"kind": "bulk", "command": {"entries": entries, "atomic": False}},
        {"kind": "bulk", "command": {"entries": entries}},
    )

    assert (each["http_status"], each["error"]["code"]) == (422, "invalid_request")
    assert [complaint["pointer"] for complaint in each["error"]["errors"]] == ["/atomic"]
    assert (whole["http_status"], whole["error"]["code"], whole["error"]["position"]) == (422, "account_not_found", 1)
    assert org.proof()["entries"] == 0
