"""The recorded exchanges of the document: sends their requests again. `python -m tests.system.exchanges` records."""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from intake.openapi.examples import FILE
from tests.system.orgs import Org
from tests.system.stack import Stack

SLUG = "acme-corp"  # operation ids follow from it
AT = "2026-03-18T05:30:00Z"
_TIME = re.compile(r"20(?:2[1-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
Json = dict[str, Any]


def send_again(org: Org, exchanges: list[Json]) -> Iterator[Json]:
    """Send the requests in their order, and yield each exchange as it went this time."""
    operations: dict[str, str] = {}
    for exchange in exchanges:
        request = exchange["request"]
        path = re.sub(r"\{(.+)\}", lambda match: operations[match[1]], request["path"])
        headers = {**org.headers, "X-Request-Id": "example", **request.get("headers", {})}
        response = org.stack.http.request(request["method"], path, json=request.get("body"), headers=headers)
        if "Operation-Id" in response.headers and "idempotency_key" in request.get("body", {}):
            operations[request["body"]["idempotency_key"]] = response.headers["Operation-Id"]
        text = _TIME.sub(AT, response.text)
        content_type = response.headers["Content-Type"]
        answer = {
            "status": response.status_code,
            "content_type": content_type,
            "body": json.loads(text) if "json" in content_type else text,
        }
        yield {**exchange, "answer": answer}


def main() -> int:
    """Record the answers of a new stack."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data").start()
        try:
            recorded = list(send_again(stack.org(SLUG), orjson.loads(FILE.read_bytes())))
        finally:
            stack.stop()
    FILE.write_bytes(orjson.dumps(recorded, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
