"""What intake writes on a lane is what Celery writes for the same call, member by member."""

import base64
import json
from typing import Any

from celery import Celery

from wire.app import APPLY_TASK, make_app
from wire.celery_message import celery_message
from wire.lanes import queue_of

OWN = {"origin", "reply_to", "delivery_tag"}  # each producer has its own


def test_a_message_is_what_celery_itself_writes() -> None:
    """A worker, and whoever looks at a queue, sees no difference to a task of Celery's own producer."""
    ours = json.loads(celery_message(APPLY_TASK, "task-1", "text", queue_of(1), "tag-1"))

    queue, theirs = _by_celery(make_app("memory://", 4), "task-1", "text", queue_of(1))

    assert queue == queue_of(1)
    assert json.loads(base64.b64decode(ours.pop("body"))) == json.loads(base64.b64decode(theirs.pop("body")))
    assert _without_own(ours) == _without_own(theirs)


def test_a_message_has_a_tag_of_its_own() -> None:
    """By it a worker acknowledges this message and no other."""
    message = json.loads(celery_message(APPLY_TASK, "task-1", "text", queue_of(1), "tag-1"))

    assert message["properties"]["delivery_tag"] == "tag-1"


def _by_celery(app: Celery, task_id: str, argument: str, queue: str) -> tuple[str, dict[str, Any]]:
    app.conf.update(broker_transport_options={}, result_backend="cache+memory://")
    put: list[tuple[str, dict[str, Any]]] = []
    with app.connection_for_write() as connection:
        channel = connection.channel()
        channel._put = lambda name, message, **_: put.append((name, message))
        producer = app.amqp.Producer(channel, auto_declare=False)
        app.send_task(
            APPLY_TASK,
            (argument,),
            queue=queue,
            task_id=task_id,
            ignore_result=True,
            producer=producer,
            argsrepr="",
            kwargsrepr="",
        )
    ((name, message),) = put
    return name, json.loads(json.dumps(message))


def _without_own(message: dict[str, Any]) -> dict[str, Any]:
    for part in ("headers", "properties"):
        message[part] = {name: value for name, value in message[part].items() if name not in OWN}
    return message
