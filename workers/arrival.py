"""Intake's messages are carried out where they arrive: what Celery does around a task costs more than most of them."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from celery import Task

logger = logging.getLogger("ledger.workers")


class Arrived(NamedTuple):
    """One of intake's messages as it arrived: its text, the id of its task, and the queue that it came on."""

    text: object
    task_id: str | None
    queue: str | None


CarryOut: TypeAlias = Callable[[Arrived], None]


class AtOnce(Task):  # type: ignore[misc]  # Celery has no types
    """A task with one text as its argument, carried out and then acknowledged as soon as its message arrives.

    A message that is written in any other way than intake does is Celery's affair, as are all its checks of one.
    """

    abstract = True

    def carry_out(self, arrived: Arrived) -> None:
        """Do what a message says. It may fail in no way that its sender need not know of."""
        raise NotImplementedError

    def start_strategy(self, app: object, consumer: Any, **options: object) -> Callable[..., object]:
        """Return what Celery's consumer calls for each message of this task."""
        as_any_task: Callable[..., object] = super().start_strategy(app, consumer, **options)

        def take_in(
            message: Any, body: object, ack: Callable[..., object], reject: object, callbacks: object
        ) -> object:
            text = _text_of(message)
            if text is None:
                return as_any_task(message, body, ack, reject, callbacks)
            delivery = message.delivery_info or {}
            self.carry_out(Arrived(text, message.headers.get("id"), delivery.get("routing_key")))
            return ack(logger, consumer.connection_errors)

        return take_in


def _text_of(message: Any) -> str | None:
    """Return the argument of a message as intake writes it; None of any other. Celery says what is wrong with that."""
    headers = message.headers
    if headers.get("eta") or headers.get("expires") or not headers.get("ignore_result") or "id" not in headers:
        return None
    match message.decode():
        case [[str(text)], dict(named), dict()] if not named:
            return text
    return None
