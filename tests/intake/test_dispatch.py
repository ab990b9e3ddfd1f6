"""Dispatch: messages that grow by themselves, lanes that wait for nobody, and answers that find who asked."""

from tests.builders import ORG
from tests.intake.sending import DONE, LANE, NEIGHBOUR, STRANGER, Clock, Sender
from wire.answers import Answer
from wire.envelope import Item, Reply


def test_a_lone_command_leaves_at_once_on_the_lane_of_its_org(sender: Sender) -> None:
    (ticket,) = sender.send()

    ((lane, message),) = sender.broker.messages
    assert lane == LANE
    assert message.reply_to == "ledger.replies.x"
    assert message.items == [Item(ticket.number, ORG, ticket.submission)]
    assert not message.deadline.passed()


def test_what_arrives_while_a_message_is_unanswered_goes_out_together(sender: Sender) -> None:
    sender.send(count=5)
    assert sender.carried == [[1]]

    sender.answer()

    assert sender.carried == [[1], [2, 3, 4, 5]]


def test_orgs_of_one_lane_share_a_message_and_lanes_do_not_wait_for_each_other(sender: Sender) -> None:
    sender.send(ORG)
    sender.send(NEIGHBOUR)
    sender.send(ORG)
    sender.send(STRANGER)
    assert sender.carried == [[1], [4]]

    sender.answer(0)

    assert sender.carried == [[1], [4], [2, 3]]


def test_a_message_carries_five_hundred_commands_at_most(sender: Sender, clock: Clock) -> None:
    sender = Sender(clock, pending_per_org_max=10_000, pending_max=10_000)
    sender.send(count=1 + 500 + 7)

    sender.answer()
    sender.answer()

    assert [len(numbers) for numbers in sender.carried] == [1, 500, 7]


def test_a_late_answer_holds_nobody_up(sender: Sender) -> None:
    sender.send(count=2)

    sender.later(0.049)
    assert sender.carried == [[1]]
    sender.later(0.002)
    assert sender.carried == [[1], [2]]


def test_an_answer_that_comes_late_does_not_free_the_lane_of_the_message_after_it(sender: Sender) -> None:
    sender.send(count=2)
    sender.later(0.06)
    sender.send()

    sender.answer(0)

    assert sender.carried == [[1], [2]]
    sender.answer(1)
    assert sender.carried == [[1], [2], [3]]


def test_every_caller_gets_the_answer_to_its_own_command(sender: Sender) -> None:
    tickets = sender.send(count=3)
    sender.answer()
    _, message = sender.broker.messages[-1]

    sender.dispatch.resolve(Reply(message.message_id, 1, [(3, Answer(422, b"3")), (2, Answer(201, b"2"))]))

    assert [ticket.answer and ticket.answer.body for ticket in tickets] == [b"{}", b"2", b"3"]


def test_whoever_waits_is_called_once(sender: Sender) -> None:
    (ticket,) = sender.send()
    calls: list[str] = []
    ticket.when_ready(lambda: calls.append("early"))

    sender.answer()
    sender.answer()
    ticket.when_ready(lambda: calls.append("late"))

    assert calls == ["early", "late"]


def test_an_answer_to_nobody_is_let_go(sender: Sender) -> None:
    sender.dispatch.resolve(Reply(99, 1, [(99, DONE)]))

    assert sender.broker.messages == []


def test_who_sends_leaves_publishing_to_the_thread_that_takes_in_answers(clock: Clock) -> None:
    calls: list[None] = []
    sender = Sender(clock, on_due=lambda: calls.append(None))

    sender.send(count=2)
    assert (sender.carried, calls) == ([], [None, None])
    sender.dispatch.send_due()
    assert sender.carried == [[1, 2]]

    sender.send()
    sender.answer()
    assert sender.carried == [[1, 2], [3]]
