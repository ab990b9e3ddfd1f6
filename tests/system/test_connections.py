"""Callers that are slow, silent, gone, greedy or far too many: the others are served all the while."""

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from tests.system.orgs import Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually

THREADS = 4  # set here; 16 by default
IDLE_S = 3  # set here; 60 by default
REQUEST_S = 2  # set here; 30 by default
CLOSED_WITHIN_S = 20.0  # of a busy machine; it looks every second
SERVED_WITHIN_S = 2.0  # an honest caller, meanwhile; measured: 0.1
GROWTH_MB_MAX = 150  # of intake, by all that a test here does; measured: 40
CROWD = 10_000
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A ledger that has less patience than usual."""
    environment = {"LEDGER_THREADS": str(THREADS), "LEDGER_IDLE_S": str(IDLE_S), "LEDGER_REQUEST_S": str(REQUEST_S)}
    running = Stack(tmp_path_factory.mktemp("connections") / "data", environment=environment).start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def org(stack: Stack) -> Org:
    """An org with two accounts."""
    org = stack.org("honest")
    org.open_pair()
    return org


@pytest.fixture(autouse=True)
def honest(stack: Stack, org: Org) -> Iterator[None]:
    """An honest caller beside each test: it is served, and the memory stays bounded."""
    _serve(org)
    before_mb = _memory_mb(stack)
    yield
    _serve(org)
    assert _memory_mb(stack) - before_mb < GROWTH_MB_MAX


def _serve(org: Org) -> None:
    """Be served, on a connection of one's own."""
    with _connection(org.stack) as caller:
        began_s = time.monotonic()
        caller.sendall(_post(org, b"Connection: close\r\n"))
        assert _all_of(caller).startswith(b"HTTP/1.1 201")
        assert time.monotonic() - began_s < SERVED_WITHIN_S


def _memory_mb(stack: Stack) -> float:
    (intake,) = stack.processes("-m intake")
    pages = int(Path(f"/proc/{intake.pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MIB


def _connection(stack: Stack, receive_bytes: int | None = None) -> socket.socket:
    address = urlsplit(stack.base_url)
    found = socket.socket()
    found.settimeout(60)
    if receive_bytes is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    found.connect((address.hostname, address.port))
    return found


def _head(org: Org, more: bytes = b"", method: str = "POST", path: str = "/v1/entries") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in org.headers.items())]
    return "\r\n".join([*lines, "Content-Type: application/json", ""]).encode() + more + b"\r\n"


def _post(org: Org, more: bytes = b"") -> bytes:
    body = orjson.dumps(entry(1, 2, 1))
    return _head(org, b"Content-Length: %d\r\n" % len(body) + more) + body


def _all_of(caller: socket.socket) -> bytes:
    """Read until the server closes."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := caller.recv(65_536):
            found += part
    return found


def _is_closed(caller: socket.socket) -> bool:
    """Tell whether the server closed a connection from which nothing is to be read."""
    caller.setblocking(False)
    try:
        return caller.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _trickle(caller: socket.socket, text: bytes, ended: threading.Event) -> None:
    """Send a byte at a time, until the server has enough of it."""
    with contextlib.suppress(OSError):
        for place in range(len(text)):
            if ended.wait(0.05):
                return
            caller.sendall(text[place : place + 1])


@pytest.mark.parametrize("part", ["headers", "body"])
def test_who_sends_a_byte_at_a_time_is_closed_and_holds_nobody_up(org: Org, part: str) -> None:
    ended = threading.Event()
    slow = [_connection(org.stack) for _ in range(50)]
    if part == "body":
        for caller in slow:
            caller.sendall(_head(org, b"Content-Length: 100000\r\n"))
    text = b"POST /v1/entries HTTP/1.1\r\nX-Slow: " + b"x" * 10_000 if part == "headers" else b" " * 10_000
    threads = [threading.Thread(target=_trickle, args=(caller, text, ended)) for caller in slow]
    for thread in threads:
        thread.start()

    _serve(org)

    for caller in slow:
        eventually(lambda caller=caller: _is_closed(caller), "it is closed", within_s=CLOSED_WITHIN_S)  # type: ignore[misc]
    ended.set()
    for thread in threads:
        thread.join()


def test_who_is_silent_is_closed_whether_or_not_it_began_to_ask(org: Org) -> None:
    silent = [_connection(org.stack) for _ in range(20)]
    for caller in silent[10:]:
        caller.sendall(_post(org)[:-5])

    for caller in silent:
        eventually(lambda caller=caller: _is_closed(caller), "it is closed", within_s=CLOSED_WITHIN_S)  # type: ignore[misc]


def test_who_ends_its_half_after_the_request_gets_the_answer(org: Org) -> None:
    version = org.balance(1)["version"]
    with _connection(org.stack) as caller:
        caller.sendall(_post(org))
        caller.shutdown(socket.SHUT_WR)

        answer = _all_of(caller)

    assert answer.startswith(b"HTTP/1.1 201")
    assert org.balance(1)["version"] == version + 1


def test_who_goes_away_in_mid_request_leaves_nothing_behind(org: Org) -> None:
    version = org.balance(1)["version"]
    for _ in range(20):
        with _connection(org.stack) as caller:
            caller.sendall(_post(org)[:-5])
        with _connection(org.stack) as caller:
            caller.sendall(_post(org))

    eventually(lambda: org.balance(1)["version"] == version + 20, "what was sent whole is done")


@pytest.mark.parametrize("framing", ["length", "chunks", "endless"])
@pytest.mark.parametrize("mib", [2, 20])
def test_a_body_that_is_too_large_is_refused_with_a_problem(org: Org, framing: str, mib: int) -> None:
    with _connection(org.stack) as caller:
        if framing == "length":
            caller.sendall(_head(org, b"Content-Length: %d\r\n" % (mib * MIB)))
            parts = [b"x" * MIB] * mib
        else:
            caller.sendall(_head(org, b"Transfer-Encoding: chunked\r\n"))
            parts = [b"100000\r\n" + b"x" * MIB + b"\r\n"] * mib + ([b"0\r\n\r\n"] if framing == "chunks" else [])
        with contextlib.suppress(ConnectionError):
            for part in parts:
                caller.sendall(part)
        answer = _all_of(caller)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413")
    assert b"Content-Type: application/problem+json" in head
    assert orjson.loads(body)["code"] == "body_too_large"
    assert answer.count(b"HTTP/1.1") == 1


def test_a_body_that_is_too_large_tells_a_stranger_no_more_than_any_other(org: Org) -> None:
    stranger = Org(org.stack, org.slug, "ffl_wrong")
    with _connection(org.stack) as caller:
        caller.sendall(_head(stranger, b"Content-Length: 100000000\r\n") + b"x" * MIB)

        assert _all_of(caller).startswith(b"HTTP/1.1 401")


def test_giant_headers_are_refused(org: Org) -> None:
    with _connection(org.stack) as caller:
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                caller.sendall(b"GET /health HTTP/1.1\r\nX-Giant: " if _ == 0 else b"x" * 16_384)
        answer = _all_of(caller)

    assert answer.startswith(b"HTTP/1.0 431")
    assert b'"code":"headers_too_large"' in answer


def test_who_asks_on_and_on_and_reads_nothing_is_closed_and_fills_no_memory(org: Org) -> None:
    for _ in range(100):
        org.post_entry(1, 2, 1, description="d" * 1_000)
    page = _head(org, method="GET", path="/v1/entries?limit=100&order=desc")
    greedy = [_connection(org.stack, receive_bytes=4_096) for _ in range(2 * THREADS)]
    for caller in greedy:
        caller.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                caller.send(page * 20)

    _serve(org)

    for caller in greedy:
        eventually(lambda caller=caller: _sends_fail(caller), "it is closed", within_s=CLOSED_WITHIN_S)  # type: ignore[misc]


def _sends_fail(caller: socket.socket) -> bool:
    try:
        caller.send(b"\r\n")
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


def test_ten_thousand_idle_connections_keep_nobody_out(org: Org) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    crowd = min(CROWD, hard - 1_000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, crowd + 500), hard))
    idle: list[socket.socket] = []
    slowest_s = 0.0
    try:
        for number in range(crowd):
            idle.append(_connection(org.stack))
            if number % 1_000 == 0:
                began_s = time.monotonic()
                _serve(org)
                slowest_s = max(slowest_s, time.monotonic() - began_s)

        assert len(idle) == crowd
        assert slowest_s < SERVED_WITHIN_S
        closed = sum(_is_closed(caller) for caller in idle)
        assert closed >= crowd - 2_000
        for caller in idle:
            eventually(lambda caller=caller: _is_closed(caller), "it is closed", within_s=CLOSED_WITHIN_S)  # type: ignore[misc]
    finally:
        for caller in idle:
            caller.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
