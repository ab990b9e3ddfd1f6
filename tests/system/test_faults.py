"""What a crash costs: time, but no answered and no accepted write, and none is carried out twice."""

import json
import os
import shutil
import signal
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.system.callers import at_once
from tests.system.orgs import Json, Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually

SUPERVISOR = "-m ledgerctl up"
WORKER = "-m workers"
INTAKE = "-m intake"
BROKER = "valkey-server"


@pytest.fixture
def org(own_stack: Callable[..., Stack]) -> Org:
    """An org with two accounts, on a stack of its own."""
    org = own_stack().org("faulty")
    org.open_pair()
    return org


def _post(org: Org, key: str, prefer: str = "") -> httpx.Response:
    return org.post("/v1/entries", entry(1, 2, 1, idempotency_key=key), Prefer=prefer)


def _outcome(org: Org, accepted: httpx.Response) -> Json:
    """Wait for what became of a write, through restarts of whatever may be asked."""

    def look() -> Json | None:
        try:
            response = org.get(accepted.headers["Location"])
        except httpx.TransportError:
            return None
        operation: Json = response.json()
        return operation if response.status_code == 200 and operation["status"] != "pending" else None

    return eventually(look, "the write reaches an outcome")


def _keys(org: Org) -> list[str]:
    return [item["idempotency_key"] for item in org.all("/v1/entries")]


def _wipe_broker(stack: Stack) -> None:
    """End the broker as a crash would, and lose its disk, while nobody starts it again."""
    with stack.halted(SUPERVISOR):
        stack.kill(BROKER)
        shutil.rmtree(stack.data / "broker" / "appendonlydir")


@pytest.mark.parametrize("victim", [WORKER, BROKER])
def test_a_crash_in_mid_load_loses_nothing_and_repeats_nothing(org: Org, victim: str) -> None:
    told: list[httpx.Response] = []
    crashed = threading.Event()

    def call(caller: int) -> None:
        after = 0
        while after < 3:  # so that the load is under way when it crashes, however fast this machine is
            after += crashed.is_set()
            told.append(_post(org, f"{caller}-{uuid.uuid4()}"))

    def crash() -> None:
        eventually(lambda: len(told) >= 40, "the load is under way")
        org.stack.kill(victim)
        crashed.set()

    killer = threading.Thread(target=crash)
    killer.start()
    at_once(16, call)
    killer.join()

    statuses = {answer.status_code for answer in told}
    assert statuses <= ({201, 202} if victim == WORKER else {201, 202, 503})
    for answer in told:
        if answer.status_code == 202:
            assert _outcome(org, answer)["status"] == "applied"
    written = _keys(org)
    answered = [answer for answer in told if answer.status_code != 503]
    assert len(written) == len(set(written)) == len(answered)
    assert org.balance(1)["total"] == org.proof()["entries"] == len(written)


def test_what_was_accepted_outlives_the_intake_that_accepted_it(org: Org) -> None:
    with org.stack.halted(WORKER):
        accepted = _post(org, "k", "respond-async")
        org.stack.kill(INTAKE)

    assert _outcome(org, accepted)["status"] == "applied"
    assert org.proof()["entries"] == 1


def test_what_was_accepted_outlives_the_broker_with_all_its_data(org: Org) -> None:
    with org.stack.halted(WORKER):
        accepted = [_post(org, "a", "respond-async"), _post(org, "b", "wait=0")]
        _wipe_broker(org.stack)

    assert [_outcome(org, each)["status"] for each in accepted] == ["applied", "applied"]
    assert org.proof()["entries"] == 2


def test_what_was_accepted_outlives_everything_at_once_and_the_broker_s_disk(org: Org) -> None:
    with org.stack.halted(WORKER):
        accepted = _post(org, "k", "respond-async")
        org.stack.stop(signal.SIGKILL)
    shutil.rmtree(org.stack.data / "broker")

    org.stack.start()

    assert _outcome(org, accepted)["status"] == "applied"
    assert _post(org, "k").headers["Idempotency-Replayed"] == "true"
    assert org.proof()["entries"] == 1


def test_without_a_broker_a_write_is_refused_or_accepted_for_good_and_reads_go_on(org: Org) -> None:
    _post(org, "before")
    with org.stack.halted(SUPERVISOR):
        org.stack.kill(BROKER)
        told = {"first": _post(org, "first", "wait=1")}
        eventually(lambda: not org.stack.healthy(), "it notices")
        told["sync"] = _post(org, "sync")
        told["async"] = _post(org, "async", "respond-async")
        health = org.stack.http.get("/health")
        assert _keys(org) == ["before"]

    assert (health.status_code, health.json()["checks"]["broker"]) == (503, "the broker does not answer")
    assert (told["sync"].status_code, told["sync"].json()["code"]) == (503, "queue_unavailable")
    assert told["sync"].headers["Retry-After"] == "1"
    assert told["async"].status_code == 202
    accepted = {key for key, answer in told.items() if answer.status_code == 202}
    assert all(_outcome(org, told[key])["status"] == "applied" for key in accepted)
    eventually(lambda: _post(org, "after").status_code == 201, "writes work again")
    assert sorted(_keys(org)) == sorted({"before", "after", *accepted})


def test_health_names_the_lanes_that_no_worker_owns(org: Org) -> None:
    with org.stack.halted(SUPERVISOR):
        org.stack.kill(WORKER)
        eventually(lambda: not org.stack.healthy(), "it notices")
        health = org.stack.http.get("/health")

    assert health.status_code == 503
    assert health.json()["status"] == "unavailable"
    assert {name: state for name, state in health.json()["checks"].items() if state != "ok"} == {
        "workers": "no worker for lanes 0, 1, 2, 3"
    }
    eventually(org.stack.healthy, "the worker is started again")


def test_whoever_waits_when_the_ledger_stops_is_told_that_the_write_is_accepted(org: Org) -> None:
    told: list[httpx.Response] = []
    with org.stack.halted(WORKER):
        callers = [threading.Thread(target=lambda n=n: told.append(_post(org, f"k-{n}"))) for n in range(5)]
        for caller in callers:
            caller.start()
        eventually(lambda: org.stack.metric("ledger_commands_pending") == 5, "all are on their way")
        stopping = threading.Thread(target=org.stack.stop)
        stopping.start()
        for caller in callers:
            caller.join()
    stopping.join()

    assert [answer.status_code for answer in told] == [202] * 5

    org.stack.start()
    assert [_outcome(org, answer)["status"] for answer in told] == ["applied"] * 5
    assert org.proof()["entries"] == 5


def test_reads_go_on_while_more_callers_wait_than_there_are_threads(own_stack: Callable[..., Stack]) -> None:
    """A wait holds no thread: neither that of a write nor that for an operation."""
    stack = own_stack(environment={"LEDGER_THREADS": "2"})
    org = stack.org("patient")
    org.open_pair()

    with stack.halted(WORKER), ThreadPoolExecutor(24) as callers:
        pending = [_post(org, f"w-{n}", "respond-async").headers["Operation-Id"] for n in range(8)]
        writes = [callers.submit(_post, org, f"s-{n}") for n in range(16)]
        waits = [callers.submit(org.get, f"/v1/operations/{item}", Prefer="wait=20") for item in pending]
        eventually(lambda: stack.metric("ledger_commands_pending") == 24, "all of them are under way")
        meanwhile = org.get("/v1/accounts/1/balance")
        os.kill(stack.processes(WORKER)[0].pid, signal.SIGCONT)
        answers = [write.result() for write in writes]
        operations = [wait.result().json() for wait in waits]

    assert meanwhile.json()["version"] == 0
    assert {answer.status_code for answer in answers} == {201}, answers[0].text
    assert {operation["status"] for operation in operations} == {"applied"}
    assert org.balance(1)["version"] == 24


def test_a_key_that_is_revoked_while_its_write_waits_changes_no_answer(own_stack: Callable[..., Stack]) -> None:
    """Whoever was let in is told what became of the write: an error would hide that it was carried out."""
    stack = own_stack()
    org = stack.org("revoked")
    org.open_pair()
    (key,) = json.loads(stack.ctl("key", "list", "revoked", "--json"))

    with ThreadPoolExecutor(1) as caller:
        with stack.halted(WORKER):
            write = caller.submit(_post, org, "last")
            eventually(lambda: stack.metric("ledger_commands_pending") == 1, "the write is under way")
            stack.ctl("key", "revoke", "revoked", key["key_id"])
            eventually(lambda: org.get("/v1/accounts/1").status_code == 401, "the key works no more")
        answer = write.result()

    assert answer.status_code == 201, answer.text


def test_a_key_on_its_way_under_another_request_is_refused_whether_one_waits_or_not(org: Org) -> None:
    """The first to come has the key, decided or not: nobody is promised a write that can never happen."""
    with ThreadPoolExecutor(1) as caller, org.stack.halted(WORKER):
        first = caller.submit(_post, org, "one")
        eventually(lambda: org.stack.metric("ledger_commands_pending") == 1, "the first is under way")
        other = entry(1, 2, 222, idempotency_key="one")
        refusals = [org.post("/v1/entries", other, Prefer=prefer) for prefer in ("respond-async", "wait=1", "wait=0")]
        for worker in org.stack.processes(WORKER):
            os.kill(worker.pid, signal.SIGCONT)
        answer = first.result()

    assert {refusal.json()["code"] for refusal in refusals} == {"idempotency_key_reused"}
    assert answer.status_code == 201
    assert org.balance(1)["total"] == 1
