"""Listening for answers: what can't be understood, or handed over, takes no other one with it."""

import logging

import pytest
import redis

from intake.broker_watch import BrokerWatch
from intake.listening import Listening
from wire.answers import Answer
from wire.envelope import Reply, encode_reply
from wire.publisher import Trouble
from wire.replies import Listener, new_list


class ToyListener(Listener):
    """A listener to whom is said what a test says."""

    def __init__(self) -> None:
        super().__init__("redis://nobody.invalid:1/0", new_list())
        self.texts: list[bytes] = []
        self.fails: Exception | None = None

    def received(self) -> list[bytes]:
        if self.fails is not None:
            raise self.fails
        texts, self.texts = self.texts, []
        return texts


class ToyBroker:
    """A broker that is well, and counts how often it is asked."""

    def trouble(self) -> Trouble | None:
        return None


def _reply(number: int) -> Reply:
    return Reply(number, 1, [(number, Answer(201, b"{}"))])


def test_answers_are_handed_over_in_their_order() -> None:
    listener, told = ToyListener(), list[Reply]()
    listener.texts = [encode_reply(_reply(number)) for number in (1, 2, 3)]

    Listening(listener, BrokerWatch(ToyBroker()), told.append).take_in()

    assert [reply.message_id for reply in told] == [1, 2, 3]


def test_what_can_not_be_understood_is_dropped_and_said(caplog: pytest.LogCaptureFixture) -> None:
    listener, told = ToyListener(), list[Reply]()
    listener.texts = [b"{", encode_reply(_reply(2))]

    with caplog.at_level(logging.ERROR):
        Listening(listener, BrokerWatch(ToyBroker()), told.append).take_in()

    assert [reply.message_id for reply in told] == [2]
    assert "dropped answers that can't be understood" in caplog.text


def test_a_bug_in_handing_over_answers_reaches_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    listener, told = ToyListener(), list[Reply]()
    listener.texts = [encode_reply(_reply(number)) for number in (1, 2)]

    def resolve(reply: Reply) -> None:
        if reply.message_id == 1:
            raise ValueError("as it was told to")
        told.append(reply)

    with caplog.at_level(logging.ERROR):
        Listening(listener, BrokerWatch(ToyBroker()), resolve).take_in()

    assert [reply.message_id for reply in told] == [2]
    assert "a bug in handing over answers" in caplog.text


def test_a_broker_that_says_nothing_is_asked_at_once() -> None:
    listener, watch = ToyListener(), BrokerWatch(ToyBroker())
    listener.fails = redis.ConnectionError("cut")

    Listening(listener, watch, lambda reply: None).take_in()

    assert watch._suspected.is_set()
