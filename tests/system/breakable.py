"""A broker of a test's own, over TCP, that the test may kill, freeze, fill, lock, wipe, and have hard to find."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import redis

from ledgerctl.broker import binary_path
from tests.waiting import eventually


class OwnBroker:
    """A Valkey server on a free port, with the settings of the embedded one.

    It listens on an address of this machine, unless `within` starts it where it has another one. By its `named_url`,
    processes that have its `names` in their environment look it up.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1", within: Sequence[str] = ()) -> None:
        self._folder = folder
        self._address = address
        self._within = within
        self._names = folder.with_name(f"{folder.name}.names")
        for each in (folder, self._names):
            each.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._password = "first"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://:{self._password}@{address}:{self._port}/0"
        self.named_url = self.url.replace(address, "the-broker.invalid")

    def start(self, *, password: str = "first", maxmemory: str = "0") -> "OwnBroker":
        """Start it, on what it left on disk, and wait until it answers."""
        self._password = password
        settings = {
            "port": str(self._port),
            "bind": self._address,
            "dir": str(self._folder),
            "requirepass": password,
            "maxmemory": maxmemory,
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
            "save": "",
            "loglevel": "warning",
        }
        server = [*self._within, str(binary_path())]
        command = [*server, *(part for name, value in settings.items() for part in (f"--{name}", value))]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(self._answers, "the broker answers")
        return self

    @property
    def client(self) -> "redis.Redis":
        """A client with the right password."""
        return redis.Redis(self._address, self._port, password=self._password, socket_timeout=5)

    @property
    def names(self) -> Mapping[str, str]:
        """What processes that look it up by its name need in their environment."""
        return {"PYTHONPATH": str(Path(__file__).with_name("named")), "NAMES": str(self._names)}

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def wipe(self) -> None:
        """Lose its disk."""
        shutil.rmtree(self._folder)
        self._folder.mkdir()

    @contextmanager
    def killed(self) -> Iterator[None]:
        """Be gone, and refuse connections, for the length of a block."""
        self.kill()
        yield
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stand still: connections are taken by the kernel, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)
        yield
        os.kill(self.pid, signal.SIGCONT)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Have no memory left: every command that would need some is refused."""
        self.client.config_set("maxmemory", "1")
        yield
        self.client.config_set("maxmemory", "0")

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Refuse every write, giving out a message too, as one does whose disk is full."""
        self.client.config_set("min-replicas-to-write", "1")
        yield
        self.client.config_set("min-replicas-to-write", "0")

    @contextmanager
    def keeping_no_results(self) -> Iterator[None]:
        """Take messages and give them out, and refuse whatever becomes of tasks, as a disk may that fills just then."""
        client = self.client
        client.execute_command("ACL", "SETUSER", "default", "resetkeys", "~ledger*", "~unacked*", "~_kombu*")
        yield
        client.execute_command("ACL", "SETUSER", "default", "allkeys")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Come back from a crash with another password."""
        self.kill()
        self.start(password="another")
        yield
        self.kill()
        self.start()

    @contextmanager
    def wiped(self) -> Iterator[None]:
        """Be gone, and come back empty."""
        self.kill()
        self.wipe()
        yield
        self.start()

    @contextmanager
    def unknown(self) -> Iterator[None]:
        """Have lost every connection, and a name that nobody knows."""
        with self._hard_to_find("unknown"):
            yield

    @contextmanager
    def unfound(self) -> Iterator[None]:
        """Have lost every connection, and a name for which no answer comes, whoever looks it up."""
        with self._hard_to_find("slow"):
            yield

    @contextmanager
    def _hard_to_find(self, how: str) -> Iterator[None]:
        (self._names / how).touch()
        try:
            self.cut()
            yield
        finally:
            (self._names / how).unlink()

    def cut(self) -> None:
        """Cut every connection to it."""
        self.client.client_kill_filter(_type="normal", skipme=True)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            time.sleep(0.02)
            return False


@contextmanager
def own_broker(folder: Path) -> Iterator[OwnBroker]:
    """A broker of a test's own, ended with the block."""
    broker = OwnBroker(folder).start()
    try:
        yield broker
    finally:
        os.kill(broker.pid, signal.SIGCONT)
        broker.kill()
