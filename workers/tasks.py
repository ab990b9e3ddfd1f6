"""The tasks of a lane: they decode, apply and reply. Whatever they decide is decided in `ledger_core`."""

import logging
import reprlib

import redis
from celery import Celery, Task

from ledger_core.instants import now_us
from wire import replies, submit
from wire.app import APPLY_TASK, SUBMIT_TASK
from wire.envelope import Malformed, Reply, decode_message
from workers.turns import Turns

logger = logging.getLogger("ledger.workers")

RETRY_AFTER_S = 5  # a task whose book can't be reached waits this long, for as often as it takes


def register(app: Celery, turns: Turns, client: "redis.Redis") -> None:
    """Register the tasks of the lanes on a Celery app, and no others: Celery's own would run what a message names."""
    for name in list(app.tasks):
        del app.tasks[name]

    class Kept(Task):  # type: ignore[misc]  # Celery has no types
        """A task whose message is kept for an operator when it fails: Celery drops it."""

        abstract = True

        def on_failure(self, exc: Exception, task_id: str, args: object, kwargs: object, einfo: object) -> None:
            turns.refuse(_text_of((args, kwargs)), f"{type(exc).__name__}: {exc}")

    @app.task(base=Kept, name=APPLY_TASK, ignore_result=True)  # type: ignore[untyped-decorator]
    def apply(text: object = None, *_: object, **__: object) -> None:
        """Apply one of intake's messages, and put the answers on its reply list once they are on disk."""
        try:
            message = decode_message(text)
        except Malformed as error:
            turns.refuse(str(text), str(error))
            return
        if message.deadline.passed():
            logger.warning("dropped a message that came too late; its writes were sent again or given up")
            return
        before = turns.transactions
        told = turns.take(message.items, message.deadline.passed)
        try:
            replies.send(client, message.reply_to, Reply(message.message_id, turns.transactions - before, told))
        except redis.RedisError as error:
            # Not lost: whoever waits sends the command again, and is told the outcome that is in the book.
            logger.warning("can't reply: %s", error)

    @app.task(base=Kept, name=SUBMIT_TASK, bind=True, max_retries=None)  # type: ignore[untyped-decorator]
    def submit_(
        self: Task,
        org: object = None,
        kind: object = None,
        command: object = None,
        *extra: object,
        **unknown: object,
    ) -> submit.TaskResult:
        """Apply one command of another service, and return what became of it."""
        task_id = str(self.request.id)
        try:
            if extra or unknown:
                raise submit.unknown_arguments(unknown)
            task = submit.read_task(task_id, org, kind, command, now_us())
        except submit.NotATask as refused:
            turns.refuse(_text_of({"org": org, "kind": kind, "command": command, **unknown}), str(refused))
            return submit.refusal_of(task_id, org, refused.problem)
        (answer,) = turns.apply(task.org, [task.submission])
        if answer.http_status == 503:
            raise self.retry(countdown=RETRY_AFTER_S)
        return submit.result_of(task.submission.operation_id, answer)


def _text_of(arguments: object) -> str:
    try:
        return repr(arguments)
    except RecursionError:
        return reprlib.repr(arguments)
