"""Keys and the broker's password are seen where they must be, and nowhere else, whatever goes wrong."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import httpx
import pytest

from ledgerctl.cli import cli
from tests.system.brokers import Broker
from tests.system.orgs import Org, entry
from tests.system.stack import Stack
from tests.system.test_framing import exchange
from tests.waiting import eventually

BROKER_PASSWORD = "canary-of-the-broker-7f3a"  # a canary
WRONG_KEY = "ffl_canary-of-a-guess-51c0"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker with a password that must show up nowhere."""
    running = Broker(tmp_path / "broker", BROKER_PASSWORD).start()
    yield running
    running.end()


@pytest.fixture
def faulty(own_stack: Callable[..., Stack], broker: Broker) -> Stack:
    """A stack on it that logs all it can, and has bugs in it."""
    environment = {
        "LEDGER_REDIS_URL": broker.url,
        "LEDGER_LOG_LEVEL": "debug",
        "PYTHONPATH": str(Path(__file__).with_name("faulty")),
    }
    before = os.umask(0)  # a careless one
    try:
        return own_stack(environment=environment, workers=2, intakes=2)
    finally:
        os.umask(before)


class Ears:
    """An org's caller that keeps all that it is told with an error status, headers too."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self.told: list[bytes] = []

    def send(self, method: str, target: str, **options: object) -> httpx.Response:
        """Send a request with the org's key, unless `headers` has others."""
        options = {"headers": self._org.headers, **options}
        told = self._org.stack.http.request(method, target, **options)  # type: ignore[arg-type]
        assert told.status_code >= 400, (method, target)
        self.told += [told.content, repr(told.headers).encode()]
        return told


def test_keys_and_the_password_of_the_broker_show_up_nowhere(faulty: Stack, broker: Broker) -> None:
    org = faulty.org("acme")
    org.funded()
    org.place_hold(2, 5)
    facts = json.loads(faulty.ctl("key", "create", "acme", "--read-only", "--json"))
    reader = Org(faulty, "acme", facts["api_key"])
    secrets = [org.api_key, reader.api_key, WRONG_KEY, BROKER_PASSWORD]
    ears = Ears(org)

    _ask_wrongly(ears, org, reader)
    _break_things(ears, org, faulty, broker)

    heard = b"".join(ears.told)
    shown = [faulty.http.get(path).content for path in ("/health", "/metrics", "/docs", "/openapi.json")]
    written = {str(path): path.read_bytes() for path in _files(faulty)}
    processes = {str(each.pid): each.command.encode() for each in _processes(faulty, broker)}
    assert len(processes) == 6, "ledgerctl, two workers, two HTTP servers, and the broker"
    assert any("Traceback" in text.decode(errors="ignore") for text in written.values()), "there was something to log"
    for secret in secrets:
        places = {"told": heard, "shown": b"".join(shown), **written, **processes}
        found = [place for place, text in places.items() if secret.encode() in text]
        assert found == [], (secret, found)
    assert str(faulty.data).encode() not in heard, "nor where anything lies"
    assert str(broker.port).encode() not in heard
    assert not re.search(rb"ffl_[A-Za-z0-9_-]{30,}", b"".join([heard, *shown, *written.values()]))


def _ask_wrongly(ears: Ears, org: Org, reader: Org) -> None:
    """Put keys where they do not belong."""
    for key in (org.api_key, reader.api_key, WRONG_KEY):
        headers = {"X-Org-Slug": org.slug, "X-Api-Key": key}
        ears.send("GET", f"/v1/accounts?api_key={key}")
        ears.send("GET", f"/v1/accounts?X-Api-Key={key}", headers={"X-Org-Slug": org.slug})
        ears.send("POST", "/v1/accounts", json={"name": "A", "type": "asset", "api_key": key * 50})
        ears.send("POST", "/v1/accounts", content=f'{{"api_key": "{key}'.encode())
        ears.send("GET", "/v1/accounts/x", headers={**headers, "X-Org-Slug": "no-such-org"})
        ears.send("GET", "/v1/accounts", headers={"Authorization": f"Bearer {key}", "Cookie": f"key={key}"})
        ears.send("PUT", "/v1/accounts", headers=headers)
        ears.send("GET", "/nowhere", headers=headers)
        line = f"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nX-Api-Key: {key}\rX: 1\r\n\r\n".encode()
        ears.told.append(exchange(org, line)[1])
    ears.send("POST", "/v1/entries", headers=reader.headers, json=entry(1, 2, 5))


def _break_things(ears: Ears, org: Org, stack: Stack, broker: Broker) -> None:
    """Have bugs met, a registry and a book go missing, and the broker end, while requests with keys are under way."""
    for _ in range(4):  # each of the HTTP servers
        assert ears.send("GET", "/v1/holds/1").status_code == 500
    assert ears.send("POST", "/v1/entries", json=entry(1, 2, 5, description="boom")).status_code == 500
    other = stack.org("other")  # whose book nobody has open yet
    for path, caller in ((stack.data / "books" / "other.db", other), (stack.data / "registry.db", org)):
        path.rename(path.with_suffix(".away"))
        eventually(lambda: caller.get("/v1/accounts").status_code == 503, f"{path} is missed")  # noqa: B023  # at once
        ears.send("GET", "/v1/accounts", headers=caller.headers)
        ears.send("POST", "/v1/accounts", headers=caller.headers, json={"name": "A", "type": "asset"})
        path.with_suffix(".away").rename(path)
        eventually(lambda: caller.get("/v1/accounts").status_code == 200, "it is back")  # noqa: B023  # at once
    broker.end()
    ears.send("POST", "/v1/entries", json=entry(1, 2, 5))
    assert eventually(lambda: stack.http.get("/health").status_code == 503, "the broker is missed")
    ears.send("GET", "/health")
    for worker in stack.processes("-m workers"):
        os.kill(worker.pid, 9)
    broker.start()
    eventually(lambda: org.post("/v1/entries", entry(1, 2, 5)).status_code == 201, "all is well again")


def _files(stack: Stack) -> list[Path]:
    """Return all files that the stack wrote: its data, what it logged and said, and all that the broker kept."""
    return [path for path in stack.data.parent.rglob("*") if path.is_file()]


def _processes(stack: Stack, broker: Broker) -> Iterator[object]:
    yield from stack.processes()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and f":{broker.port}".encode() in (command := _read(folder / "cmdline")):
            yield type("Broker", (), {"pid": folder.name, "command": command.decode()})


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_what_runs_keeps_its_files_to_itself_and_dumps_no_core(own_stack: Callable[..., Stack]) -> None:
    """The embedded broker and its files too, under a careless umask."""
    before = os.umask(0)
    try:
        stack = own_stack(workers=2, intakes=2)
    finally:
        os.umask(before)
    org = stack.org("acme")
    org.funded()
    assert org.post("/v1/entries", entry(1, 2, 5), Prefer="respond-async").status_code == 202

    modes = {
        str(path.relative_to(stack.data)): (stat.S_IFMT(path.stat().st_mode), stat.S_IMODE(path.stat().st_mode))
        for path in (stack.data, *stack.data.rglob("*"))
    }

    assert {"registry.db-wal", "inbox.db", "books/acme.db-shm", "lanes/3.lock", "up.lock"} <= modes.keys()
    assert any(name.startswith("broker/appendonlydir/") for name in modes)
    for name, (kind, mode) in modes.items():
        assert mode == (0o600 if kind == stat.S_IFREG else 0o700), name
    for process in stack.processes():
        limits, status = _read(Path(f"/proc/{process.pid}/limits")), _read(Path(f"/proc/{process.pid}/status"))
        assert re.search(rb"Max core file size +0 +0 ", limits), process.command
        assert b"Umask:\t0077" in status, process.command


def test_the_embedded_broker_is_told_no_settings_of_the_ledger(own_stack: Callable[..., Stack]) -> None:
    """It writes its title over its environment, where everybody on the machine may read it."""
    stack = own_stack(environment={"LEDGER_SECRET": WRONG_KEY})

    (broker,) = stack.processes("valkey-server")

    assert WRONG_KEY not in broker.command
    assert b"LEDGER_" not in _read(Path(f"/proc/{broker.pid}/environ"))
    assert WRONG_KEY.encode() not in _memory(broker.pid)


def _memory(pid: int) -> bytes:
    """Return what a process has in the memory that it writes to."""
    found = []
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                addresses, mode, *_, name = [*line.split(), ""]
                if mode.startswith("rw") and "[v" not in name:
                    first, last = (int(part, 16) for part in addresses.split("-"))
                    memory.seek(first)
                    found.append(memory.read(min(last - first, 16 * 1024 * 1024)))
    except PermissionError:
        pytest.skip("this machine lets nobody look into a process")
    return b"".join(found)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://:{password}-wrong@127.0.0.1:{port}/0", "does not let us in"),
        ("redis://127.0.0.1:{port}/0", "does not let us in"),
        ("redis://:{password}/x@127.0.0.1:{port}/0", "LEDGER_REDIS_URL must be"),
    ],
)
def test_a_password_that_is_wrong_is_said_at_once_and_not_shown(
    tmp_path: Path, broker: Broker, url: str, told: str
) -> None:
    environment = {**os.environ, "LEDGER_REDIS_URL": url.format(password=BROKER_PASSWORD, port=broker.port)}

    done = subprocess.run(
        [sys.executable, "-m", "ledgerctl", "up", "--data", str(tmp_path / "data"), "--port", "0"],
        env=environment, capture_output=True, text=True, timeout=25, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert BROKER_PASSWORD not in done.stderr


def test_no_command_takes_a_key_or_a_password_on_its_command_line() -> None:
    """Where everybody on the machine may read it."""
    commands = [("ledgerctl", cli)]
    names = []
    while commands:
        path, command = commands.pop()
        names += [f"{path} {parameter.name}" for parameter in command.params]
        if isinstance(command, click.Group):
            commands += [(f"{path} {name}", each) for name, each in command.commands.items()]

    assert "ledgerctl key revoke key_id" in names
    assert [name for name in names if re.search("key$|password|secret|token|url", name)] == []


def test_nothing_is_imported_from_the_folder_that_it_is_started_in(
    own_stack: Callable[..., Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody else may have put programs that are named like ours, or like those that ours import."""
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("intake", "workers", "celery", "json", "falcon", "wire"):
        (trap / f"{name}.py").write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'sprung')!r}).touch()\n")
    monkeypatch.chdir(trap)
    ledgerctl = Path(sys.executable).with_name("ledgerctl")
    monkeypatch.setattr(Stack, "program", [str(ledgerctl)], raising=True)

    org = own_stack().org("acme")

    assert org.open_pair() == (1, 2)
    assert not (tmp_path / "sprung").exists()
