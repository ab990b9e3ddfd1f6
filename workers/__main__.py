"""`python -m workers`: one worker process."""

import logging
import resource
import signal
import sys
import warnings
from types import FrameType
from typing import Any

from celery import signals
from celery.exceptions import SecurityWarning

from ledger_core.errors import StorageUnavailable
from ledger_core.instants import now_us
from ledger_core.orgs import Registry
from ledger_core.set_aside import Form, Item, SetAside
from wire import log, replies, started
from wire.app import make_app
from wire.garbage import collect_seldom
from wire.lanes import lane_of, queue_of
from wire.privacy import keep_private
from wire.settings import SettingError
from workers.books import HEAVY_BOOKS_MAX, Books
from workers.contents import read_strictly
from workers.heavy import Heavy
from workers.lanes import LaneLocks
from workers.outages import Outages
from workers.priority import interrupt_nobody
from workers.settings import Settings, settings
from workers.strays import keep_strays
from workers.tasks import Beside, register
from workers.turns import Turns

logger = logging.getLogger("ledger.workers")


def main() -> int:
    """Own lanes, and apply what comes on them until told to stop.

    Exit code 2: a setting is wrong; 1: the data folder can't be used.
    """
    try:
        chosen = settings()
    except SettingError as error:
        print(f"workers: {error}", file=sys.stderr)
        return 2
    keep_private()
    log.start(chosen.log_level)
    read_strictly()
    warnings.simplefilter("ignore", SecurityWarning)  # of root, for pickled messages; these lanes take JSON only
    _raise_descriptor_limit()
    interrupt_nobody()
    signal.signal(signal.SIGTERM, _end)  # while it stands by: Celery puts its own in place when it starts
    try:
        return _serve(chosen)
    except StorageUnavailable as error:
        print(f"workers: {error}", file=sys.stderr)
        return 1


def _serve(chosen: Settings) -> int:
    shared = chosen.shared
    locks = LaneLocks(shared.data, chosen.own_lanes)
    started.tell()  # from now on it takes over whatever falls to it
    owned = locks.wait_for_one()
    try:
        Registry.open_writer(shared.data).close()  # brought up to date first: by it a missing book is told from no org
    except StorageUnavailable as error:
        logger.error("%s", error)  # books can be used without it
    aside = SetAside(shared.data)
    outages = Outages(shared.data, aside, lambda org: locks.owns(lane_of(org, shared.lanes)))
    books = Books(shared.data, outages)
    app = make_app(shared.redis_url, shared.lanes)
    turns = Turns(books, aside)
    heavy = Heavy()
    heavy_books = Books(shared.data, outages, HEAVY_BOOKS_MAX)  # its own: none is used by two threads
    beside = Beside(heavy, Turns(heavy_books, aside), replies.Sender(shared.redis_url))
    register(app, turns, replies.Sender(shared.redis_url), beside)
    keep_strays(app, lambda body, queue, cause: turns.refuse(Item(Form.STRAY, body, cause, now_us(), lane=queue)))
    outages.keep_looking()

    @signals.worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
    def consume_what_falls_to_us(sender: Any, **_: object) -> None:
        locks.follow(lambda lane: sender.call_soon(sender.add_task_queue, queue_of(lane)))

    worker = app.Worker(
        pool="solo",  # one message after the other: the order of an org's writes is the order of its lane
        queues=[queue_of(lane) for lane in owned],
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="WARNING",
        quiet=True,
    )
    collect_seldom()
    worker.start()
    heavy.finish()
    heavy_books.close()
    books.close()
    return int(worker.exitcode or 0)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _raise_descriptor_limit() -> None:
    """Let this process open as many files as it may: each open book takes about three."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
