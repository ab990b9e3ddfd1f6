"""Strays: what lies on a lane and is no task of ours. It is kept for an operator, and neither stops nor ends a worker.

Celery logs and drops a message that it can't use; its transport gives up on one that is no message at all.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.redis import Transport

from workers.returning import ReturningConsumer, SteadyChannel

Keep: TypeAlias = Callable[[str, str], None]  # the message as it came, and why it is a stray


def keep_strays(app: Celery, keep: Keep) -> None:
    """Have the worker of this process keep strays."""
    app.conf.worker_consumer = _consumer(keep)
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = lambda: _transport(keep)


def _consumer(keep: Keep) -> type[ReturningConsumer]:
    class KeepingConsumer(ReturningConsumer):
        def on_unknown_message(self, body: object, message: Any) -> None:
            super().on_unknown_message(body, message)
            keep(repr(message.body), "it is not a task")

        def on_unknown_task(self, body: object, message: Any, exc: Exception) -> None:
            super().on_unknown_task(body, message, exc)
            keep(repr(message.body), f"its task is unknown: {exc}")

        def on_invalid_task(self, body: object, message: Any, exc: Exception) -> None:
            super().on_invalid_task(body, message, exc)
            keep(repr(message.body), f"its task is not valid: {exc}")

        def on_decode_error(self, message: Any, exc: Exception) -> None:
            super().on_decode_error(message, exc)
            keep(repr(message.body), f"its body can't be read: {exc}")

    return KeepingConsumer


def _transport(keep: Keep) -> type[Transport]:
    class KeepingChannel(SteadyChannel):
        def _brpop_read(self, **options: Any) -> Any:
            try:
                return super()._brpop_read(**options)
            except (ValueError, RecursionError) as error:  # of JSON or of UTF-8, before there was a message
                keep(repr(getattr(error, "doc", None) or getattr(error, "object", "")), str(error))
                return True

    class KeepingTransport(Transport):  # type: ignore[misc]
        Channel = KeepingChannel

        def _deliver(self, message: Any, queue: str) -> None:
            try:
                super()._deliver(message, queue)
            except (TypeError, ValueError, LookupError, AttributeError) as error:
                self._let_go(message)
                keep(repr(message), f"it is no message: {type(error).__name__}: {error}")

        def _let_go(self, message: Any) -> None:
            """Give up a message that was taken in before it failed: it would hold up its lane, and come again."""
            properties = message.get("properties") if isinstance(message, dict) else None
            tag = properties.get("delivery_tag") if isinstance(properties, dict) else None
            for channel in self.channels:
                if isinstance(tag, str) and tag in channel.qos._delivered:
                    channel.basic_reject(tag, requeue=False)

    return KeepingTransport
