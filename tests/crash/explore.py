"""Going through the states that power loss could leave: which there are, and what is wrong with them."""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.crash.disk import Answered, Chance, Disk, Image, Submitted, Sync, SyncFolder, digest, write
from tests.crash.recording import Recording

ROUNDS_MAX = 60
MEMORY = Path("/dev/shm")  # a disk that syncs at once, where there is one: these files are thrown away

Check = Callable[[Path, int, int], None]  # the folder; the last step answered, and the last one submitted


class State(NamedTuple):
    """A state that power loss could leave: after which event, by which chance, and what was answered by then."""

    point: int
    round: int
    answered: int
    submitted: int


class Survey(NamedTuple):
    """What was tried: distinct states, sync boundaries, and what was wrong with which state."""

    states: int
    boundaries: int
    wrong: dict[State, str]
    took_s: float


@contextmanager
def scratch() -> Iterator[Path]:
    """Lend a folder for what is thrown away, in memory where there is such a place."""
    with tempfile.TemporaryDirectory(prefix="ff-ledger-crash-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def survey(record: Recording, check: Check, scratch: Path, *, wanted: int, seed: int = 1, first: int = 0) -> Survey:
    """Try distinct states, at least as many as wanted if there are; at every sync boundary the two extremes of them.

    States before the step `first` was answered are left out.
    """
    began = time.monotonic()
    states, wrong = 0, {}
    for state, folder in left_over(record, scratch, wanted=wanted, seed=seed, first=first):
        states += 1
        try:
            check(folder, state.answered, state.submitted)
        except Exception as error:
            wrong[state] = f"{type(error).__name__}: {error}"
    boundaries = sum(isinstance(event, (Sync, SyncFolder)) for event in record.events)
    return Survey(states, boundaries, wrong, time.monotonic() - began)


def left_over(
    record: Recording, scratch: Path, *, wanted: int, seed: int = 1, first: int = 0
) -> Iterator[tuple[State, Path]]:
    """Yield states that power loss could leave, each in a folder that is there for as long as it is looked at."""
    for number, (state, image) in enumerate(_images(record, _states(record, wanted, seed, first), seed)):
        folder = scratch / f"{record.root.name}-{number}"
        folder.mkdir(mode=0o700)
        write(image, folder, _dice(seed, state.round, state.point))
        yield state, folder
        shutil.rmtree(folder)


def _states(record: Recording, wanted: int, seed: int, first: int) -> list[State]:
    """Return states that differ in what is on disk; of one that may come about at several points the strictest."""
    found: dict[bytes, State] = {}
    points = _points(record, first)
    boundaries = [point for point in points if _is_boundary(record, point[0])]
    for round_ in range(ROUNDS_MAX):
        if round_ >= len(_FIRST) and len(found) >= wanted:
            break
        dice = random.Random(f"{seed}/points/{round_}")
        if round_ < len(_FIRST):
            tried = boundaries
        else:
            tried = sorted(dice.sample(points, min(len(points), max(wanted - len(found), 1))))
        for (point, answered, submitted), disk in _disks(record, tried):
            key = digest(disk.image(_chance(seed, round_, point), _dice(seed, round_, point)))
            known = found.get(key)
            if known is None:
                found[key] = State(point, round_, answered, submitted)
            else:
                strict = max(answered, known.answered), min(submitted, known.submitted)
                found[key] = State(known.point, known.round, *strict)
    return sorted(found.values())


def _points(record: Recording, first: int) -> list[tuple[int, int, int]]:
    """Return every point of a recording, with the last step answered and the last one submitted by then."""
    points, answered, submitted = [], -1, -1
    for point, event in enumerate(record.events, start=1):
        match event:
            case Submitted(step):
                submitted = step
            case Answered(step):
                answered = step
        if answered >= first:
            points.append((point, answered, submitted))
    return points


def _is_boundary(record: Recording, point: int) -> bool:
    """Whether a sync comes next, or an answer was just given."""
    after = record.events[point] if point < len(record.events) else None
    return isinstance(after, (Sync, SyncFolder)) or isinstance(record.events[point - 1], Answered)


def _disks(record: Recording, points: Sequence[tuple[int, int, int]]) -> Iterator[tuple[tuple[int, int, int], Disk]]:
    disk, at = record.before.copy(), 0
    for point in points:
        while at < point[0]:
            disk.advance(record.events[at])
            at += 1
        yield point, disk


def _images(record: Recording, states: Sequence[State], seed: int) -> Iterator[tuple[State, Image]]:
    points = [(state.point, 0, 0) for state in states]
    for state, (_, disk) in zip(states, _disks(record, points), strict=True):
        chance = _chance(seed, state.round, state.point)
        yield state, disk.image(chance, _dice(seed, state.round, state.point))


def _dice(seed: int, round_: int, point: int) -> random.Random:
    return random.Random(f"{seed}/{round_}/{point}")


def _always(*_: int) -> bool:
    return True


def _never(*_: int) -> bool:
    return False


def _last(number: int, of: int) -> bool:
    return number == of - 1


def _but_first(number: int, of: int) -> bool:
    return number > 0


_FIRST = (  # tried at every sync boundary; what else there is, is tried at points that are drawn
    Chance("what was synced", _never, _always, _never, None, garbage=False),
    Chance("all that was written", _always, _always, _always, None, garbage=False),
)


def _chance(seed: int, round_: int, point: int) -> Chance:
    if round_ < len(_FIRST):
        return _FIRST[round_]
    dice = random.Random(f"{seed}/chance/{round_}/{point}")
    share, share_of_names = dice.random(), dice.random()

    def some(*_: int) -> bool:
        return dice.random() < share

    def some_names(*_: int) -> bool:
        return dice.random() < share_of_names

    def up_to_some(number: int, of: int) -> bool:
        return number <= share * of

    garbage, names = dice.random() < 0.5, dice.choice([_always, _never, some_names])
    return dice.choice(
        [
            Chance("a prefix, torn", up_to_some, _always, names, dice.randrange(1 << 20), garbage),
            Chance("some writes", some, _always, names, None, garbage),
            Chance("some sectors", _always, some, names, None, garbage),
            Chance("some sectors of some writes", some, some, names, None, garbage),
            Chance("the last alone", _last, _always, names, None, garbage),
            Chance("all but the first", _but_first, _always, names, None, garbage),
        ]
    )
