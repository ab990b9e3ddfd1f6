"""A task of Celery, as Celery and kombu write it on a queue in Redis: its message protocol 2, without their cost.

Source: Celery's "Message Protocol", version 2, and kombu's virtual transports, for their JSON envelope.
"""

import base64

import orjson

_EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def celery_message(task: str, task_id: str, argument: str, queue: str, delivery_tag: str) -> bytes:
    """Write a call of a task with one argument whose result nobody wants; what is pushed on the queue's list.

    `delivery_tag` names this message to the worker that holds it: no two messages share one.
    """
    body = orjson.dumps(((argument,), {}, _EMBED))
    return orjson.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                "lang": "py",
                "task": task,
                "id": task_id,
                "shadow": None,
                "eta": None,
                "expires": None,
                "group": None,
                "group_index": None,
                "retries": 0,
                "timelimit": (None, None),
                "root_id": task_id,
                "parent_id": None,
                "argsrepr": "",  # not the argument once more, for logs that nobody keeps
                "kwargsrepr": "",
                "origin": "ledger.intake",
                "ignore_result": True,
                "replaced_task_nesting": 0,
                "stamped_headers": None,
                "stamps": {},
            },
            "properties": {
                "correlation_id": task_id,
                "reply_to": task_id,
                "argsrepr": "",
                "kwargsrepr": "",
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": delivery_tag,
            },
        }
    )
