"""A small caller: one connection, kept open, each answer looked at."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bench.failures import Failure
from bench.load import Org

TIMEOUT_S = 30


class Caller:
    """One connection to a ledger. One thread at a time may use it."""

    def __init__(self, base_url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=TIMEOUT_S)

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def call(self, org: Org, path: str, status: int, body: object = None, **headers: str) -> dict[str, Any]:
        """Post a body, or read without one, and return the answer.

        Raises:
            Failure: it has another status.
        """
        sent: Mapping[str, str] = {
            "X-Org-Slug": org.slug,
            "X-Api-Key": org.key,
            "Content-Type": "application/json",
            **headers,
        }
        if body is None:
            self._connection.request("GET", path, headers=sent)
        else:
            self._connection.request("POST", path, json.dumps(body).encode(), sent)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != status:
            raise Failure(f"{path}: answered {response.status}, not {status}: {answer[:300]!r}")
        found: dict[str, Any] = json.loads(answer)
        return found
