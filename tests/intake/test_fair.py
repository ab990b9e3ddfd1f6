"""Whose turn it is: orgs share a lane, a newcomer goes before a backlog, and nobody waits for ever."""

import itertools

from intake.fair import TURN_WEIGHT, FairQueue
from intake.tickets import Ticket
from tests.builders import posting, submission

_numbers = itertools.count(1)


def _tickets(org: str, count: int = 1, *, weight: int = 1) -> list[Ticket]:
    made = [Ticket(next(_numbers), org, submission(posting(), org), accepted=False) for _ in range(count)]
    for ticket in made:
        ticket.weight = weight
    return made


def _orgs(tickets: list[Ticket]) -> list[str]:
    return [ticket.org for ticket in tickets]


def test_commands_of_an_org_leave_in_the_order_in_which_they_came() -> None:
    queue = FairQueue()
    first, second = _tickets("a", 40), _tickets("a", 40)
    queue.add(first)
    queue.add(second)

    taken = queue.take(50, 1_000) + queue.take(50, 1_000)

    assert taken == first + second
    assert len(queue) == 0


def test_a_newcomer_goes_before_a_backlog() -> None:
    queue = FairQueue()
    queue.add(_tickets("noisy", 500))
    queue.take(100, 1_000)

    queue.add(_tickets("quiet"))

    assert _orgs(queue.take(100, 50))[0] == "quiet"


def test_behind_a_newcomer_a_backlog_gets_a_quarter_of_a_message() -> None:
    queue = FairQueue()
    queue.add(_tickets("noisy", 500))
    queue.take(1, 1_000)
    queue.add(_tickets("quiet"))

    taken = _orgs(queue.take(500, 100))

    assert taken == ["quiet"] + ["noisy"] * 25


def test_backlogs_take_turns() -> None:
    queue = FairQueue()
    for org in ("a", "b", "c"):
        queue.add(_tickets(org, 200))

    taken = _orgs(queue.take(500, 3 * TURN_WEIGHT)) + _orgs(queue.take(500, 3 * TURN_WEIGHT))

    assert {org: taken.count(org) for org in "abc"} == dict.fromkeys("abc", 2 * TURN_WEIGHT)


def test_backlogs_take_turns_even_if_a_message_has_no_room_for_a_whole_turn() -> None:
    queue = FairQueue()
    for org in ("a", "b"):
        queue.add(_tickets(org, 100))

    taken = [org for _ in range(4) for org in _orgs(queue.take(500, TURN_WEIGHT // 2))]

    assert taken.count("a") == taken.count("b") == TURN_WEIGHT


def test_newcomers_leave_by_themselves_but_for_those_that_are_left_out_or_too_heavy() -> None:
    queue = FairQueue()
    queue.add(_tickets("noisy", 500))
    queue.take(100, 100)
    queue.add(_tickets("quiet", 2) + _tickets("other") + _tickets("broad", weight=20))

    assert queue.has_newcomer({"other"})
    taken = queue.take_newcomers({"other"}, 10)

    assert _orgs(taken) == ["quiet", "quiet"]
    assert not queue.has_newcomer({"other", "broad"})
    assert len(queue) == 402


def test_heavy_commands_leave_one_by_one_and_their_orgs_take_turns() -> None:
    queue = FairQueue()
    queue.add(_tickets("a", 2, weight=500) + _tickets("b", 2, weight=500))

    assert queue.take(500, 1_000) == []
    taken = [ticket for _ in range(5) if (ticket := queue.take_heavy()) is not None]

    assert _orgs(taken) == ["a", "b", "a", "b"]
    assert len(queue) == 0


def test_what_an_org_sent_after_a_heavy_command_waits_until_that_is_done_and_nothing_else_does() -> None:
    queue = FairQueue()
    before, heavy, after = _tickets("bulk", 2), _tickets("bulk", weight=500), _tickets("bulk", 3)
    quiet = _tickets("quiet")
    queue.add(before + heavy + after)

    assert queue.take_heavy() is None
    assert queue.take(500, 1_000) == before
    assert queue.has_heavy
    assert queue.light == 0
    assert queue.take_heavy() is heavy[0]
    queue.add(quiet)
    assert queue.light == 1
    assert queue.take(500, 1_000) == quiet
    queue.heavy_done("bulk")

    assert queue.take(500, 1_000) == after


def test_a_heavy_command_that_is_put_back_leaves_first_of_its_org() -> None:
    queue = FairQueue()
    (heavy,), after = _tickets("bulk", weight=500), _tickets("bulk", 2)
    queue.add([heavy, *after])
    assert queue.take_heavy() is heavy

    queue.put_back([heavy])
    queue.heavy_done("bulk")

    assert queue.take(500, 1_000) == []
    assert queue.take_heavy() is heavy


def test_what_waits_behind_a_heavy_command_that_is_unwanted_goes_on() -> None:
    queue = FairQueue()
    (heavy,), after = _tickets("bulk", weight=500), _tickets("bulk", 2)
    queue.add([heavy, *after])

    assert queue.remove(lambda ticket: ticket is heavy) == [heavy]

    assert queue.take(500, 1_000) == after
    assert len(queue) == 0


def test_what_is_put_back_leaves_first_of_its_org() -> None:
    queue = FairQueue()
    tickets = _tickets("a", 5)
    queue.add(tickets)

    queue.put_back(queue.take(3, 1_000))

    assert queue.take(500, 1_000) == tickets


def test_what_is_unwanted_is_taken_out() -> None:
    queue = FairQueue()
    kept, unwanted = _tickets("a", 2), _tickets("a", 3)
    queue.add(kept + unwanted + _tickets("b"))

    removed = queue.remove(lambda ticket: ticket in unwanted)

    assert removed == unwanted
    assert len(queue) == 3
    assert _orgs(queue.take(500, 1_000)) == ["a", "a", "b"]
