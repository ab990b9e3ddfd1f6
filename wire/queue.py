"""`LedgerQueue`: how other services of this project put commands on the queue: validated, routed, awaited."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson
from celery import Celery
from celery.exceptions import TimeoutError as CeleryTimeoutError
from celery.result import AsyncResult

from ledger_core.commands import Command
from wire.app import SUBMIT_TASK, make_app
from wire.lanes import lane_of, queue_of
from wire.settings import settings
from wire.submit import TaskResult


class Submitted:
    """A command on the queue. `task_id` names it: whoever must know sends it again under the same id."""

    def __init__(self, result: AsyncResult) -> None:
        self._result = result
        self.task_id = str(result.id)

    def get(self, timeout: float) -> TaskResult:
        """Wait, that many seconds at most, for what became of the command. A refusal is a result.

        Raises:
            TimeoutError: there is no outcome yet; the command may still be carried out.
        """
        try:
            found: TaskResult = self._result.get(timeout=timeout)
        except CeleryTimeoutError:
            raise TimeoutError(f"no outcome of task {self.task_id} within {timeout} s") from None
        return found

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
        return cls(make_app(shared.redis_url, shared.lanes), shared.lanes)

    def submit(self, org: str, command: Command, *, task_id: str | None = None) -> Submitted:
        """Put a command on its org's lane. Without an idempotency key it is applied once for each `task_id`.

        Raises:
            kombu.exceptions.OperationalError: the broker did not take it.
        """
        fields: Any = orjson.loads(command.fields())
        result = self._app.send_task(
            SUBMIT_TASK,
            kwargs={"org": org, "kind": command.kind.value, "command": fields},
            queue=queue_of(lane_of(org, self._lanes)),
            task_id=task_id or str(uuid4()),
        )
        return Submitted(result)

    async def submit_async(self, org: str, command: Command, *, task_id: str | None = None) -> Submitted:
        """Put a command on its org's lane without holding up the event loop."""
        return await asyncio.to_thread(self.submit, org, command, task_id=task_id)

    def close(self) -> None:
        """Close the connections."""
        self._app.close()
