"""Watching descriptors: each is asked what it waits for when something happened to it, and no other one is."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from intake.watching import Watched


class Item:
    """An end of a connection, as waitress keeps one, and what was asked of it."""

    accepting = connecting = False
    connected = True

    def __init__(self, watched: Watched, org: str | None = None) -> None:
        self.org = org
        self.watched = watched
        self.socket, self.other = socket.socketpair()
        self.descriptor = self.socket.fileno()
        self.reads, self.writes = True, False
        self.asked = 0
        self.got: list[bytes] = []
        self.wrote = 0
        self.is_open = True
        watched[self.descriptor] = self

    def readable(self) -> bool:
        self.asked += 1
        return self.reads

    def writable(self) -> bool:
        return self.writes

    def handle_read_event(self) -> None:
        self.got.append(self.socket.recv(100))
        if self.got[-1] == b"":
            self.close()

    def handle_write_event(self) -> None:
        self.wrote += 1
        self.writes = False

    def handle_error(self) -> None:
        raise AssertionError("an item failed")

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            del self.watched[self.descriptor]
            self.socket.close()


@pytest.fixture
def watched() -> Iterator[Watched]:
    with contextlib.closing(Watched()) as found:
        yield found


def test_what_comes_is_dealt_with_by_whom_it_came_to(watched: Watched) -> None:
    first, second = Item(watched), Item(watched)

    first.other.send(b"x")
    watched.turn(1)

    assert (first.got, second.got) == ([b"x"], [])


def test_of_each_org_so_many_are_dealt_with_in_a_turn_and_the_others_come_again(watched: Watched) -> None:
    crowd, other = [Item(watched, "crowd") for _ in range(5)], Item(watched, "other")
    for item in (*crowd, other):
        item.other.send(b"x")
    dealt_with: list[int] = []  # of the crowd, after each that was dealt with
    turns: list[int] = []  # the same, after each turn

    for _ in range(3):
        watched.turn(1, lambda: dealt_with.append(sum(len(item.got) for item in crowd)), 2)
        turns.append(dealt_with[-1])
        assert other.got == [b"x"]

    assert turns == [2, 4, 5]
    assert dealt_with[1:] == [1, 2, 3, 4, 5]  # the other one is first, or comes before any has its second turn


def test_of_each_org_those_come_first_whose_last_turn_was_the_longest_ago(watched: Watched) -> None:
    crowd = [Item(watched, "crowd") for _ in range(5)]

    for _ in range(5):
        for item in crowd:  # also those that were dealt with: they ask again at once
            item.other.send(b"x")
        watched.turn(1, of_each_org=2)

    assert [len(item.got) for item in crowd] == [2] * 5


def test_one_to_which_nothing_happened_is_not_asked_again(watched: Watched) -> None:
    busy, idle = Item(watched), Item(watched)
    for _ in range(10):
        busy.other.send(b"x")
        watched.turn(1)

    assert busy.asked == 10
    assert idle.asked == 1
    assert len(busy.got) == 10


def test_what_it_waits_for_changes_when_it_is_looked_at(watched: Watched) -> None:
    item = Item(watched)
    watched.turn(0)

    item.reads, item.writes = False, True
    watched.turn(0)
    assert item.wrote == 0
    watched.look_at(item.descriptor)
    item.other.send(b"x")
    watched.turn(1)
    assert (item.wrote, item.got) == (1, [])
    watched.turn(0)  # it waits for nothing any more
    assert (item.wrote, item.got) == (1, [])

    item.reads = True
    watched.look_at_all()
    watched.turn(1)
    assert item.got == [b"x"]


def test_a_descriptor_that_is_used_again_is_watched_for_the_new_one(watched: Watched) -> None:
    old = Item(watched)
    watched.turn(0)
    old.close()
    old.other.close()
    new = Item(watched)
    assert new.descriptor == old.descriptor

    new.other.send(b"x")
    watched.turn(1)

    assert (old.got, new.got) == ([], [b"x"])


def test_one_that_was_closed_by_another_one_in_the_same_turn_is_left_alone(watched: Watched) -> None:
    items = [Item(watched) for _ in range(2)]
    for item, other in zip(items, reversed(items), strict=True):
        item.other.send(b"x")
        item.handle_read_event = other.close  # type: ignore[method-assign]

    watched.turn(1)

    assert sorted(item.is_open for item in items) == [False, True]
    assert len(watched) == 1


def test_one_that_closes_while_it_is_asked_is_not_watched(watched: Watched) -> None:
    item = Item(watched)

    def readable() -> bool:
        item.close()
        return True

    item.readable = readable  # type: ignore[method-assign]
    watched.turn(0)
    watched.look_at(item.descriptor)
    watched.turn(0)

    assert not watched


def test_the_end_of_a_connection_is_seen(watched: Watched) -> None:
    item = Item(watched)
    watched.turn(0)

    item.other.close()
    watched.turn(1)

    assert item.got == [b""]
    assert not watched


def test_one_that_the_system_would_not_watch_is_watched_once_it_does(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = Item(watched)

    def register(descriptor: int, events: int) -> None:
        raise OSError("no memory")

    with monkeypatch.context() as patched:
        patched.setattr(watched._selector, "register", register)
        with pytest.raises(OSError, match="no memory"):
            watched.turn(0)
    item.other.send(b"x")
    watched.look_at_all()
    watched.turn(1)

    assert item.got == [b"x"]
