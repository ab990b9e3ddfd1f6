"""Intake's messages are carried out where they arrive; whatever else comes under their name is Celery's affair."""

import base64
import json
from typing import Any

import pytest
from celery import Celery
from kombu.message import Message

from wire.celery_message import celery_message
from workers.arrival import Arrived, AtOnce

HEADERS = {"task": "test.task", "id": "task-1", "ignore_result": True}


class Noting(AtOnce):
    """A task that notes what was carried out."""

    name = "test.task"

    def __init__(self) -> None:
        self.carried_out: list[Arrived] = []

    def carry_out(self, arrived: Arrived) -> None:
        self.carried_out.append(arrived)


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> Noting:
    """A task whose messages Celery would take in as `celery`."""
    monkeypatch.setattr("celery.Task.start_strategy", lambda *_, **__: lambda *_: "celery")
    return Noting()


def test_a_message_of_intake_is_carried_out_and_then_acknowledged(task: Noting) -> None:
    acknowledged: list[int] = []

    _take_in(task, _arriving([["text"], {}, {}]), lambda *_: acknowledged.append(len(task.carried_out)))

    assert task.carried_out == [Arrived("text", "task-1", "lane")]
    assert acknowledged == [1]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ([["text", "more"], {}, {}], {}),
        ([["text"], {"more": 1}, {}], {}),
        ([[7], {}, {}], {}),
        ("text", {}),
        ([["text"], {}, {}], {"eta": "2026-03-18T05:30:00Z"}),
        ([["text"], {}, {}], {"expires": "2026-03-18T05:30:00Z"}),
        ([["text"], {}, {}], {"ignore_result": False}),
    ],
)
def test_any_other_message_is_left_to_celery(task: Noting, body: object, headers: dict[str, object]) -> None:
    assert _take_in(task, _arriving(body, **headers), lambda *_: "acknowledged") == "celery"

    assert task.carried_out == []


def _take_in(task: Noting, message: Message, ack: Any) -> object:
    class Consumer:
        connection_errors = ()

    return task.start_strategy(Celery(), Consumer())(message, None, ack, None, None)


def _arriving(body: object, **headers: object) -> Message:
    return Message(
        body=json.dumps(body),
        headers={**HEADERS, **headers},
        delivery_info={"routing_key": "lane"},
        content_type="application/json",
        content_encoding="utf-8",
    )


def test_what_the_publisher_writes_is_a_message_of_intake(task: Noting) -> None:
    """Else each of them would silently take the long way."""
    written = json.loads(celery_message("test.task", "task-1", "text", "lane", "tag"))
    body = json.loads(base64.b64decode(written["body"]))

    _take_in(task, _arriving(body, **written["headers"]), lambda *_: "acknowledged")

    assert task.carried_out == [Arrived("text", "task-1", "lane")]
