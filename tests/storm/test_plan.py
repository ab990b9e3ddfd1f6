"""The plan of a storm: a seed replays it, and even a short storm has every kind of fault."""

from collections import Counter
from itertools import islice

from tests.storm.faults import ALL
from tests.storm.plan import CALM_S, FAULTS, KINDS, intents, strikes


def test_a_seed_replays_the_plan() -> None:
    assert strikes(7, 60) == strikes(7, 60) != strikes(8, 60)
    assert list(islice(intents(7, "a"), 500)) == list(islice(intents(7, "a"), 500))
    assert list(islice(intents(7, "a"), 500)) != list(islice(intents(7, "b"), 500))


def test_every_fault_of_the_plan_is_there_to_strike() -> None:
    assert set(FAULTS) == set(ALL)
    assert len(FAULTS) == len(set(FAULTS))


def test_a_storm_of_15_seconds_has_every_fault_in_any_order() -> None:
    for seed in range(50):
        planned = strikes(seed, 15)

        assert {strike.fault for strike in planned} == set(FAULTS)
        assert all(CALM_S <= strike.at_s <= 15 - CALM_S for strike in planned)
    assert len({strikes(seed, 15)[0].fault for seed in range(50)}) > 10


def test_a_fault_does_not_strike_again_before_it_is_over() -> None:
    for seed in range(20):
        over_at_s = Counter[str]()
        for strike in strikes(seed, 120):
            assert strike.at_s >= over_at_s[strike.fault] - 0.01
            over_at_s[strike.fault] = strike.at_s + strike.length_s  # type: ignore[assignment]


def test_callers_set_out_to_do_everything() -> None:
    assert {intent.kind for intent in islice(intents(1, "a"), 1_000)} == set(KINDS)
