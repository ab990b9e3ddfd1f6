"""The broker is gone, in each way that it can be: writes are told so soon and truly, reads go on, all comes back."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.system.breakable import OwnBroker, own_broker
from tests.system.callers import at_once
from tests.system.distant import distant_broker
from tests.system.orgs import Org, entry
from tests.system.services import Service, queue_of
from tests.system.stack import Process, Stack
from tests.waiting import eventually

TOLD_WITHIN_S = 2.0  # what a caller is promised
BACK_WITHIN_S = 10.0  # measured: below 1; a busy machine takes longer to start a broker
OUTAGES = 20
LINES_PER_OUTAGE_MAX = 12  # of intake and worker together; measured: 6


class Told(NamedTuple):
    """What a write came to, and when."""

    key: str
    response: httpx.Response
    took_s: float


class Setting(NamedTuple):
    """A ledger, and a broker of its own that may be broken."""

    stack: Stack
    broker: OwnBroker

    def gone(self, how: str) -> AbstractContextManager[None]:
        """Have the broker gone in one way, for the length of a block."""
        found: Callable[[], AbstractContextManager[None]] = getattr(self.broker, how)
        return found()


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """A ledger on a broker over TCP, with a password, that nobody starts again."""
    folder = tmp_path_factory.mktemp("gone")
    with own_broker(folder / "broker") as broker:
        stack = Stack(folder / "data", environment={"LEDGER_REDIS_URL": broker.named_url, **broker.names}).start()
        yield Setting(stack, broker)
        assert stack.stop() == 0


@pytest.fixture
def distant(tmp_path: Path) -> Iterator[Setting]:
    """A ledger on a broker that is reached over a network that may lose every packet."""
    with distant_broker(tmp_path / "broker") as broker:
        stack = Stack(tmp_path / "data", environment={"LEDGER_REDIS_URL": broker.url}).start()
        yield Setting(stack, broker)
        assert stack.stop() == 0


def _post(org: Org, key: str, prefer: str = "") -> Told:
    began_s = time.monotonic()
    response = org.post("/v1/entries", entry(1, 2, 1, idempotency_key=key), Prefer=prefer)
    return Told(key, response, time.monotonic() - began_s)


def _is_applied(org: Org, told: Told) -> bool:
    return bool(org.get(f"/v1/operations/{told.response.headers['Operation-Id']}").json()["status"] == "applied")


def _keys(org: Org) -> set[str]:
    keys = [item["idempotency_key"] for item in org.all("/v1/entries")]
    assert len(keys) == len(set(keys))
    return set(keys)


class Reading(threading.Thread):
    """Somebody who reads a balance all the while."""

    def __init__(self, org: Org) -> None:
        super().__init__(daemon=True)
        self._org = org
        self._done = threading.Event()
        self.statuses: set[int] = set()
        self.slowest_s = 0.0

    def run(self) -> None:
        while not self._done.wait(0.01):
            began_s = time.monotonic()
            self.statuses.add(self._org.get("/v1/accounts/1/balance").status_code)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)

    def end(self) -> None:
        self._done.set()
        self.join()


@pytest.mark.parametrize("how", ["killed", "frozen", "full", "locked", "wiped", "unknown", "unfound"])
def test_writes_are_told_soon_and_truly_and_reads_go_on(setting: Setting, how: str) -> None:
    _outage(setting, how)


def test_a_network_that_loses_every_packet_is_an_outage_as_any_other(distant: Setting) -> None:
    _outage(distant, "unreachable")


def test_a_result_that_the_broker_does_not_take_holds_up_no_lane(setting: Setting) -> None:
    """Its write is done. A worker that held its message for ever would never take another one."""
    org = setting.stack.org("unkept")
    org.open_pair()
    service = Service(setting.broker.url)
    with setting.broker.keeping_no_results():
        for key in ("one", "two"):
            kwargs = {"org": org.slug, "kind": "entry", "command": entry(1, 2, 1, idempotency_key=key)}
            service.send(queue=queue_of(org.slug), kwargs=kwargs, timeout_s=0)
        eventually(lambda: _keys(org) == {"one", "two"}, "both are applied")
        assert _post(org, "meanwhile").response.status_code == 201
    assert _post(org, "after").response.status_code == 201
    command = entry(1, 2, 1, idempotency_key="with a result")
    assert service.submit(org.slug, "entry", command)["http_status"] == 201
    service.end()


def _outage(setting: Setting, how: str) -> None:
    """Have the broker gone for a while, with writes and reads before, meanwhile and after."""
    stack = setting.stack
    org = stack.org(f"gone-{how}")
    org.open_pair()
    reading = Reading(org)
    reading.start()
    log_lines = len(stack.log.read_text().splitlines())

    with setting.gone(how):
        told = [_post(org, "first")]
        told += at_once(8, lambda caller: _post(org, f"at-once-{caller}"))
        eventually(lambda: not stack.healthy(), "it says so of itself")
        told += [_post(org, f"later-{turn}") for turn in range(20)]
        accepted = _post(org, "async", "respond-async")
        pending = org.get(accepted.response.headers["Location"])
    eventually(lambda: _post(org, "after").response.status_code == 201, "writes work again", within_s=BACK_WITHIN_S)

    assert accepted.response.status_code == 202
    assert (pending.status_code, pending.json()["status"]) == (200, "pending")
    assert max(each.took_s for each in told) < TOLD_WITHIN_S
    assert {each.response.status_code for each in told[-20:]} == {503}
    assert {each.response.json()["code"] for each in told[-20:]} == {"queue_unavailable"}
    assert {each.response.headers["Retry-After"] for each in told[-20:]} == {"1"}
    kept = [accepted, *(each for each in told if each.response.status_code != 503)]
    assert {each.response.status_code for each in kept} <= {201, 202}
    for each in kept:
        eventually(lambda each=each: _is_applied(org, each), "what was accepted reaches its outcome")  # type: ignore[misc]
    eventually(stack.healthy, "it is well again")
    reading.end()
    assert reading.statuses == {200}
    assert reading.slowest_s < TOLD_WITHIN_S / 2
    assert _keys(org) == {"after", *(each.key for each in kept)}
    assert len(stack.log.read_text().splitlines()) - log_lines < LINES_PER_OUTAGE_MAX


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("killed", "the broker does not answer"),
        ("frozen", "the broker does not answer"),
        ("full", "the broker is out of memory"),
        ("locked", "the broker refuses our password"),
    ],
)
def test_health_says_what_is_wrong_with_the_broker_before_anybody_writes(
    setting: Setting, how: str, cause: str
) -> None:
    def says() -> bool:
        response = setting.stack.http.get("/health")
        return bool(response.status_code == 503 and response.json()["checks"]["broker"] == cause)

    with setting.gone(how):
        eventually(says, cause)

    eventually(setting.stack.healthy, "it is well again", within_s=BACK_WITHIN_S)


def test_writes_under_way_when_the_broker_stands_still_are_accepted_and_a_retry_is_told_the_same(
    setting: Setting,
) -> None:
    org = setting.stack.org("under-way")
    org.open_pair()
    done = _post(org, "done")
    told: list[Told] = []

    with setting.gone("frozen"):
        callers = [threading.Thread(target=lambda n=n: told.append(_post(org, f"k-{n}"))) for n in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        under_way = [each for each in told if each.response.status_code == 202]
        replayed = _post(org, "done")
        again = [_post(org, each.key) for each in under_way]
        new = _post(org, "new")

    assert under_way
    assert max(each.took_s for each in told) < TOLD_WITHIN_S
    assert {each.response.status_code for each in told} <= {202, 503}
    assert (replayed.response.status_code, replayed.response.content) == (201, done.response.content)
    assert replayed.response.headers["Idempotency-Replayed"] == "true"
    assert {each.response.status_code for each in again} == {202}
    assert new.response.status_code == 503
    for each in under_way:
        eventually(lambda each=each: _is_applied(org, each), "it reaches its outcome")  # type: ignore[misc]
    eventually(lambda: _post(org, "after").response.status_code == 201, "writes work again", within_s=BACK_WITHIN_S)
    assert _keys(org) == {"done", "after", *(each.key for each in under_way)}


def test_an_http_server_that_starts_while_no_answer_comes_for_the_name_of_the_broker_serves_reads(
    setting: Setting,
) -> None:
    stack = setting.stack
    org = stack.org("started")
    org.open_pair()

    with setting.gone("unfound"):
        stack.kill("-m intake")
        eventually(lambda: _reads(org), "balances are read", within_s=BACK_WITHIN_S)
        told = _post(org, "told")

    assert told.response.status_code == 503
    assert told.took_s < TOLD_WITHIN_S
    eventually(lambda: _post(org, "after").response.status_code == 201, "writes work again", within_s=BACK_WITHIN_S)


def _reads(org: Org) -> bool:
    try:
        return org.stack.http.get("/v1/accounts/1/balance", headers=org.headers, timeout=1.0).status_code == 200
    except httpx.TransportError:
        return False


def test_twenty_outages_leave_no_thread_and_no_descriptor_behind(setting: Setting) -> None:
    stack, broker = setting.stack, setting.broker
    org = stack.org("twenty")
    org.open_pair()

    def outage(number: int) -> None:
        if number % 2:
            broker.cut()
        else:
            with broker.killed():
                _post(org, f"in-{number}")
        eventually(lambda: _post(org, f"after-{number}").response.status_code == 201, "writes work again")

    for number in range(4):
        outage(number)
    before = _held(stack)
    for number in range(4, 4 + OUTAGES):
        outage(number)

    eventually(lambda: all(_held(stack)[kind] <= before[kind] + 4 for kind in before), f"nothing is left of {before}")


def _held(stack: Stack) -> dict[str, int]:
    """Count what each process holds: its descriptors and its threads."""
    held = {}
    for part in ("-m intake", "-m workers"):
        (process,) = stack.processes(part)
        held[f"{part}: descriptors"] = _entries(process, "fd")
        held[f"{part}: threads"] = _entries(process, "task")
    return held


def _entries(process: Process, folder: str) -> int:
    return len(list(Path(f"/proc/{process.pid}/{folder}").iterdir()))
