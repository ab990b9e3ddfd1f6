"""The Celery app of the lanes, for producers and workers alike; each setting with its reason."""

from celery import Celery
from kombu import Exchange, Queue

from wire.lanes import queue_of

APPLY_TASK = "ledger.apply"  # intake's messages: many commands, answered on a reply list
SUBMIT_TASK = "ledger.submit"  # other services' messages: one command, answered as the task's result

VISIBILITY_TIMEOUT_S = 60  # a message that a dead worker held comes again after this; answers don't wait for it


def make_app(url: str, lanes: int, *, publishers: int = 16, answer_timeout_s: float = 5.0) -> Celery:
    """Return the Celery app of a broker with that many lanes. `publishers` threads may publish at once.

    A broker that does not answer for `answer_timeout_s` is away; a worker waits longer for work than a second.
    """
    app = Celery("ledger", broker=url, backend=url, set_as_current=False)
    app.conf.update(
        task_queues=[_queue(queue_of(lane)) for lane in range(lanes)],
        task_default_queue=queue_of(0),
        task_create_missing_queues=False,  # a misspelt lane fails where it is written, not in silence
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],  # nothing that could carry code
        task_acks_late=True,  # a message is done when it is on disk, not when it was taken
        task_reject_on_worker_lost=False,
        task_track_started=False,
        task_store_eager_result=False,
        result_expires=3_600,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        worker_redirect_stdouts=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,  # what was redelivered finds its outcome
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_pool_limit=publishers,
        broker_pool_acquire_timeout=2,
        task_publish_retry=False,  # intake sends again by itself, under the same operation
        broker_transport_options={
            "visibility_timeout": VISIBILITY_TIMEOUT_S,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "unacked_mutex_expire": 10,
            "priority_steps": [0],  # one list for each lane: first in, first out, and a quarter of the BRPOP's work
            "socket_timeout": answer_timeout_s,  # a publish on a dead connection would otherwise hang for ever
            "socket_connect_timeout": 1,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        visibility_timeout=VISIBILITY_TIMEOUT_S,
        result_backend_transport_options={"visibility_timeout": VISIBILITY_TIMEOUT_S},
    )
    return app


def _queue(name: str) -> Queue:
    """Return a lane's queue as a plain `send_task(queue=name)` of any Celery app declares it."""
    return Queue(name, Exchange(name, type="direct"), routing_key=name)
