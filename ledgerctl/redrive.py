"""Sending what was set aside once more: a command under its operation, anything else as it came."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
import redis

from ledger_core import reads
from ledger_core.commands import Kind, parse_command
from ledger_core.errors import InvalidRequest, StorageUnavailable
from ledger_core.inbox import Inbox
from ledger_core.model import Outcome, Submission
from ledger_core.set_aside import Form, Item, Kept, SetAside
from ledger_core.store.book import Book
from wire import answers, broker, replies
from wire.answers import Answer
from wire.app import make_app
from wire.envelope import MESSAGE_VALID_S, Deadline, Message, encode_message
from wire.envelope import Item as Sent
from wire.lanes import lane_of, queue_of
from wire.publisher import lane_message
from wire.settings import Settings

ANSWER_S_MAX = 10.0  # a worker that has not answered by then does not run, or has much to do
COMES_BACK_S = 2.0  # what is no command has no answer: it is set aside again within this, or it is not


class Fate(NamedTuple):
    """What came of an item: `done`, it is not set aside any more; else why it still is."""

    kept: Kept
    done: bool
    said: str


class Redrive:
    """Sends items of a data folder's set-aside file to its lanes, and says what came of them."""

    def __init__(self, data: Path, shared: Settings) -> None:
        self._data = data
        self._shared = shared
        self._aside = SetAside(data)
        self._client = broker.connect(shared.redis_url)
        self._app = make_app(shared.redis_url, shared.lanes)
        self._reply_to = replies.new_list()

    def reachable(self) -> bool:
        """Tell whether the broker answers."""
        try:
            self._client.ping()
        except broker.ERRORS:
            return False
        return True

    def send(self, found: Sequence[Kept], *, told_too: bool) -> Iterator[Fate]:
        """Send items again, one after the other, and yield what came of each.

        An item whose sender was told that it failed is sent only where `told_too`: it may move money after an answer
        that said that none was moved.
        """
        for kept in found:
            try:
                yield self._sent(kept, told_too=told_too)
            except (StorageUnavailable, InvalidRequest, redis.RedisError) as error:
                yield Fate(kept, False, f"not sent: {type(error).__name__}: {error}")

    def _sent(self, kept: Kept, *, told_too: bool) -> Fate:
        item = kept.item
        if item.form is Form.COMMAND:
            decided = outcome_of(self._data, item)
            if decided is not None:
                return self._done(kept, f"{_said(answers.of_outcome(decided))} before")
        if item.is_told and not told_too and not is_promised(self._data, item):
            return Fate(kept, False, "not sent: its sender was told that it failed, and may send it again")
        if not item.is_whole:
            return Fate(kept, False, "not sent: only its beginning was kept")
        return self._send_command(kept) if item.form is Form.COMMAND else self._send_verbatim(kept)

    def _send_command(self, kept: Kept) -> Fate:
        org, submission = submission_of(kept.item)
        deadline = Deadline.after(MESSAGE_VALID_S)
        message = Message(kept.number, self._reply_to, deadline, [Sent(kept.number, org, submission)])
        lane = lane_of(org, self._shared.lanes)
        self._client.lpush(queue_of(lane), lane_message(lane, str(uuid4()), encode_message(message)))
        answer = self._answer(kept.number)
        if answer is None:
            return Fate(kept, False, "sent, and not answered yet: try again to see what came of it")
        if answer.decided:
            return self._done(kept, _said(answer))
        if answer.http_status == answers.SET_ASIDE.status:
            again = self._aside.item(kept.number)
            return Fate(kept, False, f"set aside again: {again.item.cause if again else 'its cause is in the log'}")
        return Fate(kept, False, "the org's book can't be used now; see: ledgerctl set-aside list")

    def _answer(self, number: int) -> Answer | None:
        until_s = time.monotonic() + ANSWER_S_MAX
        while time.monotonic() < until_s:
            reply = replies.receive(self._client, self._reply_to)
            if reply is not None and reply.message_id == number:
                return dict(reply.answers).get(number)
        return None

    def _send_verbatim(self, kept: Kept) -> Fate:
        item = kept.item
        queue = item.lane or queue_of(0)
        if item.form is Form.TASK:
            task = orjson.loads(item.body)
            self._app.send_task(task["task"], task["args"], task["kwargs"], queue=queue, task_id=task["id"])
        else:
            self._client.lpush(queue, item.body)
        until_s = time.monotonic() + COMES_BACK_S
        while time.monotonic() < until_s:
            again = self._aside.item(kept.number)
            if again is not None and again.times > kept.times:
                return Fate(kept, False, f"set aside again: {again.item.cause}")
            time.sleep(0.05)
        return self._done(kept, f"put back on {queue}")

    def _done(self, kept: Kept, said: str) -> Fate:
        self._aside.drop(kept.number)
        return Fate(kept, True, said)


def submission_of(item: Item) -> tuple[str, Submission]:
    """Return the org and the submission of an item that is a command.

    Raises:
        InvalidRequest: this program can't read it.
    """
    assert item.org is not None
    assert item.kind is not None
    assert item.operation_id is not None
    assert item.submission is not None
    command = parse_command(Kind(item.kind), json.loads(item.body))
    at = item.submitted_at or item.at
    return item.org, Submission(item.operation_id, item.submission, command, item.request_id or "", at)


def outcome_of(data: Path, item: Item) -> Outcome | None:
    """Return what its book decided about a command; None when it has not, or can't be read now."""
    assert item.org is not None
    assert item.operation_id is not None
    try:
        book = Book.open_reader(data, item.org)
    except StorageUnavailable:
        return None
    try:
        return reads.operation(book, item.operation_id)
    except StorageUnavailable:
        return None
    finally:
        book.close()


def is_promised(data: Path, item: Item) -> bool:
    """Tell whether a command was accepted with a `202`, and so must reach an outcome.

    Raises:
        StorageUnavailable: the inbox can't be read.
    """
    if item.operation_id is None or not (data / "inbox.db").exists():
        return False
    inbox = Inbox.open(data)
    try:
        return inbox.find(item.operation_id) is not None
    finally:
        inbox.close()


def _said(answer: Answer) -> str:
    if answer.http_status < 300:
        return "applied"
    problem: Any = orjson.loads(answer.body)
    return f"refused: {problem['code']}"
