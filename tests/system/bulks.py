"""Bulks as their callers post them."""

import httpx

from tests.system.orgs import Json, Org, entry

BULK = "/v1/entries/bulk"


def keyed(*amounts: int) -> list[Json]:
    """Build entries of these amounts, each under a key that names its amount."""
    return [entry(1, 2, amount, idempotency_key=f"k-{amount}") for amount in amounts]


def post_bulk(
    org: Org, entries: list[Json], *, atomic: bool | None = None, key: str | None = None, **headers: str
) -> httpx.Response:
    """Post a bulk. What is None is not said; header names are written with _ for -."""
    fields = {"entries": entries, "atomic": atomic, "idempotency_key": key}
    return org.post(BULK, {name: value for name, value in fields.items() if value is not None}, **headers)


def operations(org: Org, results: list[Json]) -> list[Json]:
    """Wait for what became of each entry of a bulk, and return it as the bulk would have said it."""
    names = ("operation_id", "status", "http_status", "result", "error")
    read = [org.get(f"/v1/operations/{each['operation_id']}", Prefer="wait=30").json() for each in results]
    return [{name: operation[name] for name in names} for operation in read]


def is_replay(again: httpx.Response, first: httpx.Response) -> bool:
    """Tell whether an answer is the first one again."""
    return (
        again.headers.get("Idempotency-Replayed") == "true"
        and (again.status_code, again.content) == (first.status_code, first.content)
        and again.headers["Operation-Id"] == first.headers["Operation-Id"]
    )
