"""`python -m tests.system.noise`: an org that calls as fast as it is answered, in a process of its own.

In the process of a test it would hold up the very callers whose waits the test measures.
"""

import json
import re
import selectors
import socket
import sys
import time
from contextlib import suppress
from typing import NamedTuple

from tests.system.orgs import entry

PAUSE_S = 0.05  # of a caller that is told that too many wait


class Kind(NamedTuple):
    """On how many connections it calls, what it asks for, and how."""

    connections: int
    path: str
    body: object
    prefer: str


KINDS = {
    "backlog": Kind(1, "/v1/entries/bulk", {"atomic": False, "entries": [entry(1, 2, 1)] * 100}, "respond-async"),
    "posts": Kind(64, "/v1/entries", entry(1, 2, 1), ""),
    "async posts": Kind(64, "/v1/entries", entry(1, 2, 1), "respond-async"),
    "bulks": Kind(2, "/v1/entries/bulk", {"entries": [entry(1, 2, 1)] * 500}, ""),
}


def call(port: int, slug: str, api_key: str, kind: Kind) -> None:
    """Call until this process is ended."""
    body = json.dumps(kind.body).encode()
    head = (
        f"POST {kind.path} HTTP/1.1\r\nHost: localhost\r\nX-Org-Slug: {slug}\r\nX-Api-Key: {api_key}\r\n"
        f"Prefer: {kind.prefer}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    selector = selectors.DefaultSelector()
    for _ in range(kind.connections):
        connection = socket.create_connection(("127.0.0.1", port))
        selector.register(connection, selectors.EVENT_READ, bytearray())
        connection.sendall(request)
    while True:
        for key, _ in selector.select():
            connection, received = key.fileobj, key.data
            assert isinstance(connection, socket.socket)
            received += connection.recv(2**20)
            status = _status_of_whole(received)
            if status is None:
                continue
            received.clear()
            if status == 429:
                time.sleep(PAUSE_S)
            connection.sendall(request)


def _status_of_whole(received: bytearray) -> int | None:
    """Return the status of an answer, once all of it is there."""
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    if not end or length is None or len(body) < int(length[1]):
        return None
    return int(head.split(b" ", 2)[1])


if __name__ == "__main__":
    with suppress(ConnectionError, KeyboardInterrupt):
        call(int(sys.argv[1]), sys.argv[2], sys.argv[3], KINDS[sys.argv[4]])
