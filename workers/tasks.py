"""The tasks of a lane: they decode, apply and reply. Whatever they decide is decided in `ledger_core`."""

import json
import logging
import reprlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple, NoReturn

from celery import Celery, Task
from celery.exceptions import Ignore, Reject

from ledger_core.instants import now_us
from ledger_core.set_aside import Form, Item
from wire import broker, replies, submit
from wire.answers import SET_ASIDE
from wire.app import APPLY_TASK, SUBMIT_TASK
from wire.envelope import Malformed, Message, Reply, decode_message, heavy_org_of
from workers.arrival import Arrived, AtOnce
from workers.heavy import Heavy
from workers.turns import Sender, Turns

logger = logging.getLogger("ledger.workers")

RETRY_AFTER_S = 5  # a task whose book can't be reached waits this long, then twice as long each time,
RETRY_AFTER_S_MAX = 40  # up to this, for as often as it takes; below the visibility timeout of the broker
WORKER = secrets.token_hex(4)  # names this process to those who send it messages
ANSWERED_MAX = 2_000  # messages that are remembered as answered: far more than a lane has under way


class _Answered:
    """The messages that this worker answered of late. Any thread may use it.

    One that comes again, because its acknowledgement was lost, is not carried out: what its first answer said of a
    book that could not be used then, its caller was told.
    """

    def __init__(self) -> None:
        self._names: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._lock = threading.Lock()

    def before(self, message: Message) -> bool:
        """Tell whether a message was answered before; from now on it is."""
        name = message.reply_to, message.message_id
        with self._lock:
            if name in self._names:
                return True
            self._names[name] = None
            if len(self._names) > ANSWERED_MAX:
                self._names.popitem(last=False)
            return False


class Beside(NamedTuple):
    """What carries out heavy messages in a thread of its own, and what that thread works with."""

    heavy: Heavy
    turns: Turns
    sender: replies.Sender

    def wait_for(self, orgs: Iterable[str], turns: Turns) -> None:
        """Wait until the heavy messages of some orgs are carried out, unless it is they that take these turns."""
        if turns is not self.turns:
            self.heavy.wait_for(orgs)


def register(app: Celery, turns: Turns, sender: replies.Sender, beside: Beside | None = None) -> None:
    """Register the tasks of the lanes on a Celery app, and no others: Celery's own would run what a message names.

    Without anything `beside`, heavy messages are carried out like all others.
    """
    for name in list(app.tasks):
        del app.tasks[name]
    answered = _Answered()

    class Kept(Task):  # type: ignore[misc]  # Celery has no types
        """A task whose message is kept for an operator when it fails: Celery drops it."""

        abstract = True

        def on_failure(
            self, exc: Exception, task_id: str, args: tuple[object, ...], kwargs: dict[str, object], einfo: object
        ) -> None:
            if isinstance(exc, broker.ERRORS):
                # Not a fault of the message: it is done, and whoever sends it again is told the outcome in the book.
                logger.warning("can't store the result of task %s: %s", task_id, broker.cause_of(exc))
                return
            turns.refuse(_item(self, args, kwargs, f"{type(exc).__name__}: {exc}", is_told=False))

    class Applied(AtOnce, Kept):
        """A task that applies one of intake's messages."""

        abstract = True

        def carry_out(self, arrived: Arrived) -> None:
            org = heavy_org_of(arrived.text) if isinstance(arrived.text, str) else None
            if beside is None or org is None:
                self.carry_out_with(turns, sender, arrived)
            else:
                beside.heavy.begin(org, lambda: self.carry_out_with(beside.turns, beside.sender, arrived, org))

        def carry_out_with(
            self, turns: Turns, sender: replies.Sender, arrived: Arrived, only_org: str | None = None
        ) -> None:
            began_s = time.monotonic()
            try:
                message = decode_message(arrived.text)
                if only_org is not None and any(item.org != only_org for item in message.items):
                    # Nothing waits for what this thread does to another org: its writes would lose their order.
                    raise Malformed(f"the heavy message of {only_org} has commands of another org")
                _apply(message, began_s, turns, sender)
            except Exception as error:  # malformed, or a fault of ours
                cause = str(error) if isinstance(error, Malformed) else f"{type(error).__name__}: {error}"
                turns.refuse(_item_of(self.name, arrived.task_id, arrived.queue, (arrived.text,), {}, cause))

    def _apply(message: Message, began_s: float, turns: Turns, sender: replies.Sender) -> None:
        if beside is not None:
            beside.wait_for((item.org for item in message.items), turns)
        if message.deadline.passed():
            logger.warning("dropped a message that came too late; its writes were sent again or given up")
        elif answered.before(message):
            logger.warning("dropped a message that came again after it was answered")
        else:
            reply = _applied(message, turns, began_s)
            try:
                sender.send(message.reply_to, reply)
            except broker.ERRORS as error:
                # Not lost: whoever waits sends the command again, and is told the outcome that is in the book.
                logger.warning("can't reply: %s", error)

    @app.task(base=Applied, name=APPLY_TASK, bind=True, ignore_result=True)  # type: ignore[untyped-decorator]
    def apply(self: Applied, text: object = None, *_: object, **__: object) -> None:
        """Apply one of intake's messages, and put the answers on its reply list once they are on disk."""
        self.carry_out(Arrived(text, self.request.id, _queue_of(self)))

    @app.task(base=Kept, name=SUBMIT_TASK, bind=True, max_retries=None)  # type: ignore[untyped-decorator]
    def submit_(
        self: Task,
        org: object = None,
        kind: object = None,
        command: object = None,
        *extra: object,
        **unknown: object,
    ) -> submit.TaskResult:
        """Apply one command of another service, and return what became of it.

        One that meets a fault of ours has no result until it has an outcome: it waits for an operator.
        """
        task_id = str(self.request.id)
        arguments = {"org": org, "kind": kind, "command": command, **unknown}
        try:
            if extra or unknown:
                raise submit.unknown_arguments(unknown)
            task = submit.read_task(task_id, org, kind, command, now_us())
        except submit.NotATask as refused:
            turns.refuse(_item(self, extra, arguments, str(refused), is_told=True))
            return submit.refusal_of(task_id, org, refused.problem)
        except Exception as error:
            logger.exception("a bug in reading task %s", task_id)
            turns.refuse(_item(self, extra, arguments, f"{type(error).__name__}: {error}", is_told=False))
            _leave_without_a_result()
        if beside is not None:
            beside.wait_for([task.org], turns)
        (answer,) = turns.apply(task.org, [task.submission], sender=Sender.SERVICE)
        if answer is None:
            _leave_without_a_result()
        if answer.http_status == 503:
            wait_s = min(RETRY_AFTER_S * 2 ** min(self.request.retries, 10), RETRY_AFTER_S_MAX)
            try:
                raise self.retry(countdown=wait_s)
            except Reject as error:  # the broker does not take it back either; Celery would drop it
                raise Reject(error.reason, requeue=True) from error
        if answer.http_status == SET_ASIDE.status and not answer.decided:
            _leave_without_a_result()
        return submit.result_of(task.submission.operation_id, answer)


def _applied(message: Message, turns: Turns, began_s: float) -> Reply:
    before = turns.transactions
    told = turns.take(message.items, message.deadline.passed)
    for unreadable in message.unreadable:
        answer = turns.refuse_unreadable(unreadable)
        if unreadable.number is not None:
            told.append((unreadable.number, answer))
    took_us = int((time.monotonic() - began_s) * 1e6)
    return Reply(message.message_id, turns.transactions - before, told, took_us, WORKER)


def _leave_without_a_result() -> NoReturn:
    raise Ignore


def _queue_of(task: Task) -> str | None:
    found: str | None = (task.request.delivery_info or {}).get("routing_key")
    return found


def _item(task: Task, args: tuple[object, ...], kwargs: dict[str, object], cause: str, *, is_told: bool) -> Item:
    return _item_of(task.name, task.request.id, _queue_of(task), args, kwargs, cause, is_told=is_told)


def _item_of(
    name: str,
    task_id: str | None,
    queue: str | None,
    args: tuple[object, ...],
    kwargs: dict[str, object],
    cause: str,
    *,
    is_told: bool = False,
) -> Item:
    """Return what an operator sees of a task, and may send again as it came."""
    fields = {"task": name, "id": task_id, "args": args, "kwargs": kwargs}
    try:
        body = json.dumps(fields).encode()
    except (RecursionError, TypeError, ValueError):
        body = reprlib.repr(fields).encode()
        return Item(Form.TASK, body, cause, now_us(), lane=queue, is_told=is_told, is_whole=False)
    return Item(Form.TASK, body, cause, now_us(), lane=queue, is_told=is_told)
