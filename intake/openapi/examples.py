"""The examples of the document: requests, and the answers that were really given to them, in `examples.json`."""

from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import orjson

Json: TypeAlias = dict[str, Any]

FILE = Path(__file__).parent / "examples.json"


@cache
def exchanges() -> list[Json]:
    """Return every recorded exchange: its name, its operation's id, the request and the answer, in their order."""
    found: list[Json] = orjson.loads(FILE.read_bytes())
    return found


def of_operation(operation_id: str) -> list[Json]:
    """Return the recorded exchanges with one operation; one that was only written down has no answer yet."""
    return [exchange for exchange in exchanges() if exchange["operation"] == operation_id and exchange["answer"]]


def show(operation_id: str, described: Json) -> None:
    """Put the recorded exchanges with an operation into its description: bodies that were sent, and answers."""
    for exchange in of_operation(operation_id):
        name, request, answer = exchange["name"], exchange["request"], exchange["answer"]
        if "body" in request:
            content = described["requestBody"]["content"]["application/json"]
            content.setdefault("examples", {})[name] = {"value": request["body"]}
        response = described["responses"][str(answer["status"])]
        if "$ref" not in response:
            content = response["content"][answer["content_type"].partition(";")[0]]
            content.setdefault("examples", {})[name] = {"value": answer["body"]}
