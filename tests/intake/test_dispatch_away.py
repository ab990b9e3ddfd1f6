"""Dispatch while the broker is away, or says late that it has not got a message."""

import pytest

from intake.problems import Rejected
from tests.builders import ORG
from tests.intake.sending import UNAVAILABLE, Clock, Sender, refusal
from wire.answers import SET_ASIDE, Answer
from wire.publisher import NotSent, PerhapsSent


def test_what_the_broker_surely_did_not_get_is_turned_away(sender: Sender) -> None:
    sender.broker.fails = NotSent("away")

    (ticket,) = sender.send()

    assert ticket.not_sent
    assert sender.dispatch.pending(ticket.submission.operation_id) is None


def test_whoever_waits_for_what_was_not_sent_is_let_go(sender: Sender) -> None:
    sender.broker.fails = NotSent("away")
    calls: list[None] = []

    (ticket,) = sender.send()
    ticket.when_ready(lambda: calls.append(None))

    assert calls == [None]
    assert ticket.answer is None


def test_while_the_broker_is_away_new_commands_are_turned_away_at_once(sender: Sender) -> None:
    sender.broker.fails, sender.broker.up = NotSent("away"), False
    sender.send()

    with pytest.raises(Rejected) as rejected:
        sender.send()

    assert refusal(rejected) == (503, "queue_unavailable", "1")
    assert sender.broker.messages == []


def test_what_was_accepted_is_kept_until_the_broker_is_back(sender: Sender) -> None:
    sender.broker.fails, sender.broker.up = NotSent("away"), False
    (first,) = sender.send(accepted=True)
    (second,) = sender.send(accepted=True)
    sender.later(60)
    assert sender.broker.messages == []

    sender.broker.fails, sender.broker.up = None, True
    sender.later(0.025)

    assert sender.carried == [[first.number, second.number]]


def test_what_the_broker_perhaps_got_is_neither_turned_away_nor_sent_again_before_it_is_due(sender: Sender) -> None:
    sender.broker.fails = PerhapsSent("away")
    (ticket,) = sender.send()
    sender.broker.fails = None

    sender.later(0.1)
    assert not ticket.not_sent
    assert sender.carried == [[1]]
    sender.later(2)
    assert sender.carried == [[1], [1]]


def test_a_command_that_one_message_may_carry_is_not_turned_away_when_another_one_fails(sender: Sender) -> None:
    (ticket,) = sender.send()
    sender.broker.fails = NotSent("away")

    sender.later(2.1)

    assert not ticket.not_sent
    sender.broker.fails = None
    sender.later(0.1)
    assert sender.carried == [[1], [1]]


def test_what_a_worker_set_aside_is_not_sent_again_though_it_was_accepted(sender: Sender) -> None:
    (ticket,) = sender.send(accepted=True)
    operation_id = ticket.submission.operation_id

    sender.answer(-1, Answer(SET_ASIDE.status, b"{}", decided=False))
    sender.later(2.1)

    assert sender.carried == [[1]]
    assert sender.settled == []
    assert sender.dispatch.is_set_aside(operation_id)


def test_what_was_accepted_for_an_org_whose_book_fails_is_not_sent_until_it_is_well(clock: Clock) -> None:
    out = {ORG}
    sender = Sender(clock, is_out=lambda org: org in out)
    sender.send(accepted=True)
    sender.answer(-1, UNAVAILABLE)

    sender.later(60)
    assert sender.carried == [[1]]
    out.clear()
    sender.later(2.1)

    assert sender.carried == [[1], [1]]


def test_a_message_that_the_broker_refuses_later_is_turned_away_then(sender: Sender) -> None:
    (ticket,) = sender.send()
    assert not ticket.not_sent

    sender.broker.failed[0](NotSent("the broker is out of memory"))

    assert ticket.not_sent
    assert sender.watch.cause == "the broker is out of memory"


def test_a_message_of_which_it_turns_out_later_that_nobody_knows_is_sent_again_when_it_is_due(sender: Sender) -> None:
    (ticket,) = sender.send()

    sender.broker.failed[0](PerhapsSent("the broker does not answer"))
    assert not ticket.not_sent
    sender.later(2.1)

    assert sender.carried == [[1], [1]]


def test_a_refusal_heard_after_its_message_was_sent_again_puts_nothing_back(sender: Sender) -> None:
    (ticket,) = sender.send()
    refused = sender.broker.failed[0]
    sender.later(2.1)

    refused(NotSent("the broker is out of memory"))
    sender.later(0.1)

    assert sender.carried == [[1], [1]]
    assert not ticket.not_sent
