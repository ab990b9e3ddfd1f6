"""Lanes: when the next message may go, and how much it carries."""

import pytest

from intake.lanes import AHEAD_MAX, MESSAGE_S, SHRINK_MAX, UNANSWERED_MAX, WEIGHT_MAX, WEIGHT_MIN, Lane, Sent
from intake.tickets import Ticket
from tests.builders import ORG, posting, submission

NOW_S = 1_000.0
FULL = 100  # entries that a message of this lane carries


@pytest.fixture
def lane() -> Lane:
    lane = Lane(0)
    lane.weight_max = FULL
    return lane


def _tickets(count: int) -> list[Ticket]:
    return [Ticket(number, ORG, submission(posting()), accepted=False) for number in range(count)]


def _send(lane: Lane, message_id: int, count: int = FULL, sent_at_s: float = NOW_S) -> None:
    lane.sent[message_id] = Sent(message_id, _tickets(count), sent_at_s)


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
