"""`make bench`: run the rows, print one table, and write it as JSON to bench/results.json."""

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from bench.load import HERE, Load, Target, run

REPEATS = 3  # alternating, and the median of each side counts: machines are noisy
SECONDS = 4.0
ACCOUNTS = 1_000
ECHO_PORT = 8_092


class Row(NamedTuple):
    """Ours beside another, and the ratio that we want to reach. `higher` is better, or lower is."""

    name: str
    beside: str
    ours: Callable[[], Load]
    other: Callable[[], Load]
    figure: str
    aim: float
    higher: bool = True


def main() -> None:
    """Run everything, check every answer, verify the books, and end with 1 if they are not right."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        base_url, broker_url = stack.enter_context(_ledger(folder))
        key = _org(folder)
        _open_accounts(base_url, key)
        stack.enter_context(_process("bench.echo", str(ECHO_PORT)))
        stack.enter_context(_process("bench.stock", "worker", broker_url, folder))
        _until_up(f"http://127.0.0.1:{ECHO_PORT}/echo")
        found = [_measure(row) for row in _rows(base_url, broker_url, key)]
        print(_table(found))
        (HERE / "results.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        verified = subprocess.run([_bin("ledgerctl"), "verify", "bench", "--data", folder], check=False)
    sys.exit(verified.returncode)


def _rows(base_url: str, broker_url: str, key: str) -> list[Row]:
    def ours(path: str, script: str = "post.lua", prefer: str = "", connections: int = 64) -> Callable[[], Load]:
        return lambda: _load(Target(base_url, path, "bench", key, script, prefer), connections)

    def echo(script: str = "post.lua", connections: int = 64) -> Callable[[], Load]:
        return lambda: _load(Target(f"http://127.0.0.1:{ECHO_PORT}", "/echo", script=script), connections)

    def stock(callers: int, task: str) -> Callable[[], Load]:
        return lambda: _stock(broker_url, callers, task)

    post, get = "/v1/entries", "get.lua"
    return [
        Row("sync post, 64 connections", "bare Falcon echo POST", ours(post), echo(), "rate", 0.5),
        Row("sync post, 64 connections", "one Celery task each", ours(post), stock(64, "stock.post"), "rate", 5),
        Row("async post, 64 connections", "bare Falcon echo POST", ours(post, prefer="respond-async"), echo(),
            "rate", 0.5),
        Row("sync post, 1 connection", "empty Celery task and reply", ours(post, connections=1),
            stock(1, "stock.empty"), "p50_ms", 1.3, higher=False),
        Row("balance read", "bare Falcon GET", ours("/v1/accounts/{}/balance", get), echo(get), "rate", 0.7),
        Row("entry read", "bare Falcon GET", ours("/v1/entries/{}", get), echo(get), "rate", 0.7),
        Row("page of 50 entries", "bare Falcon GET", ours("/v1/entries?limit=50", get), echo(get), "rate", 0.3),
    ]  # fmt: skip


def _measure(row: Row) -> dict[str, Any]:
    pairs = [(row.ours(), row.other()) for _ in range(REPEATS)]
    ours, other = (Load(*map(statistics.median, zip(*side, strict=True))) for side in zip(*pairs, strict=True))
    ratio = statistics.median(getattr(a, row.figure) / getattr(b, row.figure) for a, b in pairs)
    reached = ratio >= row.aim if row.higher else ratio <= row.aim
    facts = {"row": row.name, "beside": row.beside, "figure": row.figure, "ratio": round(ratio, 3), "aim": row.aim}
    print(f"{row.name} / {row.beside}: {ratio:.2f}", file=sys.stderr)
    return {**facts, "reached": reached, "ours": ours._asdict(), "other": other._asdict()}


def _table(rows: list[dict[str, Any]]) -> str:
    lines = ["| row | beside | ours | other | ratio | aim | |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        unit = "/s" if row["figure"] == "rate" else " ms"
        ours, other = (f"{row[side][row['figure']]:,.1f}{unit}" for side in ("ours", "other"))
        mark = "reached" if row["reached"] else "not yet"
        lines.append(f"| {row['row']} | {row['beside']} | {ours} | {other} | {row['ratio']} | {row['aim']} | {mark} |")
    return "\n".join(lines)


def _load(target: Target, connections: int) -> Load:
    return run(target, connections=connections, seconds=SECONDS, accounts=ACCOUNTS)


def _stock(broker_url: str, callers: int, task: str) -> Load:
    command = [sys.executable, "-m", "bench.stock", "calls", broker_url, str(SECONDS), str(callers), task]
    rate, p50_s = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return Load(float(rate), float(p50_s) * 1e3, float("nan"))


@contextlib.contextmanager
def _ledger(folder: str) -> Iterator[tuple[str, str]]:
    command = [_bin("ledgerctl"), "up", "--data", folder, "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        yield words[1], words[3]
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _process(*arguments: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", *arguments])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _org(folder: str) -> str:
    command = [_bin("ledgerctl"), "org", "create", "bench", "--data", folder, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["api_key"])


def _open_accounts(base_url: str, key: str) -> None:
    headers = {"X-Org-Slug": "bench", "X-Api-Key": key, "Content-Type": "application/json"}

    def open_one(number: int) -> None:
        body = json.dumps({"name": f"Account {number}", "type": "asset"}).encode()
        request = urllib.request.Request(f"{base_url}/v1/accounts", body, headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.status == 201

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(open_one, range(ACCOUNTS)))


def _until_up(url: str) -> None:
    give_up_at = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.05)


def _bin(name: str) -> str:
    return str(Path(sys.executable).parent / name)


if __name__ == "__main__":
    main()
