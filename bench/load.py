"""Load from wrk, and what it says."""

import os
import re
import secrets
import subprocess
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


class Load(NamedTuple):
    """What one run came to: answers a second, and waits in milliseconds."""

    rate: float
    p50_ms: float
    p99_ms: float


class Target(NamedTuple):
    """Where load goes."""

    base_url: str
    path: str
    org: str = ""
    key: str = ""
    script: str = "post.lua"
    prefer: str = ""


def run(target: Target, *, connections: int, seconds: float, accounts: int) -> Load:
    """Put a load on a target for a time.

    Raises:
        RuntimeError: an answer was not a success, or wrk is not there.
    """
    environment = {
        **os.environ,
        "BENCH_PATH": target.path,
        "BENCH_ORG": target.org,
        "BENCH_KEY": target.key,
        "BENCH_PREFER": target.prefer,
        "BENCH_ACCOUNTS": str(accounts),
        "BENCH_SEED": str(secrets.randbelow(2**31)),
    }
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", str(HERE / target.script)]
    try:
        done = subprocess.run([*command, target.base_url], env=environment, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise RuntimeError("wrk is needed: apt-get install wrk, or brew install wrk") from None
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise RuntimeError(f"not every answer was a success:\n{done.stdout}")
    return Load(_rate(done.stdout), _ms(done.stdout, "50%"), _ms(done.stdout, "99%"))


def _rate(text: str) -> float:
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert found is not None, text
    return float(found[1])


def _ms(text: str, percentile: str) -> float:
    found = re.search(rf"^\s+{percentile}\s+([\d.]+)(us|ms|s)$", text, re.MULTILINE)
    assert found is not None, text
    return float(found[1]) * _UNITS[found[2]]
