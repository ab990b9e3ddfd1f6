"""A broker of a test's own, with a password, that is reached over TCP as one on another machine would be."""

import socket
import subprocess
from pathlib import Path

import redis

from ledgerctl.broker import binary_path
from tests.waiting import eventually


class Broker:
    """A Valkey server with a password, or with the users of an ACL. It may be ended and started again."""

    def __init__(self, folder: Path, password: str, *settings: str) -> None:
        self._folder = folder
        self._settings = [f"requirepass {password}", *settings] if password else list(settings)
        self._password = password
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    @property
    def url(self) -> str:
        """Its URL, with the password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def log(self) -> Path:
        """What it says."""
        return self._folder / "broker.log"

    def start(self) -> "Broker":
        """Start it, with settings that come on standard input, and wait until it answers."""
        settings = [f"port {self.port}", "bind 127.0.0.1", f"dir {self._folder}", "appendonly yes", 'save ""']
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([str(binary_path()), "-"], stdin=subprocess.PIPE, stdout=log, stderr=log)
        assert self._process.stdin is not None
        self._process.stdin.write("\n".join([*settings, *self._settings, ""]).encode())
        self._process.stdin.close()
        eventually(self._answers, f"the broker answers; see {self.log}")
        return self

    def end(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        client = redis.Redis(port=self.port, password=self._password or None)
        try:
            return bool(client.ping())
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False
        finally:
            client.close()
