"""Writes through a broker that loses, doubles and reorders, and processes that die: each has one final answer."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from intake.lanes import UNANSWERED_MAX
from intake.prefer import NONE, Preference
from ledger_core.commands import PostEntry
from ledger_core.errors import StorageUnavailable
from tests.builders import posting
from tests.intake.world import ORGS, PENDING_MAX, PENDING_PER_ORG_MAX, World
from tests.machines import run_for
from wire.answers import Answer

orgs = st.sampled_from(ORGS)
keys = st.one_of(st.none(), st.sampled_from(["k1", "k2"]))
amounts = st.sampled_from([1, 1, 1, 2])
commands = st.builds(lambda amount, key: posting(amount, idempotency_key=key), amounts, keys)
preferences = st.sampled_from([NONE, NONE, Preference(respond_async=True), Preference(wait_s=0), Preference(wait_s=1)])
places = st.sampled_from([0, 0, 0, 1, 2, -1])
NO_ANSWER = (429, 503)
ROUNDS_MAX = 60


class Intake(RuleBasedStateMachine):
    """Callers, intake, broker and worker, each rule one thing that one of them does or suffers."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.first_cash = {org: self.world.cash(org) for org in ORGS}
        self.alone: list[int] = []  # where each request of one write that was told nothing yet stands

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.all_heals()
        finally:
            self.world.close()

    # Callers

    @rule(org=orgs, command=commands, preference=preferences)
    def ask(self, org: str, command: PostEntry, preference: Preference) -> None:
        self.alone.append(len(self.world.asked))
        self.world.ask(org, [command], preference)

    @rule(place=st.integers(0, 3), amount=st.sampled_from([1, 2]), preference=preferences)
    @precondition(lambda self: self.world.asked)
    def ask_again(self, place: int, amount: int, preference: Preference) -> None:
        """Ask under a key that was used: for the same, or, by mistake, for something else."""
        before = self.world.asked[-1 - place % len(self.world.asked)]
        self.ask(before.org, posting(amount, idempotency_key=before.command.idempotency_key), preference)

    @rule(org=orgs, commands=st.lists(commands, min_size=2, max_size=4), preference=preferences)
    def ask_for_several(self, org: str, commands: list[PostEntry], preference: Preference) -> None:
        self.world.ask(org, commands, preference)

    @rule()
    def finish(self) -> None:
        self.world.finish()

    @rule(seconds=st.sampled_from([0.03, 0.06, 0.06, 1, 2.1, 9, 16, 61]))
    def time_passes(self, seconds: float) -> None:
        self.world.later(seconds)

    # The worker

    @rule(place=places, keep=st.sampled_from([False, False, False, True]))
    def work(self, place: int, keep: bool) -> None:
        self.world.work(place, keep=keep)

    @rule(place=places, keep=st.sampled_from([False, False, True]))
    def work_without_storage(self, place: int, keep: bool) -> None:
        self.world.work(place, keep=keep, storage=False)

    @rule()
    def all_is_carried_out_and_answered(self) -> None:
        while self.world.broker.messages:
            self.world.work(0)
        while self.world.replies:
            self.world.answer(0)
        self.world.finish()

    @rule()
    def the_worker_is_killed(self) -> None:
        self.world.kill_worker()

    # The broker

    @rule(place=places, keep=st.sampled_from([False, False, False, True]))
    def answer(self, place: int, keep: bool) -> None:
        self.world.answer(place, keep=keep)

    @rule(place=places)
    @precondition(lambda self: self.world.broker.messages)
    def lose_a_message(self, place: int) -> None:
        del self.world.broker.messages[place % len(self.world.broker.messages)]

    @rule(place=places)
    @precondition(lambda self: self.world.replies)
    def lose_answers(self, place: int) -> None:
        del self.world.replies[place % len(self.world.replies)]

    @rule()
    def wipe_the_broker(self) -> None:
        self.world.broker.messages.clear()
        self.world.replies.clear()

    @rule(mode=st.sampled_from(["up", "up", "down", "takes it and fails", "fails"]))
    def the_broker_changes(self, mode: str) -> None:
        self.world.broker.mode = mode

    # Intake

    @rule(full=st.sampled_from([False, False, True]))
    def the_disk_fills(self, full: bool) -> None:
        self.world.inbox.full = full

    @rule()
    def sweep(self) -> None:
        self.world.sweeper.sweep()

    @rule()
    def intake_is_killed(self) -> None:
        self.world.kill()
        self.world.start()

    # What holds after each of them

    @invariant()
    def all_is_well(self) -> None:
        if hasattr(self, "world"):
            self.every_caller_is_told_once()
            self.nothing_is_told_that_is_not_so()
            self.no_key_is_refused_to_its_owner()
            self.what_was_not_accepted_never_happens()
            self.what_was_refused_is_not_what_happened()
            self.what_was_accepted_is_not_forgotten()
            self.money_moved_once_for_each_write()
            self.what_is_under_way_is_bounded()

    def nothing_is_told_that_is_not_so(self) -> None:
        for asked in self.world.asked:
            for told in asked.told:
                if isinstance(told, Answer) and told.decided:
                    self.is_the_outcome(told, asked)

    def is_the_outcome(self, told: Answer, asked: object) -> None:
        """An answer is what the book says, byte for byte; or that the key belongs to another request, of the book's."""
        world = self.world
        assert told.http_status not in NO_ANSWER
        told_of = next(each for each in world.asked if each is asked)
        decided = world.answer_of(told_of)
        if b"idempotency_key_reused" in told.body:
            return
        assert decided is not None, told
        assert (told.http_status, told.body) == (decided.http_status, decided.body)

    def no_key_is_refused_to_its_owner(self) -> None:
        """A key that is said to be another request's is, and the book has not this one's write."""
        world = self.world
        told_now = [place for place in self.alone if world.asked[place].told]
        self.alone = [place for place in self.alone if not world.asked[place].told]
        for asked in (world.asked[place] for place in told_now):
            (told,) = asked.told
            if isinstance(told, Answer) and b"idempotency_key_reused" in told.body:
                assert any(
                    each.operation_id == asked.operation_id and each.command != asked.command for each in world.asked
                ), asked
                row = world.row(asked)
                assert row is None or row.fingerprint != asked.command.fingerprint(), asked

    def what_was_not_accepted_never_happens(self) -> None:
        """A write is in its book only if somebody asked for it who was not told that it would not be."""
        for operation_id in {asked.operation_id for asked in self.world.asked}:
            named = [asked for asked in self.world.asked if asked.operation_id == operation_id]
            if all(asked.told and self.is_refused(asked.told[0]) for asked in named):
                assert self.world.outcome(named[0]) is None, named

    def what_was_refused_is_not_what_happened(self) -> None:
        """Whoever was told that nothing was done has done nothing: what its book has is another sending's."""
        for asked in self.world.asked:
            if asked.submission and asked.told and self.is_refused(asked.told[0]):
                row = self.world.row(asked)
                assert row is None or row.submission != asked.submission, asked

    @staticmethod
    def is_refused(told: int | Answer) -> bool:
        if isinstance(told, Answer):
            return not told.decided or b"idempotency_key_reused" in told.body
        return told in NO_ANSWER

    def what_was_accepted_is_not_forgotten(self) -> None:
        for asked in self.world.asked:
            if 202 in asked.told:
                assert self.world.outcome(asked) or self.world.inbox.find(asked.operation_id), asked

    def money_moved_once_for_each_write(self) -> None:
        for org in ORGS:
            moved = {}
            for asked in self.world.asked:
                outcome = self.world.outcome(asked) if asked.org == org else None
                if outcome is not None:
                    assert isinstance(asked.command, PostEntry)
                    assert outcome.resource is not None
                    moved[asked.operation_id] = outcome.resource.lines[0].amount  # type: ignore[union-attr]
            assert self.world.cash(org) == self.first_cash[org] + sum(moved.values())

    def every_caller_is_told_once(self) -> None:
        assert all(len(asked.told) <= 1 for asked in self.world.asked)

    def what_is_under_way_is_bounded(self) -> None:
        dispatch = self.world.dispatch
        assert all(len(lane.sent) <= UNANSWERED_MAX for lane in dispatch._lanes)
        waiting = [ticket for ticket in dispatch._tickets.values() if not ticket.accepted]
        assert len(waiting) <= PENDING_MAX
        assert all(sum(ticket.org == org for ticket in waiting) <= PENDING_PER_ORG_MAX for org in ORGS)
        assert sum(dispatch._pending.values()) == len(dispatch._tickets)

    # The end

    def all_heals(self) -> None:
        """Once everything is well, everybody is told, and what was accepted has its outcome."""
        world = self.world
        world.broker.mode, world.inbox.full = "up", False
        for _ in range(ROUNDS_MAX):
            world.later(1.0)
            while world.broker.messages:
                world.work(0)
            while world.replies:
                world.answer(0)
            world.finish()
            try:
                world.sweeper.sweep()
            except StorageUnavailable as error:
                raise AssertionError("the disk is well") from error
            if not world.requests and not world.dispatch._tickets and not list(world.inbox.waiting()):
                break
        else:
            raise AssertionError(f"{world.requests}, {world.dispatch._tickets}, {list(world.inbox.waiting())}")
        for asked in world.asked:
            if 202 in asked.told:
                row = world.row(asked)
                assert row is not None, asked
                assert row.fingerprint == asked.command.fingerprint(), asked
        self.all_is_well()


TestIntake = Intake.TestCase
TestIntake.settings = run_for(80)
