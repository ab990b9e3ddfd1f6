"""Dispatch: heavy commands and newcomers, which go another way than the crowd."""

from intake.tickets import HEAVY_WEIGHT, Ticket
from ledger_core.commands import PostBulk, PostEntry
from tests.builders import ORG, posting, submission
from tests.intake.sending import DONE, NEIGHBOUR, Sender
from wire.publisher import NotSent


def test_a_newcomer_passes_the_crowd_of_another_org(sender: Sender) -> None:
    sender.send(count=21)
    sender.answer()

    (ticket,) = sender.send(NEIGHBOUR)
    sender.send(NEIGHBOUR)

    assert sender.carried == [[1], list(range(2, 22)), [ticket.number]]
    assert sender.broker.firsts == [3]
    sender.answer(2)
    assert ticket.answer == DONE
    assert sender.carried[3:] == [[23]]
    sender.later(1)
    assert len(sender.carried) == 4, "none was lost"


def _send_bulk(sender: Sender, org: str = ORG) -> Ticket:
    entry = posting()
    assert isinstance(entry, PostEntry)
    (ticket,) = sender.dispatch.tickets(org, [submission(PostBulk(entries=[entry] * HEAVY_WEIGHT), org)])
    sender.dispatch.send([ticket])
    return ticket


def test_a_heavy_command_leaves_beside_the_others_and_what_its_org_sends_then_waits_for_it(sender: Sender) -> None:
    sender.send(NEIGHBOUR)
    _send_bulk(sender)
    sender.send()
    sender.send(NEIGHBOUR)
    assert sender.carried == [[1], [2]]

    sender.answer(0)
    assert sender.carried == [[1], [2], [4]]
    sender.answer(1)
    sender.answer(2)

    assert sender.carried == [[1], [2], [4], [3]]


def test_a_heavy_command_s_message_says_whose_it_is_and_no_other_does(sender: Sender) -> None:
    sender.send(NEIGHBOUR)
    _send_bulk(sender)

    assert [message.heavy_org for _, message in sender.broker.messages] == [None, ORG]


def test_a_heavy_command_that_is_lost_is_sent_again_and_holds_its_org_up_no_more(sender: Sender) -> None:
    _send_bulk(sender)
    sender.send()

    sender.later(2.1)

    assert sender.carried[0] == [1]
    assert sorted(sender.carried[1:]) == [[1], [2]]


def test_a_heavy_command_that_was_not_sent_is_turned_away_and_its_org_goes_on(sender: Sender) -> None:
    sender.broker.fails = NotSent("away")
    ticket = _send_bulk(sender)
    assert ticket.not_sent

    sender.broker.fails = None
    sender.later(0.1)
    sender.send()

    assert sender.carried == [[2]]


def test_a_heavy_command_whose_refusal_is_heard_after_it_was_sent_again_holds_up_its_org_once(sender: Sender) -> None:
    """The broker refused its message, but what came after was answered before that was read."""
    _send_bulk(sender)
    refused = sender.broker.failed[0]
    sender.later(2.1)  # taken for lost, and sent again

    refused(NotSent("the broker is out of memory"))
    sender.later(0.1)
    sender.send()
    assert sender.carried == [[1], [1]]

    sender.answer()
    sender.answer()
    sender.send(count=2)
    sender.answer()
    assert sender.carried == [[1], [1], [2], [3], [4]]
