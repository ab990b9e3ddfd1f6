"""The plan of a storm: which faults strike when, and what each caller sets out to do. Pure: a seed replays it."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

CALM_S = 1.0  # before the first fault, and at least so long after the last one began
GAP_S = (0.3, 2.0)  # between two faults
ORGS = ("ant", "bee", "cat", "dog", "elk", "fox")
KINDS = {
    "deposit": 26,
    "transfer": 24,
    "overdraw": 3,
    "hold": 14,
    "capture": 11,
    "release": 4,
    "reversal": 6,
    "bulk": 3,
    "bulk-each": 3,
    "account": 2,
    "closure": 1,
    "reuse": 3,
}
WAYS = {"sync": 5, "async": 3, "wait=1": 1, "wait=0": 1}
LENGTHS_S = {  # how long a fault lasts; those that are not here are over at once
    "freeze_worker": (0.2, 22.0),
    "freeze_intake": (0.2, 12.0),
    "freeze_broker": (0.2, 12.0),
    "freeze_supervisor": (0.5, 4.0),
    "drop_messages": (0.2, 2.0),
    "delay_messages": (0.5, 8.0),
    "reorder_messages": (0.3, 2.0),
    "double_messages": (0.3, 4.0),
    "part_from_broker": (0.2, 12.0),
    "part_from_callers": (0.2, 4.0),
    "fill_disk": (0.3, 12.0),
    "clock_forwards": (0.5, 8.0),
    "clock_back": (0.5, 8.0),
}
FAULTS = (
    "kill_worker",
    "kill_intake",
    "kill_broker",
    "kill_everything",
    "restart",
    *LENGTHS_S,
    "flush_broker",
    "wipe_broker",
    "repeat_old_messages",
    "cut_broker_connections",
    "tear_broker_messages",
    "mute_broker",
    "cut_callers",
    "tear_requests",
    "mute_answers",
)


class Strike(NamedTuple):
    """A fault: how long after the beginning it strikes, how long it lasts, and a number in [0, 1) for its choices."""

    at_s: float
    fault: str
    length_s: float
    pick: float


class Intent(NamedTuple):
    """What a caller sets out to do next; numbers in [0, 1) stand for choices that depend on what there is by then."""

    number: int
    org: str
    kind: str
    way: str
    amount: int
    parties: tuple[int, int]
    picks: tuple[float, float, float]


def strikes(seed: int, seconds: float, faults: Sequence[str] = FAULTS) -> list[Strike]:
    """Return the faults of a storm of that many seconds: each kind once, in any order, and then as they come."""
    if not faults:
        return []
    rng = random.Random(f"{seed}/faults")
    first = rng.sample(list(faults), len(faults))
    pace = min(1.0, (seconds - 2 * CALM_S) / (len(faults) * sum(GAP_S) / 2))  # a short storm is a denser one
    planned: list[Strike] = []
    over_at_s = dict.fromkeys(faults, 0.0)
    now_s = CALM_S
    while now_s < seconds - CALM_S:
        idle = [each for each in faults if over_at_s[each] <= now_s]
        if not idle:
            now_s = min(over_at_s.values())
            continue
        fault = first.pop() if first else rng.choice(idle)
        low, high = LENGTHS_S.get(fault, (0.0, 0.0))
        length_s = min(low + pace * (high - low) * rng.random() ** 2, max(seconds - now_s, low))  # most are short
        over_at_s[fault] = now_s + length_s
        planned.append(Strike(round(now_s, 3), fault, round(length_s, 3), rng.random()))
        left_s = (seconds - CALM_S - now_s) / (len(first) + 1)  # for each of those that have not struck yet
        now_s += min(pace * rng.uniform(*GAP_S), left_s) if first else pace * rng.uniform(*GAP_S)
    return planned


def intents(seed: int, caller: str) -> Iterator[Intent]:
    """Yield what a caller sets out to do, without end."""
    rng = random.Random(f"{seed}/{caller}")
    number = 0
    while True:
        number += 1
        yield Intent(
            number,
            rng.choice(ORGS),
            rng.choices(list(KINDS), list(KINDS.values()))[0],
            rng.choices(list(WAYS), list(WAYS.values()))[0],
            rng.choice((rng.randint(1, 50), rng.randint(1, 5_000))),
            (rng.randrange(3), rng.randrange(1, 3)),
            (rng.random(), rng.random(), rng.random()),
        )
