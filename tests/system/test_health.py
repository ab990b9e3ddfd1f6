"""Health and metrics: without a key, for load balancers and operators."""

import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.system.stack import Stack
from tests.waiting import eventually


def test_health_says_what_was_checked(stack: Stack) -> None:
    response = stack.http.get("/health")

    assert response.status_code == 200
    checks = response.json()["checks"]
    assert response.json()["status"] == "ok"
    assert sorted(checks) == ["books", "broker", "inbox", "set_aside", "storage", "workers"]
    assert {checks[name] for name in ("broker", "storage", "workers", "inbox", "books")} == {"ok"}


def test_metrics_are_in_the_text_format_of_prometheus(stack: Stack) -> None:
    response: httpx.Response = stack.http.get("/metrics")

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE ledger_commands_answered_total counter" in response.text


def test_metrics_of_several_http_servers_are_answered_by_each_for_all(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack(intakes=2)
    org = stack.org("counted")
    writes = 6

    for _ in range(writes):  # each on a connection of its own, which either of them may accept
        assert httpx.post(f"{stack.base_url}/v1/accounts", json={"name": "Cash", "type": "asset"}, headers=org.headers)
    pages = [httpx.get(f"{stack.base_url}/metrics").text for _ in range(writes)]

    assert all(f"ledger_commands_answered_total {writes:.1f}" in page for page in pages)

    stack.kill_one("-m intake")
    eventually(lambda: len(stack.processes("-m intake")) == 2 and stack.healthy(), "both serve again")
    assert stack.metric("ledger_commands_answered_total") == writes
    assert stack.metric("ledger_commands_pending") == 0


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="this system has no memory to keep files in")
def test_counts_do_not_lie_on_the_disk_of_the_books(own_stack: Callable[..., Stack]) -> None:
    """They are mapped into memory, and the kernel kills a process whose file finds no room on a full disk."""
    stack = own_stack(intakes=2)
    environ = [Path(f"/proc/{each.pid}/environ").read_bytes().split(b"\0") for each in stack.processes("-m intake")]

    folders = {Path(os.fsdecode(line.partition(b"=")[2])) for each in environ for line in each if b"MULTIPROC" in line}

    (folder,) = folders
    assert folder.parent == Path("/dev/shm")
    assert folder.stat().st_mode & 0o077 == 0
    assert len(list(folder.iterdir())) > 1
