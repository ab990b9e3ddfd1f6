"""Strays: what lies on a lane and is no task of ours. It is kept for an operator, and neither stops nor ends a worker.

Celery logs and drops a message that it can't use; its transport gives up on one that is no message at all.
"""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.redis import Transport

from workers.returning import ReturningConsumer, SteadyChannel

Keep: TypeAlias = Callable[
    [bytes, str, str], None
]  # the message as it lay there, on which queue, and why it is a stray


def keep_strays(app: Celery, keep: Keep) -> None:
    """Have the worker of this process keep strays."""
    app.conf.worker_consumer = _consumer(keep)
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = lambda: _transport(keep)


def _consumer(keep: Keep) -> type[ReturningConsumer]:
    def keep_message(message: Any, cause: str) -> None:
        """Keep what Celery took in, written again as it lay on its queue."""
        queue = (message.delivery_info or {}).get("routing_key")
        keep(json.dumps(message._raw).encode(), str(queue), cause)

    class KeepingConsumer(ReturningConsumer):
        def on_unknown_message(self, body: object, message: Any) -> None:
            super().on_unknown_message(body, message)
            keep_message(message, "it is not a task")

        def on_unknown_task(self, body: object, message: Any, exc: Exception) -> None:
            super().on_unknown_task(body, message, exc)
            keep_message(message, f"its task is unknown: {exc}")

        def on_invalid_task(self, body: object, message: Any, exc: Exception) -> None:
            super().on_invalid_task(body, message, exc)
            keep_message(message, f"its task is not valid: {exc}")

        def on_decode_error(self, message: Any, exc: Exception) -> None:
            super().on_decode_error(message, exc)
            keep_message(message, f"its body can't be read: {exc}")

    return KeepingConsumer


def _transport(keep: Keep) -> type[Transport]:
    class KeepingChannel(SteadyChannel):
        def _get_client(self) -> Any:
            class Client(super()._get_client()):  # type: ignore[misc]
                def parse_response(client, connection: Any, command: str, **options: Any) -> Any:  # noqa: N805
                    reply = super().parse_response(connection, command, **options)
                    if command == "BRPOP":
                        self.popped = reply
                    return reply

            return Client

        def _brpop_read(self, **options: Any) -> Any:
            self.popped = None
            try:
                return super()._brpop_read(**options)
            except (ValueError, RecursionError, TypeError, LookupError, AttributeError) as error:
                if not self.popped:
                    raise
                queue, item = self.popped  # it is no message: as bytes, whatever they may be
                self._let_go(item)
                keep(item, queue.decode(), f"it is no message: {type(error).__name__}: {error}")
                return True

        def _let_go(self, item: bytes) -> None:
            """Give up a message that was taken in before it failed: it would hold up its lane, and come again."""
            try:
                tag = json.loads(item)["properties"]["delivery_tag"]
            except (ValueError, RecursionError, TypeError, LookupError):
                return
            if isinstance(tag, str) and tag in self.qos._delivered:
                self.basic_reject(tag, requeue=False)

    class KeepingTransport(Transport):  # type: ignore[misc]
        Channel = KeepingChannel

    return KeepingTransport
