"""Dispatch: batching by itself, sending again, and when an answer is the last word. Clock and broker are fakes."""

from collections.abc import Callable

import pytest

from intake import broker_watch
from intake import dispatch as module
from intake.broker_watch import BrokerWatch
from intake.dispatch import Dispatch
from intake.problems import Rejected
from intake.tickets import HEAVY_WEIGHT, Ticket
from ledger_core.commands import PostBulk, PostEntry
from ledger_core.model import Submission
from tests.builders import ORG, posting, submission
from wire.answers import SET_ASIDE, Answer
from wire.envelope import Item, Message, Reply, decode_message
from wire.lanes import lane_of
from wire.publisher import Failed, NotSent, PerhapsSent, Trouble

LANES = 4
LANE = lane_of(ORG, LANES)
NEIGHBOUR = next(slug for slug in map("org-{}".format, range(99)) if lane_of(slug, LANES) == LANE)
STRANGER = next(slug for slug in map("org-{}".format, range(99)) if lane_of(slug, LANES) != LANE)
DONE = Answer(201, b"{}")
UNAVAILABLE = Answer(503, b"{}", decided=False)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


class Broker:
    """A broker that keeps what it is given, or fails as it is told to."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, Message]] = []
        self.firsts: list[int] = []  # the ids of those that went before the others
        self.failed: list[Failed] = []  # whom to tell if a message turns out to be lost
        self.fails: NotSent | PerhapsSent | None = None
        self.up = True

    def publish(self, lane: int, text: str, failed: Failed, *, first: bool = False) -> None:
        self.failed.append(failed)
        if self.fails is None or isinstance(self.fails, PerhapsSent):
            self.messages.append((lane, decode_message(text)))
            if first:
                self.firsts.append(self.messages[-1][1].message_id)
        if self.fails is not None:
            failed(self.fails)

    def trouble(self) -> Trouble | None:
        return None if self.up else Trouble("away")


class Sender:
    """Dispatch under test, with its clock, its broker, and what was told to be settled."""

    def __init__(
        self,
        clock: Clock,
        *,
        pending_per_org_max: int = 100,
        pending_max: int = 1_000,
        pending_bytes_max: int = 2**20,
        is_out: Callable[[str], bool] = lambda org: False,
        on_due: Callable[[], None] | None = None,
    ) -> None:
        self.clock = clock
        self.broker = Broker()
        self.settled: list[Submission] = []
        self.watch = BrokerWatch(self.broker)
        self.dispatch = Dispatch(
            self.broker,
            self.watch,
            "ledger.replies.x",
            lanes=LANES,
            pending_per_org_max=pending_per_org_max,
            pending_max=pending_max,
            pending_bytes_max=pending_bytes_max,
            on_settled=self.settled.append,
            is_out=is_out,
            on_due=on_due,
        )

    def send(self, org: str = ORG, count: int = 1, *, accepted: bool = False) -> list[Ticket]:
        """Send commands of an org, one after the other."""
        sent = []
        for _ in range(count):
            sent += self.dispatch.tickets(org, [submission(posting(), org)], accepted=accepted)
            self.dispatch.send(sent[-1:])
        return sent

    def answer(self, place: int = -1, answer: Answer = DONE) -> None:
        """Answer every command of a message that was published."""
        _, message = self.broker.messages[place]
        self.dispatch.resolve(Reply(message.message_id, 1, [(item.number, answer) for item in message.items]))

    def later(self, seconds: float) -> None:
        """Let time pass, and do what is due then."""
        self.clock.now_s += seconds
        self.watch.ask_once()
        self.dispatch.tick()

    @property
    def carried(self) -> list[list[int]]:
        """The numbers of the commands of each message."""
        return [[item.number for item in message.items] for _, message in self.broker.messages]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of dispatch."""
    fake = Clock()
    monkeypatch.setattr(module, "time", fake)
    monkeypatch.setattr(broker_watch, "time", fake)
    return fake


@pytest.fixture
def sender(clock: Clock) -> Sender:
    """Dispatch with nothing on its way."""
    return Sender(clock)


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


def test_what_has_its_answer_takes_no_place_in_the_backlog(sender: Sender) -> None:
    (ticket,) = sender.send()
    operation_id = ticket.submission.operation_id
    assert sender.dispatch.pending(operation_id) is ticket

    sender.answer()

    assert sender.dispatch.pending(operation_id) is None


def test_an_answer_to_nobody_is_let_go(sender: Sender) -> None:
    sender.dispatch.resolve(Reply(99, 1, [(99, DONE)]))

    assert sender.broker.messages == []


def _refusal(rejected: pytest.ExceptionInfo[Rejected]) -> tuple[int, str, str]:
    return rejected.value.problem.status, rejected.value.problem.code, rejected.value.headers["Retry-After"]


def test_the_backlog_of_an_org_is_bounded_and_of_no_concern_to_others(clock: Clock) -> None:
    sender = Sender(clock, pending_per_org_max=2)
    sender.send(count=2)

    with pytest.raises(Rejected) as rejected:
        sender.send()

    assert _refusal(rejected) == (429, "too_many_pending", "1")
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

    assert _refusal(rejected) == (503, "queue_unavailable", "1")


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

    assert _refusal(of_org) == (429, "too_many_pending", "1")
    assert _refusal(of_all) == (503, "queue_unavailable", "1")
    sender.answer(0)
    sender.send(ORG)


def test_for_what_was_accepted_there_is_always_a_place(clock: Clock) -> None:
    sender = Sender(clock, pending_per_org_max=1, pending_max=1)
    sender.send()

    sender.send(count=3, accepted=True)
    sender.answer()

    assert sender.carried == [[1], [2, 3, 4]]


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

    assert _refusal(rejected) == (503, "queue_unavailable", "1")
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


def test_what_a_worker_set_aside_is_not_sent_again_though_it_was_accepted(sender: Sender) -> None:
    (ticket,) = sender.send(accepted=True)
    operation_id = ticket.submission.operation_id

    sender.answer(-1, Answer(SET_ASIDE.status, b"{}", decided=False))
    sender.later(2.1)

    assert sender.carried == [[1]]
    assert sender.settled == []
    assert sender.dispatch.is_set_aside(operation_id)


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


def test_a_refusal_heard_after_its_message_was_sent_again_puts_nothing_back(sender: Sender) -> None:
    (ticket,) = sender.send()
    refused = sender.broker.failed[0]
    sender.later(2.1)

    refused(NotSent("the broker is out of memory"))
    sender.later(0.1)

    assert sender.carried == [[1], [1]]
    assert not ticket.not_sent
