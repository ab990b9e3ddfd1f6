"""A broker beyond a network that may lose every packet, as one does that has fallen apart: nothing is refused."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.breakable import OwnBroker

NOBODY = "02:00:00:00:00:01"  # packets for this station of the network reach nobody


class DistantBroker(OwnBroker):
    """A Valkey server in a network namespace, to which a pair of virtual interfaces leads."""

    def __init__(self, folder: Path) -> None:
        self._space = f"ledger-{os.getpid()}"
        self._near, self._far = (f"198.18.{os.getpid() % 256}.{number}" for number in (1, 2))
        self._interface = f"ledger{os.getpid()}"[:15]
        super().__init__(folder, self._far, ("ip", "netns", "exec", self._space))

    def lead_there(self) -> None:
        """Make its network. Skips the test where this may not be done."""
        there, peer = ("-n", self._space), "broker"
        try:
            _ip("netns", "add", self._space)
            _ip("link", "add", self._interface, "type", "veth", "peer", "name", peer, "netns", self._space)
        except (OSError, subprocess.CalledProcessError) as error:
            self.tear_down()
            pytest.skip(f"no network namespace can be made here: {error}")
        _ip("address", "add", f"{self._near}/30", "dev", self._interface)
        _ip("link", "set", self._interface, "up")
        _ip(*there, "address", "add", f"{self._far}/30", "dev", peer)
        _ip(*there, "link", "set", peer, "up")

    def tear_down(self) -> None:
        """Leave nothing of its network behind: the interfaces go with the namespace."""
        subprocess.run(["ip", "netns", "delete", self._space], stderr=subprocess.DEVNULL, check=False)

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """Have every packet lost, in both directions, for the length of a block."""
        here = (self._far, "dev", self._interface)
        there = (self._near, "dev", "broker")
        _ip("neighbour", "replace", *here, "lladdr", NOBODY, "nud", "permanent")
        _ip("-n", self._space, "neighbour", "replace", *there, "lladdr", NOBODY, "nud", "permanent")
        yield
        _ip("neighbour", "delete", *here)
        _ip("-n", self._space, "neighbour", "delete", *there)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], stderr=subprocess.PIPE, check=True)


@contextmanager
def distant_broker(folder: Path) -> Iterator[DistantBroker]:
    """A broker beyond a network of its own, both ended with the block."""
    broker = DistantBroker(folder)
    broker.lead_there()
    try:
        broker.start()
        yield broker
        broker.kill()
    finally:
        broker.tear_down()
