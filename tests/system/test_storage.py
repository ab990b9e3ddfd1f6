"""Storage errors: an org whose book fails gets 503, alone; nothing is half done; it comes back by itself."""

import os
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import httpx
import pytest

from tests.system.faults import Faults
from tests.system.orgs import Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually
from tests.workers.test_outages import DAMAGES, replaced_by_another_org_s_book, taken_away, truncated

WORKER = "-m workers"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Faults]]:
    """A stack whose disk can fail, with a wait so long that nobody could take it for an answer."""
    folder = tmp_path_factory.mktemp("storage")
    faults = Faults(folder / "faults")
    stack = Stack(folder / "data", environment={**faults.environment, "LEDGER_WAIT_S": "30"}).start()
    yield stack, faults
    assert stack.stop() == 0


@pytest.fixture
def stack(faulty: tuple[Stack, Faults]) -> Stack:
    """The stack."""
    return faulty[0]


@pytest.fixture
def faults(faulty: tuple[Stack, Faults]) -> Iterator[Faults]:
    """Its faults."""
    yield faulty[1]
    faulty[1].end()


def _pair(stack: Stack, name: str) -> tuple[Org, Org]:
    """Return two orgs of one lane, each with two accounts and an entry."""
    first = stack.org(f"ill-{zlib.crc32(name.encode())}")
    lane = zlib.crc32(first.slug.encode()) % 4
    slug = next(each for n in range(99) if zlib.crc32((each := f"{first.slug}-n{n}").encode()) % 4 == lane)
    neighbour = stack.org(slug)
    for org in (first, neighbour):
        org.open_pair()
        org.post_entry(1, 2, 1, idempotency_key="before")
    return first, neighbour


def _post(org: Org, key: str, prefer: str = "") -> httpx.Response:
    return org.post("/v1/entries", entry(1, 2, 1, idempotency_key=key), Prefer=prefer)


def _path(org: Org) -> Path:
    return org.stack.data / "books" / f"{org.slug}.db"


def _is_unavailable(answer: httpx.Response) -> bool:
    told = answer.status_code, answer.json().get("code"), answer.headers.get("Retry-After")
    return told == (503, "storage_unavailable", "1")


def _shown(stack: Stack) -> list[str]:
    """Return the lines about orgs that `ledgerctl` prints."""
    return [line for line in stack.ctl("set-aside").splitlines() if line.startswith("org\t")]


def _check_outage(org: Org, neighbour: Org, *, reads: bool) -> None:
    """Check that an org is unavailable and no other, and that this is shown, by name only to operators."""
    stack = org.stack
    for _ in range(3):
        assert _is_unavailable(_post(org, "during"))
        assert _post(neighbour, "during").status_code == 201
    eventually(lambda: any(org.slug in line for line in _shown(stack)), "it is shown with its cause")
    eventually(lambda: stack.metric("ledger_orgs_set_aside") == 1, "it is counted")
    assert _is_unavailable(_post(org, "during", "respond-async"))
    assert _is_unavailable(org.post("/v1/entries", entry(1, 2, 1), Prefer="respond-async"))
    assert (org.get("/v1/entries").status_code == 200) is reads
    if not reads:
        assert _is_unavailable(org.get("/v1/entries"))
    assert neighbour.get("/v1/entries").status_code == 200
    health = eventually(lambda: _health_of_books(stack), "health says so")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert org.slug not in health.text + stack.http.get("/metrics").text


def _health_of_books(stack: Stack) -> httpx.Response | None:
    health = stack.http.get("/health")
    return health if health.json()["checks"]["books"].startswith("1 org is set aside") else None


def _check_healed(org: Org, *keys: str) -> None:
    """Check that an org works again, and holds what was answered and accepted, and nothing else."""
    eventually(lambda: _post(org, "after").status_code == 201, "it works again by itself")
    eventually(lambda: len(org.all("/v1/entries")) == len(keys) + 2, "what was accepted is applied")
    assert sorted(item["idempotency_key"] for item in org.all("/v1/entries")) == sorted(["before", "after", *keys])
    assert org.proof()["entries"] == len(keys) + 2
    eventually(lambda: not any(org.slug in line for line in _shown(org.stack)), "it is not shown any more")
    eventually(lambda: org.stack.metric("ledger_orgs_set_aside") == 0, "it is not counted any more")


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_book_that_is_damaged_foreign_or_gone_is_unavailable_alone_until_it_is_put_back(
    stack: Stack, damage: Callable[[Path], None]
) -> None:
    org, neighbour = _pair(stack, damage.__name__)
    path = _path(org)
    with stack.halted(WORKER):
        accepted = _post(org, "accepted", "respond-async")
        _damage(org, neighbour, damage)

    _check_outage(org, neighbour, reads=False)
    assert accepted.status_code == 202
    assert path.exists() is (damage.__name__ != "taken_away"), "none is made in its place"

    _put_back(org)

    _check_healed(org, "accepted")
    assert org.get(accepted.headers["Location"]).json()["status"] == "applied"


@pytest.mark.parametrize(
    "damage", [truncated, replaced_by_another_org_s_book, taken_away], ids=lambda damage: damage.__name__
)
def test_a_book_that_is_found_ill_by_a_read_is_set_aside_and_shown(
    stack: Stack, damage: Callable[[Path], None]
) -> None:
    org, neighbour = _pair(stack, f"read-{damage.__name__}")
    _damage(org, neighbour, damage)

    eventually(lambda: _is_unavailable(org.get("/v1/entries")), "it can't be read")
    eventually(lambda: any(org.slug in line for line in _shown(stack)), "it is shown with its cause")
    eventually(lambda: _health_of_books(stack), "health says so")
    assert neighbour.get("/v1/entries").status_code == 200

    _put_back(org)

    _check_healed(org)


def _damage(org: Org, neighbour: Org, damage: Callable[[Path], None]) -> None:
    """Damage an org's book at one stroke, and keep a copy of it."""
    path = _path(org)
    shutil.copy(_path(neighbour), path.with_name("globex.db"))  # what one of them puts in its place
    _fold(path)
    shutil.copy(path, path.with_suffix(".copy"))
    damaged = path.with_suffix(".damaged")
    shutil.copy(path, damaged)
    damage(damaged)
    path.unlink()
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    if damaged.exists():
        damaged.rename(path)


def _put_back(org: Org) -> None:
    """Put the copy of an org's book in its place."""
    path = _path(org)
    if path.is_dir():
        path.rmdir()
    path.with_suffix(".copy").rename(path)


def _fold(path: Path) -> None:
    """Bring all of a book into its file."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(5_000)
    eventually(lambda: connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0] == 0, "it is folded in")
    connection.close()


@pytest.mark.parametrize("error", ["IOError", "FullError", "ReadOnlyError"])
def test_a_book_that_can_not_be_written_is_unavailable_alone_and_goes_on_being_read(
    stack: Stack, faults: Faults, error: str
) -> None:
    org, neighbour = _pair(stack, error)
    faults.fail_writes(error, f"{org.slug}.db", f"{org.slug}.db-wal")
    first = _post(org, "first", "wait=1")  # of a commit that failed nobody knows whether a crash brings it back

    _check_outage(org, neighbour, reads=True)
    assert _shown(stack)[0].count(org.slug)
    faults.end()

    assert first.status_code == 202 or _is_unavailable(first)
    _check_healed(org, *(["first"] if first.status_code == 202 else []))


def test_what_was_accepted_before_a_book_failed_waits_and_is_applied_once_it_is_well(
    stack: Stack, faults: Faults
) -> None:
    org, _ = _pair(stack, "accepted")
    with stack.halted(WORKER):
        accepted = [_post(org, f"a-{n}", "respond-async") for n in range(20)]
        faults.fail_writes("FullError", f"{org.slug}.db-wal")
    eventually(lambda: _shown(stack), "it is set aside")
    told = stack.metric("ledger_commands_answered_total")
    sweeps = stack.metric("ledger_inbox_sweeps_total")
    eventually(lambda: stack.metric("ledger_inbox_sweeps_total") >= sweeps + 2, "the inbox was gone through twice")
    assert stack.metric("ledger_commands_answered_total") - told <= len(accepted), "it is not sent over and over"
    assert {org.get(answer.headers["Location"]).json()["status"] for answer in accepted} == {"pending"}

    faults.end()

    _check_healed(org, *(f"a-{n}" for n in range(20)))


def test_without_an_inbox_nothing_is_promised_and_whoever_waits_is_answered(stack: Stack, faults: Faults) -> None:
    org, _ = _pair(stack, "inbox")
    faults.fail_writes("IOError", "inbox.db", "inbox.db-wal")

    assert _is_unavailable(_post(org, "promised", "respond-async"))
    assert _post(org, "waited").status_code == 201
    health = eventually(lambda: _inbox_of(stack) != "ok", "health says so")
    faults.end()

    assert health
    eventually(lambda: _post(org, "promised", "respond-async").status_code == 202, "it is promised again")
    eventually(lambda: len(org.all("/v1/entries")) == 3, "and kept")
    eventually(lambda: _inbox_of(stack) == "ok", "health is well")


def _inbox_of(stack: Stack) -> str:
    return str(stack.http.get("/health").json()["checks"]["inbox"])


def test_an_inbox_that_is_taken_away_promises_nothing_until_it_is_put_back(stack: Stack) -> None:
    org, _ = _pair(stack, "inbox taken away")
    path = stack.data / "inbox.db"
    files = [path.with_name(path.name + beside) for beside in ("", "-wal", "-shm")]
    for file in files:
        file.rename(file.with_name(f"away.{file.name}"))

    assert _is_unavailable(_post(org, "promised", "respond-async"))
    assert _post(org, "waited").status_code == 201
    assert not path.exists()

    for file in files:
        file.with_name(f"away.{file.name}").rename(file)
    eventually(lambda: _post(org, "promised", "respond-async").status_code == 202, "it is promised again")


@pytest.mark.parametrize("how", ["taken away", "overwritten"])
def test_without_a_registry_nobody_is_told_that_the_key_is_wrong(stack: Stack, how: str) -> None:
    org, _ = _pair(stack, f"registry {how}")
    path = stack.data / "registry.db"
    # Not folded in: who was let in is forgotten when the registry is in another state.
    files = [file for beside in ("", "-wal", "-shm") if (file := path.with_name(path.name + beside)).exists()]
    for file in files:
        file.rename(file.with_name(f"away.{file.name}"))
    if how == "overwritten":
        path.write_bytes(b"not a database " * 1_000)

    told = [org.get("/v1/entries").status_code]
    while told[-1] != 503:
        told.append(org.get("/v1/entries").status_code)
    stranger = stack.http.get("/v1/entries", headers={"X-Org-Slug": org.slug, "X-Api-Key": "ffl_wrong"})
    stack.kill("-m intake")
    eventually(lambda: _asks(stack) == 503, "a new process says the same")

    assert set(told) == {200, 503}
    assert _is_unavailable(stranger)
    assert "registry" in stack.http.get("/health").json()["checks"]["storage"]
    for file in files:
        file.with_name(f"away.{file.name}").rename(file)
    eventually(lambda: org.get("/v1/entries").status_code == 200, "keys work again")
    eventually(stack.healthy, "health is well")


def _asks(stack: Stack) -> int:
    try:
        return stack.http.get("/v1/entries", headers={"X-Org-Slug": "x", "X-Api-Key": "y"}).status_code
    except httpx.TransportError:
        return 0


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Path]]:
    """A stack whose books lie on a small file system of their own."""
    if os.geteuid():
        pytest.skip("only root can mount")
    data = tmp_path_factory.mktemp("mounted") / "data"
    books = data / "books"
    data.mkdir(mode=0o700)
    books.mkdir(mode=0o700)
    _mount("-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", str(books))
    stack = Stack(data, environment={"LEDGER_WAIT_S": "30"})
    try:
        yield stack.start(), books
        stack.stop()
    finally:
        subprocess.run(["umount", "-l", str(books)], check=True)


def test_a_file_system_without_room_is_waited_for(mounted: tuple[Stack, Path]) -> None:
    stack, books = mounted
    org, neighbour = _pair(stack, "full")
    filler = books / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4_096)
    answers = [_post(org, f"k-{n}") for n in range(40)]

    refused = [answer for answer in answers if answer.status_code != 201]
    assert refused, "there was room for all"
    assert all(map(_is_unavailable, refused))
    assert neighbour.get("/v1/entries").status_code == org.get("/v1/entries").status_code == 200
    filler.unlink()

    eventually(lambda: _post(org, "after").status_code == 201, "it works again by itself")
    applied = {item["idempotency_key"] for item in org.all("/v1/entries")}
    assert applied == {"before", "after", *(f"k-{n}" for n, answer in enumerate(answers) if answer.status_code == 201)}
    assert org.proof()["ok"]
    eventually(stack.healthy, "health is well")


def test_a_folder_that_is_read_only_is_waited_for(mounted: tuple[Stack, Path]) -> None:
    stack, books = mounted
    org, _ = _pair(stack, "read only")
    _mount("--bind", str(books), str(books))
    _mount("-o", "remount,bind,ro", str(books))
    stack.kill(WORKER)  # what it has open it may write

    answer = eventually(lambda: _answered(org), "a new worker answers")
    assert _is_unavailable(answer)
    assert org.get("/v1/entries").status_code == 200
    health = eventually(lambda: None if stack.healthy() else stack.http.get("/health"), "health says so")
    assert health.json()["checks"]["storage"] == "the data folder can't be written"
    subprocess.run(["umount", "-l", str(books)], check=True)

    eventually(lambda: _post(org, "after").status_code == 201, "it works again by itself")
    assert {item["idempotency_key"] for item in org.all("/v1/entries")} >= {"before", "after"}
    assert org.proof()["ok"]


def _answered(org: Org) -> httpx.Response | None:
    answer = _post(org, "during", "wait=1")
    return None if answer.status_code == 202 else answer
