"""One caller among many: posts, gets its `202`, and asks for the outcome. It works until its standard input ends."""

import json
import secrets
import select
import sys
import time

from bench import books
from bench.caller import Caller
from bench.failures import Failure
from bench.load import Org

EVERY_S = 0.025  # between two posts


def main() -> None:
    """Read where to post and as whom, and at the end print all waits, from the `202` to the outcome, in seconds."""
    base_url, slug, key = sys.stdin.readline().split()
    caller, org = Caller(base_url), Org(slug, key)
    waits = []
    while not select.select([sys.stdin], [], [], EVERY_S)[0]:
        waits.append(_wait(caller, org))
    print(json.dumps(waits))


def _wait(caller: Caller, org: Org) -> float:
    body = books.entry_fields((1, 2), 50_000, f"probe-{secrets.token_hex(8)}")
    accepted = caller.call(org, "/v1/entries", 202, body, Prefer="respond-async")
    began = time.perf_counter()
    path = f"/v1/operations/{accepted['operation_id']}"
    outcome = caller.call(org, path, 200, Prefer="wait=10")
    if outcome["status"] != "applied":
        raise Failure(f"{path}: {outcome['status']} after 10 s")
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
