"""Load from wrk, and what it says of it."""

import os
import secrets
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.failures import Failure
from bench.processes import start

LUA = Path(__file__).parent / "lua"
GRACE_S = 30.0  # beyond the time of a run: then something hangs


class Load(NamedTuple):
    """What one run came to: answers a second, and their waits in milliseconds. `cores`: what the servers used."""

    answers: int
    rate: float
    p50_ms: float
    p99_ms: float
    cores: float = 0.0


class Org(NamedTuple):
    """Who calls."""

    slug: str
    key: str


class Target(NamedTuple):
    """Where load goes, and what is the right answer: its status, and a text that stands in it.

    `script`: which of bench/lua. `path`: {} is a number that the script chooses.
    """

    base_url: str
    path: str
    script: str
    status: int
    text: str
    orgs: Sequence[Org] = (Org("nobody", "none"),)
    prefer: str = ""
    accounts: int = 1_000
    options: Mapping[str, str] = {}


def put(target: Target, *, connections: int, seconds: int) -> Load:
    """Put load on a target for a time.

    Raises:
        Failure: an answer was not the right one, or none, or wrk is not there.
    """
    with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".orgs") as orgs:
        orgs.writelines(f"{org.slug} {org.key}\n" for org in target.orgs)
        orgs.flush()
        return parsed(_output(target, orgs.name, connections, seconds))


def _output(target: Target, orgs: str, connections: int, seconds: int) -> str:
    environment = {
        "BENCH_LUA": str(LUA),
        "BENCH_ORGS": orgs,
        "BENCH_PATH": target.path,
        "BENCH_STATUS": str(target.status),
        "BENCH_TEXT": target.text,
        "BENCH_ACCOUNTS": str(target.accounts),
        "BENCH_SEED": str(secrets.randbelow(2**31)),
        "BENCH_RUN": secrets.token_hex(4),  # so that no key was ever used before
        **({"BENCH_PREFER": target.prefer} if target.prefer else {}),
        **target.options,
    }
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=10s", "-s", str(LUA / target.script)]
    try:
        wrk = start([*command, target.base_url], environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        raise Failure("wrk is needed: apt-get install wrk, or brew install wrk") from None
    try:
        return wrk.communicate(timeout=seconds + GRACE_S)[0]
    except subprocess.TimeoutExpired:
        raise Failure(f"{target.path}: wrk does not end") from None
    finally:
        wrk.kill()
        wrk.wait()


def parsed(output: str) -> Load:
    """Return what wrk and its script printed.

    Raises:
        Failure: an answer was not the right one, or there was none.
    """
    line = next((line for line in output.splitlines() if line.startswith("figures ")), None)
    if line is None:
        raise Failure(f"wrk said nothing of its run:{os.linesep}{output}")
    found = {name: int(value) for name, _, value in (word.partition("=") for word in line.split()[1:])}
    if any(found[name] for name in ("connect", "read", "write", "status", "timeout", "wrong")):
        raise Failure(f"not every answer was right:{os.linesep}{output}")
    if not found["answers"]:
        raise Failure(f"there was no answer:{os.linesep}{output}")
    rate = found["answers"] / (found["us"] / 1e6)
    return Load(found["answers"], rate, found["p50_us"] / 1e3, found["p99_us"] / 1e3)
