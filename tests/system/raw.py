"""Requests byte for byte as they are written, past every kindness of an HTTP client."""

import http.client
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

import orjson


class Answer(NamedTuple):
    """Status, headers with small names, and body of a response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """The code of the problem that it is, if it is one."""
        if self.headers.get("content-type") != "application/problem+json" or not self.body:
            return None
        return str(orjson.loads(self.body)["code"])


def send(base_url: str, method: str, target: str, headers: Iterable[tuple[str, bytes]], body: bytes | None) -> Answer:
    """Send a request on a connection of its own. A body of None sends no Content-Length."""
    address = urlsplit(base_url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()
