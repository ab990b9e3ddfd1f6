"""`LedgerQueue`: how other services of this project put commands on the queue: validated, routed, awaited."""

import asyncio
import os
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson
from celery import Celery
from celery.exceptions import TimeoutError as CeleryTimeoutError
from celery.result import AsyncResult
from kombu.exceptions import OperationalError

from ledger_core.commands import Command
from wire import broker
from wire.app import SUBMIT_TASK, make_app
from wire.lanes import lane_of, queue_of
from wire.settings import settings
from wire.submit import TaskResult

LOOK_EVERY_S = 1.0  # at the stored result: the word that there is one can be lost with a connection
AGAIN_S = 0.1  # a broker that is away is asked again after so long
PUBLISHERS = 10  # as many as Celery's default: its pools are one for all apps of a process, and will not shrink
RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}  # Celery's: 20 s


class Submitted:
    """A command on the queue. `task_id` names it: whoever must know sends it again under the same id."""

    def __init__(self, result: AsyncResult) -> None:
        self._result = result
        self.task_id = str(result.id)

    def get(self, timeout: float) -> TaskResult:
        """Wait, that many seconds at most, for what became of the command. A refusal is a result.

        A broker that is away meanwhile is waited for.

        Raises:
            TimeoutError: there is no outcome yet; the command may still be carried out.
        """
        until_s = time.monotonic() + timeout
        while True:
            left_s = until_s - time.monotonic()
            try:
                found: TaskResult = self._result.get(timeout=max(min(left_s, LOOK_EVERY_S), 0.001))
            except CeleryTimeoutError:
                pass
            except Exception as error:
                if not _is_of_the_broker(error):
                    raise
                time.sleep(max(min(left_s, AGAIN_S), 0.0))
            else:
                return found
            if time.monotonic() >= until_s:
                raise TimeoutError(f"no outcome of task {self.task_id} within {timeout} s") from None

    async def get_async(self, timeout: float) -> TaskResult:  # as Celery's own get has it
        """Wait like `get`, without holding up the event loop."""
        return await asyncio.to_thread(self.get, timeout)


class LedgerQueue:
    """Puts commands on the lanes of their orgs. Any thread may use it.

    What is enqueued and forgotten is as durable as the broker is set to be.
    """

    def __init__(self, app: Celery, lanes: int) -> None:
        self._app = app
        self._lanes = lanes

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "LedgerQueue":
        """Return a queue by LEDGER_REDIS_URL and LEDGER_LANES.

        Raises:
            SettingError: one of them has a value that it can't have.
        """
        shared = settings(environ)
        app = make_app(shared.redis_url, shared.lanes, publishers=PUBLISHERS)
        app.conf.result_backend_transport_options = {
            **app.conf.result_backend_transport_options,
            "retry_policy": RETRY_POLICY,
        }
        return cls(app, shared.lanes)

    def submit(self, org: str, command: Command, *, task_id: str | None = None) -> Submitted:
        """Put a command on its org's lane. Without an idempotency key it is applied once for each `task_id`.

        Raises:
            kombu.exceptions.OperationalError: nobody knows whether the broker took it. Send it again, under its
                idempotency key or the same `task_id`.
        """
        fields: Any = orjson.loads(command.fields())
        try:
            result = self._app.send_task(
                SUBMIT_TASK,
                kwargs={"org": org, "kind": command.kind.value, "command": fields},
                queue=queue_of(lane_of(org, self._lanes)),
                task_id=task_id or str(uuid4()),
            )
        except OperationalError:
            raise
        except Exception as error:  # Celery raises what it likes when its broker fails
            raise OperationalError(f"{type(error).__name__}: {error}") from error
        return Submitted(result)

    async def submit_async(self, org: str, command: Command, *, task_id: str | None = None) -> Submitted:
        """Put a command on its org's lane without holding up the event loop."""
        return await asyncio.to_thread(self.submit, org, command, task_id=task_id)

    def close(self) -> None:
        """Close the connections."""
        self._app.close()


def _is_of_the_broker(error: BaseException) -> bool:
    """Tell whether an error says that the broker can't be reached: Celery wraps some in a RuntimeError."""
    return isinstance(error, (OperationalError, *broker.ERRORS)) or isinstance(error.__cause__, broker.ERRORS)
