"""Dispatch: what is sent again, how often, and when an answer is the last word."""

from tests.builders import ORG
from tests.intake.sending import DONE, UNAVAILABLE, Sender
from wire.answers import Answer
from wire.envelope import Item, Reply


def test_an_unanswered_command_is_sent_again_after_two_seconds_under_its_operation(sender: Sender) -> None:
    (ticket,) = sender.send()

    sender.later(1.9)
    assert len(sender.broker.messages) == 1
    sender.later(0.2)

    (_, first), (_, again) = sender.broker.messages
    assert first.message_id != again.message_id
    assert first.items == again.items == [Item(ticket.number, ORG, ticket.submission)]


def test_a_lane_that_goes_on_answering_is_slow_and_not_lost(sender: Sender) -> None:
    sender.send(count=1)
    for _ in range(3):
        sender.later(0.06)
        sender.send()

    for place in range(4):
        sender.later(1.5)
        sender.answer(place)

    assert sender.carried == [[1], [2], [3], [4]]


def test_a_message_that_was_passed_over_is_sent_again_at_once(sender: Sender) -> None:
    """A lane answers in the order of its messages."""
    sender.send(count=2)
    sender.later(0.06)

    sender.answer(1)
    sender.later(0.025)

    assert sender.carried == [[1], [2], [1]]


def test_a_silent_lane_is_given_a_few_messages_and_the_rest_waits_here(sender: Sender) -> None:
    for _ in range(20):
        sender.send()
        sender.later(0.06)
    assert sender.carried == [[number] for number in range(1, 9)]

    sender.answer(0)

    assert sender.carried[8:] == [list(range(9, 21))]


def test_only_what_has_no_answer_is_sent_again(sender: Sender) -> None:
    sender.send(count=3)
    sender.answer()
    _, message = sender.broker.messages[1]
    sender.dispatch.resolve(Reply(0, 1, [(2, DONE)]))  # of another copy, by another message

    sender.later(2.1)

    assert [item.number for item in message.items] == [2, 3]
    assert sender.carried[2:] == [[3]]


def test_an_answer_to_either_copy_will_do_and_a_second_one_changes_nothing(sender: Sender) -> None:
    (ticket,) = sender.send(accepted=True)
    sender.later(2.1)

    sender.answer(0, Answer(201, b"first"))
    sender.answer(1, Answer(500, b"second"))

    assert ticket.answer == Answer(201, b"first")
    assert len(sender.settled) == 1


def test_what_no_book_decided_is_told_when_there_was_one_message_only(sender: Sender) -> None:
    (ticket,) = sender.send()

    sender.answer(answer=UNAVAILABLE)

    assert ticket.answer == UNAVAILABLE
    assert sender.dispatch.pending(ticket.submission.operation_id) is None


def test_what_no_book_decided_is_not_told_while_another_message_may_still_be_applied(sender: Sender) -> None:
    (ticket,) = sender.send()
    sender.later(2.1)

    sender.answer(0, UNAVAILABLE)
    assert ticket.answer is None

    sender.answer(1, DONE)
    assert ticket.answer == DONE


def test_answers_that_come_twice_say_nothing_of_the_other_copy(sender: Sender) -> None:
    """Else its caller would be told that nothing happened, and the other copy could still be applied."""
    (ticket,) = sender.send()
    sender.later(2.1)

    sender.answer(0, UNAVAILABLE)
    sender.answer(0, UNAVAILABLE)
    assert ticket.answer is None

    sender.answer(1, UNAVAILABLE)
    assert ticket.answer == UNAVAILABLE


def test_what_was_accepted_is_sent_again_until_a_book_decides_it(sender: Sender) -> None:
    (ticket,) = sender.send(accepted=True)

    sender.answer(-1, UNAVAILABLE)
    assert ticket.answer is None
    assert sender.settled == []
    sender.later(2.1)
    sender.answer(-1, UNAVAILABLE)
    sender.later(2.1)
    sender.answer(-1, DONE)

    assert sender.carried == [[1], [1], [1]]
    assert ticket.answer == DONE
    assert sender.settled == [ticket.submission]


def test_a_command_that_its_caller_gave_up_is_not_sent(sender: Sender) -> None:
    sender.send()
    (given_up,) = sender.send()

    assert sender.dispatch.forget(given_up)
    assert not sender.dispatch.forget(given_up)
    sender.send()
    sender.answer()

    assert sender.carried == [[1], [3]]


def test_a_command_that_its_caller_gave_up_is_answered_to_nobody(sender: Sender) -> None:
    (ticket,) = sender.send()
    sender.dispatch.forget(ticket)

    sender.answer()

    assert ticket.answer is None


def test_a_lane_that_stays_silent_is_tried_less_and_less_and_answers_again_with_the_first_try(sender: Sender) -> None:
    """What a dead worker left must not fill the broker, and nothing is forgotten meanwhile."""
    for _ in range(12):
        sender.send(count=5)
        sender.later(0.06)
    for _ in range(600):
        sender.later(0.1)

    tries = sender.carried
    assert len(tries) < 40
    assert all(len(numbers) <= 50 for numbers in tries[20:])

    for _ in range(4):
        sender.answer()

    answered = {number for numbers in sender.carried for number in numbers}
    assert answered == set(range(1, 61))
    assert sender.dispatch.pending(sender.send()[0].submission.operation_id) is not None


def test_a_command_that_its_message_was_answered_without_is_sent_again(sender: Sender) -> None:
    """Nobody knows what became of it: a commit may have failed, or only have seemed to."""
    sender.send()
    sent = sender.send(count=2)
    sender.answer()
    _, message = sender.broker.messages[-1]

    sender.dispatch.resolve(Reply(message.message_id, 1, [(sent[0].number, DONE)]))
    sender.later(1.9)
    assert sender.carried == [[1], [2, 3]]
    sender.later(0.2)

    assert sender.carried == [[1], [2, 3], [3]]
    sender.answer(-1, UNAVAILABLE)
    assert sent[1].answer is None, "one copy of it was never answered"


def test_what_no_book_decided_is_told_when_every_message_of_it_was_answered(sender: Sender) -> None:
    (ticket,) = sender.send()
    sender.later(2.1)

    sender.answer(0, UNAVAILABLE)
    sender.answer(1, UNAVAILABLE)

    assert ticket.answer == UNAVAILABLE
