"""Lanes of one worker: while it has to do with many orgs of one, those of the others gather for their next message."""

from collections.abc import Sequence

import pytest

from intake.lanes import HOLD_ORGS, HOLD_PART, Lane, Sent, Way, note_worker
from intake.tickets import Ticket
from tests.builders import posting, submission
from tests.intake.sending import DONE, LANES, Clock, Sender
from wire.envelope import Reply
from wire.lanes import lane_of

NOW_S = 1_000.0
TAKES_S = 0.008  # what messages take of late
MANY = [f"many-{n}" for n in range(HOLD_ORGS)]


def _tickets(orgs: Sequence[str]) -> list[Ticket]:
    return [Ticket(number, org, submission(posting(), org), accepted=False) for number, org in enumerate(orgs)]


def _send(lane: Lane, message_id: int, orgs: Sequence[str], way: Way = Way.PLAIN) -> Sent:
    sent = Sent.of(message_id, _tickets(orgs), NOW_S, way)
    lane.was_sent(sent)
    return sent


@pytest.fixture
def lanes() -> list[Lane]:
    lanes = [Lane(number) for number in range(4)]
    for lane, worker in zip(lanes, ("a", "b", "a", "a"), strict=True):
        lane.message_s = TAKES_S
        note_worker(lanes, lane, worker)
    return lanes


@pytest.fixture
def lane(lanes: list[Lane]) -> Lane:
    """A lane of worker a, for which a command waits."""
    lanes[0].waiting.add(_tickets(["one"]))
    return lanes[0]


@pytest.fixture
def mate(lanes: list[Lane]) -> Lane:
    """Another lane of worker a."""
    return lanes[2]


def test_a_lane_waits_while_its_worker_has_a_message_of_many_orgs(lane: Lane, mate: Lane) -> None:
    assert lane.may_send(NOW_S)

    _send(mate, 1, MANY)
    assert not lane.may_send(NOW_S)
    assert lane.take(NOW_S) == (Way.PLAIN, [])

    mate.answered(1, NOW_S)
    assert lane.may_send(NOW_S)


def test_it_waits_no_longer_than_most_of_what_such_a_message_takes(lane: Lane, mate: Lane) -> None:
    _send(mate, 1, MANY)

    assert not lane.may_send(NOW_S + TAKES_S * HOLD_PART * 0.99)
    assert lane.may_send(NOW_S + TAKES_S * HOLD_PART * 1.01)


def test_it_waits_for_no_other_worker(lane: Lane, lanes: list[Lane]) -> None:
    _send(lanes[1], 1, MANY)

    assert lane.may_send(NOW_S)


@pytest.mark.parametrize("orgs", [["one"], ["one"] * 20, MANY[1:]])
def test_it_does_not_wait_for_a_message_of_few_orgs_however_long(lane: Lane, mate: Lane, orgs: list[str]) -> None:
    _send(mate, 1, orgs)

    assert lane.may_send(NOW_S)


@pytest.mark.parametrize("way", [Way.EXPRESS, Way.HEAVY])
def test_it_does_not_wait_for_messages_that_go_in_other_ways(lane: Lane, mate: Lane, way: Way) -> None:
    _send(mate, 1, MANY, way)

    assert lane.may_send(NOW_S)


def test_it_does_not_wait_beside_a_backlog_of_which_the_next_message_lies_ready(lane: Lane, mate: Lane) -> None:
    _send(mate, 1, MANY)
    _send(mate, 2, MANY)

    assert lane.may_send(NOW_S)
    mate.answered(1, NOW_S)
    assert not lane.may_send(NOW_S)


def test_a_full_message_does_not_wait(lane: Lane, mate: Lane) -> None:
    _send(mate, 1, MANY)
    lane.weight_max = 3

    lane.waiting.add(_tickets(["two"]))
    assert not lane.may_send(NOW_S)
    lane.waiting.add(_tickets(["three"]))
    assert lane.may_send(NOW_S)


def test_what_is_lost_or_taken_back_is_not_waited_for(lane: Lane, mate: Lane) -> None:
    sent = _send(mate, 1, MANY)
    mate.take_back(sent, [])
    assert lane.may_send(NOW_S)

    _send(mate, 2, MANY)
    lane.message_s = mate.message_s = 60.0
    assert not lane.may_send(NOW_S + 3)
    assert mate.take_lost(NOW_S + 3)
    assert lane.may_send(NOW_S + 3)


def test_a_lane_that_falls_to_another_worker_has_other_mates(lanes: list[Lane]) -> None:
    note_worker(lanes, lanes[2], "b")

    assert [[mate.number for mate in lane.mates] for lane in lanes] == [[3], [2], [1], [0]]


def test_of_workers_that_do_not_say_who_they_are_each_lane_is_its_own(lanes: list[Lane]) -> None:
    for lane in lanes:
        note_worker(lanes, lane, None)

    assert [lane.mates for lane in lanes] == [[], [], [], []]


def _orgs_of(lane: int) -> list[str]:
    return [slug for slug in map("org-{}".format, range(99)) if lane_of(slug, LANES) == lane]


def _answered(sender: Sender, place: int, worker: str | None) -> None:
    _, message = sender.broker.messages[place]
    answers = [(item.number, DONE) for item in message.items]
    sender.dispatch.resolve(Reply(message.message_id, len(answers), answers, 1_000, worker))


@pytest.mark.parametrize("worker", ["a", None])
def test_lanes_of_one_worker_send_in_turns(clock: Clock, worker: str | None) -> None:
    sender = Sender(clock)
    for lane in (0, 1):
        sender.send(_orgs_of(lane)[0])
    clock.now_s += 0.008
    for place in (0, 1):
        _answered(sender, place, worker)
    sender.dispatch.send_due()
    for org in _orgs_of(0)[:HOLD_ORGS]:
        sender.dispatch.send_soon(sender.dispatch.tickets(org, [submission(posting(), org)]))
    sender.dispatch.send_due()
    assert [lane for lane, _ in sender.broker.messages[2:]] == [0]

    for org in [*_orgs_of(1)[:3], *_orgs_of(0)[:3]]:
        sender.send(org)
    held = [lane for lane, _ in sender.broker.messages[3:]]
    _answered(sender, 2, worker)

    if worker is None:
        assert held == [1]
    else:
        assert held == []
        assert [(lane, len(message.items)) for lane, message in sender.broker.messages[3:]] == [(1, 3), (0, 3)]
