"""The backlog: bounded for each org and for all, in commands and in bytes."""

import pytest

from intake.problems import Rejected
from tests.builders import ORG
from tests.intake.sending import NEIGHBOUR, STRANGER, Clock, Sender, refusal


def test_what_has_its_answer_takes_no_place_in_the_backlog(sender: Sender) -> None:
    (ticket,) = sender.send()
    operation_id = ticket.submission.operation_id
    assert sender.dispatch.pending(operation_id) is ticket

    sender.answer()

    assert sender.dispatch.pending(operation_id) is None


def test_the_backlog_of_an_org_is_bounded_and_of_no_concern_to_others(clock: Clock) -> None:
    sender = Sender(clock, pending_per_org_max=2)
    sender.send(count=2)

    with pytest.raises(Rejected) as rejected:
        sender.send()

    assert refusal(rejected) == (429, "too_many_pending", "1")
    assert rejected.value.problem.facts == {"pending_max": 2}
    sender.send(NEIGHBOUR)
    sender.answer(0)
    sender.send()


def test_the_backlog_of_all_orgs_is_bounded(clock: Clock) -> None:
    sender = Sender(clock, pending_max=2)
    sender.send(ORG)
    sender.send(NEIGHBOUR)

    with pytest.raises(Rejected) as rejected:
        sender.send(STRANGER)

    assert refusal(rejected) == (503, "queue_unavailable", "1")


def test_the_bytes_that_wait_are_bounded_for_each_org_and_in_all(clock: Clock) -> None:
    (first,) = Sender(clock).send()
    sender = Sender(clock, pending_bytes_max=4 * first.bytes)
    for org in (ORG, NEIGHBOUR, STRANGER):
        sender.send(org)

    with pytest.raises(Rejected) as of_org:
        sender.send(ORG)
    sender.send("another")
    with pytest.raises(Rejected) as of_all:
        sender.send("one-more")

    assert refusal(of_org) == (429, "too_many_pending", "1")
    assert refusal(of_all) == (503, "queue_unavailable", "1")
    sender.answer(0)
    sender.send(ORG)


def test_for_what_was_accepted_there_is_always_a_place(clock: Clock) -> None:
    sender = Sender(clock, pending_per_org_max=1, pending_max=1)
    sender.send()

    sender.send(count=3, accepted=True)
    sender.answer()

    assert sender.carried == [[1], [2, 3, 4]]
