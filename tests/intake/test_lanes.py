"""Lanes: when the next message may go, and how much it carries."""

import pytest

from intake.lanes import (
    AHEAD_MAX,
    CROWD_WEIGHT,
    HEAVY_MAX,
    LOST_S,
    MESSAGE_S,
    SHRINK_MAX,
    UNANSWERED_MAX,
    WEIGHT_MAX,
    WEIGHT_MIN,
    Lane,
    Sent,
    Way,
)
from intake.tickets import Ticket
from tests.builders import ORG, posting, submission

NOW_S = 1_000.0
FULL = 100  # entries that a message of this lane carries


@pytest.fixture
def lane() -> Lane:
    lane = Lane(0)
    lane.weight_max = FULL
    return lane


def _tickets(count: int, org: str = ORG, *, weight: int = 1) -> list[Ticket]:
    made = [Ticket(number, org, submission(posting(), org), accepted=False) for number in range(count)]
    for ticket in made:
        ticket.weight = weight
    return made


def _send(
    lane: Lane, message_id: int, count: int = FULL, sent_at_s: float = NOW_S, *, org: str = ORG, way: Way = Way.PLAIN
) -> None:
    lane.was_sent(Sent.of(message_id, _tickets(count, org), sent_at_s, way))


def _taken(lane: Lane) -> tuple[Way, list[str]]:
    way, tickets = lane.take(NOW_S)
    return way, [ticket.org for ticket in tickets]


def test_while_a_message_is_under_way_less_than_a_whole_one_waits(lane: Lane) -> None:
    _send(lane, 1)

    lane.waiting.add(_tickets(FULL - 1))
    assert not lane.is_free(NOW_S)
    lane.waiting.add(_tickets(1))
    assert lane.is_free(NOW_S)


def test_of_a_backlog_no_more_messages_lie_ready_than_the_one_after_that_which_is_carried_out(lane: Lane) -> None:
    lane.waiting.add(_tickets(10 * FULL))

    for message_id in range(1, AHEAD_MAX + 1):
        assert lane.is_free(NOW_S)
        _send(lane, message_id)
    assert not lane.is_free(NOW_S)
    lane.answered(1, NOW_S)
    assert lane.is_free(NOW_S)


def test_a_late_lane_is_given_more_and_a_silent_one_nothing(lane: Lane) -> None:
    lane.waiting.add(_tickets(10 * FULL))
    for message_id in range(1, UNANSWERED_MAX + 1):
        _send(lane, message_id, sent_at_s=NOW_S - 1)
        assert lane.is_free(NOW_S) is (message_id < UNANSWERED_MAX)

    lane.sent = {1: lane.sent[1]}
    lane.losses = 2
    assert not lane.is_free(NOW_S)


def test_messages_are_fitted_to_what_their_worker_had_to_do_and_not_to_how_long_they_lay(lane: Lane) -> None:
    _send(lane, 1)

    lane.answered(1, NOW_S + 10 * MESSAGE_S, worked_s=MESSAGE_S / 2)

    assert lane.weight_max > FULL


def test_a_message_that_took_its_worker_too_long_makes_the_next_ones_shorter_but_not_by_more_than_half(
    lane: Lane,
) -> None:
    _send(lane, 1)
    lane.answered(1, NOW_S, worked_s=MESSAGE_S * 1.25)
    assert lane.weight_max == FULL / 1.25

    _send(lane, 2)
    lane.answered(2, NOW_S, worked_s=MESSAGE_S * 100)
    assert lane.weight_max == FULL * SHRINK_MAX


def test_a_worker_that_does_not_say_how_long_it_took_is_measured_from_here(lane: Lane) -> None:
    _send(lane, 1)

    lane.answered(1, NOW_S + 2 * MESSAGE_S)

    assert lane.weight_max == FULL / 2


@pytest.mark.parametrize(("worked_s", "bound"), [(0.0, WEIGHT_MAX), (1.0, WEIGHT_MIN)])
def test_a_message_is_never_longer_or_shorter_than_its_bounds(lane: Lane, worked_s: float, bound: int) -> None:
    for message_id in range(1, 50):
        _send(lane, message_id, max(lane.weight_max, WEIGHT_MIN + 1))
        lane.answered(message_id, NOW_S, worked_s=worked_s)

    assert lane.weight_max == bound


def test_the_time_in_which_a_lane_is_late_follows_its_answers_and_not_what_its_worker_says(lane: Lane) -> None:
    for message_id in range(1, 50):
        _send(lane, message_id)
        lane.answered(message_id, NOW_S + 0.1, worked_s=0.001)
        lane.answered_at_s = 0.0

    assert lane.message_s == pytest.approx(0.1, rel=0.01)


def test_a_newcomer_passes_a_crowd_of_another_org(lane: Lane) -> None:
    _send(lane, 1, CROWD_WEIGHT)
    lane.waiting.add(_tickets(2, "quiet"))

    assert lane.may_send(NOW_S)
    assert _taken(lane) == (Way.EXPRESS, ["quiet", "quiet"])


@pytest.mark.parametrize("under_way", [{ORG: CROWD_WEIGHT - 1}, dict.fromkeys(("a", "b", "c"), CROWD_WEIGHT)])
def test_nobody_passes_what_is_over_soon_or_of_many_orgs(lane: Lane, under_way: dict[str, int]) -> None:
    tickets = [ticket for org, count in under_way.items() for ticket in _tickets(count, org)]
    lane.was_sent(Sent.of(1, tickets, NOW_S, Way.PLAIN))
    lane.waiting.add(_tickets(1, "quiet"))

    assert not lane.may_send(NOW_S)
    assert _taken(lane) == (Way.PLAIN, [])


@pytest.mark.parametrize("way", [Way.PLAIN, Way.HEAVY])
def test_an_org_passes_nothing_of_its_own(lane: Lane, way: Way) -> None:
    _send(lane, 1, CROWD_WEIGHT)
    _send(lane, 2, 1, org="quiet", way=way)
    lane.waiting.add(_tickets(1, "quiet"))

    assert not lane.may_send(NOW_S)


def test_one_message_at_a_time_passes_the_others(lane: Lane) -> None:
    _send(lane, 1)
    _send(lane, 2, 1, org="quiet", way=Way.EXPRESS)
    lane.waiting.add(_tickets(1, "another"))

    assert not lane.may_send(NOW_S)
    lane.answered(2, NOW_S)
    assert _taken(lane) == (Way.EXPRESS, ["another"])


def test_what_was_passed_is_not_lost_and_what_passed_and_is_unanswered_after_all_is(lane: Lane) -> None:
    _send(lane, 1)
    _send(lane, 2, 1, org="quiet", way=Way.EXPRESS)
    lane.answered(2, NOW_S)
    assert lane.take_lost(NOW_S) == []

    _send(lane, 3, 1, org="quiet", way=Way.EXPRESS)
    _send(lane, 4)
    lane.answered(1, NOW_S)
    assert lane.take_lost(NOW_S) == []
    lane.answered(4, NOW_S)
    assert [sent.message_id for sent in lane.take_lost(NOW_S)] == [3]


def test_a_heavy_command_goes_at_once_whatever_is_under_way_but_no_more_than_two_do(lane: Lane) -> None:
    _send(lane, 1)
    lane.waiting.add(_tickets(HEAVY_MAX + 1, "bulk", weight=FULL))

    for message_id in range(2, 2 + HEAVY_MAX):
        assert lane.may_send(NOW_S)
        assert _taken(lane) == (Way.HEAVY, ["bulk"])
        _send(lane, message_id, 1, org="bulk", way=Way.HEAVY)
    assert not lane.may_send(NOW_S)

    lane.answered(2, NOW_S)
    assert _taken(lane) == (Way.HEAVY, ["bulk"])


def test_a_heavy_message_that_takes_its_time_is_not_lost_though_others_are_answered(lane: Lane) -> None:
    lane.waiting.add(_tickets(1, "bulk", weight=FULL))
    lane.take(NOW_S)
    _send(lane, 1, 1, org="bulk", way=Way.HEAVY)
    _send(lane, 2)

    lane.answered(2, NOW_S + LOST_S)

    assert lane.take_lost(NOW_S + LOST_S) == []
    (lost,) = lane.take_lost(NOW_S + LOST_S + 0.1)
    assert lost.message_id == 1
    lane.waiting.add(_tickets(1, "bulk"))
    assert _taken(lane) == (Way.PLAIN, ["bulk"])


def test_a_silent_lane_is_given_nothing_heavy(lane: Lane) -> None:
    _send(lane, 1)
    lane.losses = 2
    lane.waiting.add(_tickets(1, "bulk", weight=FULL))

    assert not lane.may_send(NOW_S)
    lane.answered(1, NOW_S)
    assert _taken(lane) == (Way.HEAVY, ["bulk"])
