"""Poison: what meets a bug of ours, or makes no sense, is set aside alone, shown, and sent again by an operator."""

import json
import shutil
import subprocess
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from ledger_core.set_aside import Form, Item, SetAside
from tests.system.faults import Faults
from tests.system.orgs import Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually
from wire import LedgerQueue, Line, PostEntry, Side, broker

WORKER = "-m workers"
INTAKE = "-m intake"
BROKER = "valkey-server"
SUPERVISOR = "-m ledgerctl up"
LINES = [
    Line(account_id=1, amount=5, direction=Side.DEBIT),
    Line(account_id=2, amount=5, direction=Side.CREDIT),
]


class Sick(NamedTuple):
    """An org on a stack with faults."""

    org: Org
    faults: Faults

    def post(self, key: str | None, description: str = "poison", prefer: str = "", amount: int = 1) -> httpx.Response:
        """Post an entry, poison unless it is described otherwise."""
        fields = {} if key is None else {"idempotency_key": key}
        return self.org.post("/v1/entries", entry(1, 2, amount, description=description, **fields), Prefer=prefer)

    def items(self) -> list[dict[str, Any]]:
        """Return what is set aside."""
        found: list[dict[str, Any]] = json.loads(self.org.stack.ctl("set-aside", "list", "--json"))["items"]
        return found

    def ctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `ledgerctl set-aside` as an operator does, in a process of its own."""
        return self.org.stack.shell("set-aside", *arguments, PYTHONPATH="")  # without the faults

    def status(self, answer: httpx.Response) -> str:
        """Return how an operation stands."""
        return str(self.org.get(f"/v1/operations/{answer.headers['Operation-Id']}").json().get("status"))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Faults]]:
    """A stack with faults, shared by the tests of this file."""
    folder = tmp_path_factory.mktemp("poison")
    faults = Faults(folder / "faults")
    stack = Stack(folder / "data", environment=faults.environment).start()
    yield stack, faults
    assert stack.stop() == 0


@pytest.fixture
def sick(faulty: tuple[Stack, Faults], request: pytest.FixtureRequest) -> Iterator[Sick]:
    """An org with two accounts, in whose rules there is a bug."""
    stack, faults = faulty
    org = stack.org(f"sick-{zlib.crc32(request.node.name.encode())}")
    org.open_pair()
    faults.poison()
    yield Sick(org, faults)
    faults.end()
    stack.ctl("set-aside", "drop", "--all")


def test_a_waiting_caller_is_told_at_once_and_others_of_its_message_are_applied(sick: Sick) -> None:
    told: dict[str, httpx.Response] = {}

    with sick.org.stack.halted(WORKER):  # so that one message carries them all

        def post(caller: int) -> None:
            name = "poison" if caller == 3 else f"sound {caller}"
            told[name] = sick.post(f"k-{caller}", name)

        threads = [threading.Thread(target=post, args=(caller,)) for caller in range(8)]
        for thread in threads:
            thread.start()
        eventually(lambda: sick.org.stack.metric("ledger_commands_pending") == 8, "all are on their way")
    for thread in threads:
        thread.join()

    poison = told.pop("poison")
    assert (poison.status_code, poison.json()["code"]) == (500, "internal_error")
    assert "ZeroDivision" not in poison.text
    assert {answer.status_code for answer in told.values()} == {201}
    (item,) = sick.items()
    assert (item["org"], item["kind"], item["times"]) == (sick.org.slug, "entry", 1)
    assert item["cause"] == "ZeroDivisionError: a bug in the rules"
    assert json.loads(item["body"])["idempotency_key"] == "k-3"
    assert sick.org.proof()["entries"] == 7


def test_what_a_caller_was_told_is_not_carried_out_behind_its_back(sick: Sick) -> None:
    """An answer with an error status moved no money, and none is moved afterwards unless its caller agrees."""
    told = sick.post("k")
    sick.faults.end()

    refused = sick.ctl("retry", "--all")

    assert told.status_code == 500
    assert refused.returncode == 1
    assert "may send it again" in refused.stdout
    assert sick.org.proof()["entries"] == 0
    agreed = sick.ctl("retry", "--all", "--told-too")
    assert (agreed.returncode, agreed.stdout.split("\t")[1]) == (0, "applied\n")
    assert sick.post("k").headers["Idempotency-Replayed"] == "true"
    assert sick.org.proof()["entries"] == 1


def test_its_key_is_free_for_another_try(sick: Sick) -> None:
    assert sick.post("k").status_code == 500
    sick.faults.end()

    assert sick.post("k").status_code == 201

    retried = sick.ctl("retry", "--all")
    assert (retried.returncode, retried.stdout.split("\t")[1]) == (0, "applied before\n")
    assert sick.org.proof()["entries"] == 1


def test_what_was_promised_stays_pending_is_not_sent_over_and_over_and_is_applied_when_it_is_retried(
    sick: Sick,
) -> None:
    stack = sick.org.stack
    accepted = sick.post(None, prefer="respond-async")
    eventually(sick.items, "it is set aside")
    answered = stack.metric("ledger_commands_answered_total")
    looked = _sweeps(stack)
    eventually(lambda: _sweeps(stack) >= looked + 2, "the inbox was gone through twice")

    assert accepted.status_code == 202
    assert sick.status(accepted) == "pending"
    assert stack.metric("ledger_commands_answered_total") == answered
    (item,) = sick.items()
    assert item["times"] == 1
    assert sick.ctl("show", str(item["number"])).stdout.count("accepted with a 202") == 1

    still = sick.ctl("retry", str(item["number"]))
    assert (still.returncode, still.stdout.split("\t")[1]) == (
        1,
        "set aside again: ZeroDivisionError: a bug in the rules\n",
    )
    sick.faults.end()
    retried = sick.ctl("retry", "--org", sick.org.slug)
    again = sick.ctl("retry", "--org", sick.org.slug)

    assert (retried.returncode, retried.stdout) == (0, f"{item['number']}\tapplied\n")
    assert (again.returncode, again.stdout) == (0, "")
    assert sick.status(accepted) == "applied"
    assert sick.items() == []
    assert sick.org.proof()["entries"] == 1


def _sweeps(stack: Stack) -> float:
    return stack.metric("ledger_inbox_sweeps_total")


def test_what_was_promised_is_refused_for_good_when_it_is_given_up(sick: Sick) -> None:
    accepted = sick.post("k", prefer="respond-async")
    eventually(sick.items, "it is set aside")

    dropped = sick.ctl("drop", "--cause", "ZeroDivisionError")
    sick.faults.end()

    assert (dropped.returncode, dropped.stdout.split("\t")[1]) == (0, "refused for good: internal_error\n")
    operation = sick.org.get(accepted.headers["Location"]).json()
    assert (operation["status"], operation["http_status"]) == ("refused", 500)
    assert operation["error"]["code"] == "internal_error"
    replayed = sick.post("k")
    assert (replayed.status_code, replayed.headers["Idempotency-Replayed"]) == (500, "true")
    assert replayed.json() == operation["error"]
    assert sick.org.proof()["entries"] == 0


def test_it_is_still_set_aside_and_not_sent_after_restarts_of_everything_and_the_loss_of_the_broker(
    tmp_path: Path,
) -> None:
    faults = Faults(tmp_path / "faults")
    stack = Stack(tmp_path / "data", environment=faults.environment).start()
    org = stack.org("sick")
    org.open_pair()
    faults.poison()
    sick = Sick(org, faults)
    accepted = [sick.post(f"k-{n}", prefer="respond-async") for n in range(3)]
    eventually(lambda: len(sick.items()) == 3, "they are set aside")
    before = sick.items()

    with stack.halted(SUPERVISOR):
        for part in (WORKER, INTAKE, BROKER):
            stack.kill(part)
        shutil.rmtree(stack.data / "broker" / "appendonlydir")
    eventually(stack.healthy, "all of it is started again")
    looked = _sweeps(stack)
    eventually(lambda: _sweeps(stack) >= looked + 2, "the inbox was gone through twice")

    assert sick.items() == before
    assert stack.metric("ledger_commands_answered_total") == 0
    assert stack.http.get("/health").json()["checks"]["set_aside"].startswith("3 items are set aside")
    faults.end()
    assert sick.ctl("retry", "--all").returncode == 0
    assert {sick.status(answer) for answer in accepted} == {"applied"}
    assert org.proof()["entries"] == 3
    stack.stop()


def test_a_bulk_whose_entries_stand_for_themselves_loses_only_the_bad_one(sick: Sick) -> None:
    entries = [entry(1, 2, n, description="poison" if n == 2 else "sound") for n in (1, 2, 3)]

    told = sick.org.post("/v1/entries/bulk", {"entries": entries, "atomic": False}).json()["results"]
    whole = sick.org.post("/v1/entries/bulk", {"entries": entries})

    assert [each["http_status"] for each in told] == [201, 500, 201]
    assert (whole.status_code, whole.json()["code"]) == (500, "internal_error")
    assert sick.org.proof()["entries"] == 2


def test_a_command_of_another_service_has_no_result_until_it_is_retried(sick: Sick) -> None:
    org = sick.org
    queue = LedgerQueue.from_env({"LEDGER_REDIS_URL": org.stack.broker_url})
    submitted = queue.submit(org.slug, PostEntry(lines=LINES, description="poison"))
    (item,) = eventually(sick.items, "it is set aside")
    with pytest.raises(TimeoutError):
        submitted.get(timeout=0.5)
    path = f"/v1/operations/{item['operation_id']}"
    assert org.get(path).json()["status"] == "pending"

    sick.faults.end()
    retried = sick.ctl("retry", "--all")

    assert (retried.returncode, retried.stdout.split("\t")[1]) == (0, "applied\n")
    assert org.get(path).json()["status"] == "applied"
    again = queue.submit(org.slug, PostEntry(lines=LINES, description="poison"), task_id=submitted.task_id)
    assert again.get(timeout=30)["result"]["id"] == 1
    assert org.proof()["entries"] == 1
    queue.close()


def _lane(org: Org) -> str:
    return f"ledger.lane.{zlib.crc32(org.slug.encode()) % 4}"


def test_garbage_is_put_back_byte_for_byte_and_says_that_it_is_still_garbage(sick: Sick) -> None:
    garbage = b'{"headers": \xff garbage'
    with broker.connect(sick.org.stack.broker_url) as client:
        client.lpush(_lane(sick.org), garbage)
    (item,) = eventually(sick.items, "it is set aside")

    retried = sick.ctl("retry", "--all", "--json")

    assert (item["form"], item["lane"]) == ("stray", _lane(sick.org))
    assert item["body_base64"] == "eyJoZWFkZXJzIjog/yBnYXJiYWdl"
    assert retried.returncode == 1
    assert json.loads(retried.stdout)["said"].startswith("set aside again: it is no message")
    (again,) = sick.items()
    assert (again["number"], again["times"], again["body_base64"]) == (item["number"], 2, item["body_base64"])
    assert sick.ctl("drop", str(item["number"])).stdout == f"{item['number']}\tforgotten\n"


def test_a_message_that_was_whole_after_all_is_applied_when_it_is_put_back(sick: Sick) -> None:
    """What a lane could not take in an earlier version is carried out by a later one, as it came."""
    lane, url = _lane(sick.org), sick.org.stack.broker_url
    queue = LedgerQueue.from_env({"LEDGER_REDIS_URL": f"{url}?virtual_host=1"})  # where no worker takes it
    queue.submit(sick.org.slug, PostEntry(lines=LINES))
    queue.close()
    with broker.connect(f"{url}?db=1") as client:
        message = client.rpop(lane)
    assert isinstance(message, bytes)
    SetAside(sick.org.stack.data).keep(Item(Form.STRAY, message, "not understood", 1, lane=lane))

    retried = sick.ctl("retry", "--all")

    assert (retried.returncode, retried.stdout.split("\t")[1]) == (0, f"put back on {lane}\n")
    eventually(lambda: sick.org.proof()["entries"] == 1, "it is applied")
