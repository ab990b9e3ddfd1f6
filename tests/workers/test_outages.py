"""Outages: an org whose book can't be used is set aside at no cost to others, and comes back by itself."""

import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from ledger_core.errors import StorageUnavailable
from ledger_core.set_aside import SetAside
from ledger_core.store import probe
from ledger_core.store.book import Book, book_path
from tests.builders import opening, posting, submission
from wire.answers import Answer
from workers import outages as module
from workers.books import Books
from workers.outages import Outages
from workers.turns import Turns


class Clock:
    """A clock that moves when it is told to."""

    now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(module, "time", fake)
    return fake


@pytest.fixture
def busy(turns: Turns, clock: Clock) -> Turns:
    """Turns on orgs that have two accounts each."""
    for org in ("acme", "globex"):
        turns.apply(org, [submission(opening(), org) for _ in range(2)])
    return turns


def _post(turns: Turns, org: str = "acme", description: str = "x") -> int:
    answer: Answer | None = turns.apply(org, [submission(posting(description=description), org)])[0]
    assert answer is not None
    return answer.http_status


def _look(outages: Outages, clock: Clock, after_s: float = 10.0) -> None:
    clock.now_s += after_s
    outages.look_once()


def truncated(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        for offset in range(4_096, path.stat().st_size, 4_096):
            file.seek(offset + 100)
            file.write(b"\xde\xad\xbe\xef" * 100)


def replaced_by_a_text(path: Path) -> None:
    path.unlink()
    path.write_text("Dear diary, " * 1_000)


def replaced_by_another_program_s_file(path: Path) -> None:
    path.unlink()
    connection = apsw.Connection(str(path))
    connection.execute("create table t (a)")
    connection.close()


def replaced_by_another_org_s_book(path: Path) -> None:
    path.unlink()
    shutil.copy(path.with_name("globex.db"), path)


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def taken_away(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: list[Callable[[Path], None]] = [
    truncated,
    overwritten,
    replaced_by_a_text,
    replaced_by_another_program_s_file,
    replaced_by_another_org_s_book,
    replaced_by_a_folder,
    taken_away,
    emptied,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_it_is_unavailable_alone_until_its_book_is_put_back(
    busy: Turns, books: Books, outages: Outages, aside: SetAside, clock: Clock, data: Path, damage: Callable[..., None]
) -> None:
    _post(busy)
    books.close()
    path = book_path(data, "acme")
    copy = path.read_bytes()
    damage(path)
    broken = None if path.is_dir() or not path.exists() else path.read_bytes()

    told = [_post(busy) for _ in range(3)]
    _look(outages, clock)
    (outage,) = aside.outages()
    for _ in range(3):
        _look(outages, clock)

    assert told == [503] * 3
    assert outage.org == "acme"
    assert outage.cause
    assert _post(busy) == 503
    assert _post(busy, "globex") == 201
    assert broken is None or path.read_bytes() == broken, "nothing is written to it, and none is made in its place"
    assert path.exists() is (damage is not taken_away)

    if path.is_dir():
        path.rmdir()
    path.write_bytes(copy)
    _look(outages, clock)

    assert aside.outages() == []
    assert _post(busy) == 201
    book = Book.open_reader(data, "acme")
    assert book.connection.execute("select count(*) from entries").get == 2
    book.close()


def test_a_set_aside_org_costs_its_lane_no_look_at_its_book(
    busy: Turns, books: Books, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book_path(data, "acme").unlink()
    _post(busy)
    tried: list[str] = []
    monkeypatch.setattr(books, "book", tried.append)

    assert [_post(busy) for _ in range(10)] == [503] * 10

    assert tried == []


def test_it_is_looked_at_less_and_less_often_but_never_given_up(
    busy: Turns, outages: Outages, clock: Clock, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book_path(data, "acme").unlink()
    _post(busy)
    looks: list[float] = []

    def note(*_: object) -> None:
        looks.append(clock.now_s)
        raise StorageUnavailable("still gone")

    monkeypatch.setattr(module, "try_book", note)
    began_s = clock.now_s

    for _ in range(400):
        _look(outages, clock, 0.25)

    gaps = [round(after - before, 2) for before, after in zip([began_s, *looks], looks, strict=False)]
    assert gaps[:5] == [0.5, 1, 2, 4, 8]
    assert set(gaps[5:]) == {8}


def test_a_damaged_book_is_read_whole_once_for_each_state_of_it(
    busy: Turns, books: Books, outages: Outages, clock: Clock, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.close()
    overwritten(book_path(data, "acme"))
    _post(busy)
    reads: list[None] = []

    def note(*arguments: object) -> None:
        reads.append(None)
        probe.check_book(data, "acme")

    monkeypatch.setattr(module, "check_book", note)

    for _ in range(5):
        _look(outages, clock)
    assert len(reads) == 1

    book_path(data, "acme").touch()
    _look(outages, clock)
    assert len(reads) == 2


def test_damage_that_shows_as_a_fault_of_ours_is_found_by_reading_the_book(
    busy: Turns, outages: Outages, aside: SetAside, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = StorageUnavailable("acme: the book is damaged")
    monkeypatch.setattr(module, "check_book", lambda *_: (_ for _ in ()).throw(damaged))

    outages.suspect("acme")
    _look(outages, clock, 0.25)

    assert _post(busy) == 503
    assert [outage.org for outage in aside.outages()] == ["acme"]


def test_a_disk_that_has_no_room_is_waited_for(
    busy: Turns, books: Books, outages: Outages, aside: SetAside, clock: Clock
) -> None:
    connection = books.book("acme").connection
    connection.pragma("max_page_count", connection.pragma("page_count"))

    assert _post(busy, description="x" * 1_000) in (201, 503)
    while _post(busy, description="x" * 1_000) == 201:
        pass
    _look(outages, clock, 0.1)

    assert "FullError" in aside.outages()[0].cause
    _look(outages, clock)
    assert _post(busy) == 201


def test_what_another_worker_noted_before_it_ended_is_looked_at_by_the_owner_of_its_lane(
    data: Path, aside: SetAside, clock: Clock
) -> None:
    aside.begin_outage("acme", "full", 1)
    aside.begin_outage("globex", "full", 1)
    ours = Outages(data, aside, lambda org: org == "acme")

    ours.look_once()

    assert [outage.org for outage in aside.outages()] == ["globex"]


def test_a_command_that_came_too_late_says_nothing_of_its_book(busy: Turns, outages: Outages) -> None:
    late = iter([False, True])

    (answer,) = busy.apply("acme", [submission(posting())], lambda: next(late))

    assert answer is not None
    assert answer.http_status == 503
    outages.check("acme")


def test_where_nothing_can_be_noted_orgs_are_set_aside_all_the_same(
    busy: Turns, outages: Outages, clock: Clock, data: Path
) -> None:
    (data / "set_aside.db").write_bytes(b"not a database " * 1_000)
    path = book_path(data, "acme")
    path.rename(path.with_suffix(".away"))
    _post(busy)

    _look(outages, clock)
    path.with_suffix(".away").rename(path)
    _look(outages, clock)

    assert _post(busy) == 201
