"""`python -m intake`: one HTTP server process."""

import logging
import resource
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from intake.acceptance import Acceptance, Sweeper
from intake.app import Parts, make_app
from intake.aside import Aside
from intake.auth import Doorkeeper
from intake.broker_watch import BrokerWatch
from intake.connections import Limits
from intake.dispatch import Dispatch
from intake.end_of_turn import EndOfTurn
from intake.health import Health
from intake.known import Known
from intake.listening import Listening
from intake.loops import Loops
from intake.operations import Operations
from intake.quick import Quick
from intake.readers import Readers
from intake.serving import Server, listening
from intake.settings import Settings, settings
from intake.writes import Writes
from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Inbox
from ledger_core.model import Submission
from ledger_core.orgs import Registry
from ledger_core.set_aside import SetAside
from wire import log, replies, started
from wire.garbage import collect_seldom
from wire.privacy import keep_private
from wire.publisher import Publisher
from wire.settings import SettingError

logger = logging.getLogger("ledger.intake")

OUTCOMES_S_MAX = 2.0  # at the end: so long writes go on waiting for their outcomes, which come in milliseconds
LOOK_EVERY_S = 0.01
SWITCH_S = 0.001  # so long a thread of the pool may keep the loop from the interpreter: a quiet org waits for that
DRAIN_S_MAX = 4.0  # those who are left then have gone away themselves


def main() -> int:
    """Serve HTTP until told to stop. Exit code 2: a setting is wrong; 1: the data folder can't be used."""
    try:
        chosen = settings()
    except SettingError as error:
        print(f"intake: {error}", file=sys.stderr)
        return 2
    keep_private()
    log.start(chosen.log_level)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every request that waits for a thread
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # each open book takes about three
    try:
        _serve(chosen)
    except StorageUnavailable as error:
        print(f"intake: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(chosen: Settings) -> None:
    shared = chosen.shared
    inbox = Inbox(shared.data)
    _touch(shared.data, inbox)
    aside = Aside(SetAside(shared.data))
    readers = Readers(shared.data, on_ill=aside.note_ill)
    known = Known(readers, inbox)
    acceptance = Acceptance(inbox, known)
    doorkeeper = Doorkeeper(shared.data)
    publisher = Publisher(shared.redis_url)
    watch = BrokerWatch(publisher)
    listener = replies.Listener(shared.redis_url, replies.new_list())

    def settled(submission: Submission) -> None:
        acceptance.settle(submission)
        operations.settled(submission.operation_id)

    end_of_turn = EndOfTurn()
    dispatch = Dispatch(
        publisher,
        watch,
        listener.name,
        lanes=shared.lanes,
        pending_per_org_max=chosen.pending_per_org_max,
        pending_max=chosen.pending_max,
        pending_bytes_max=chosen.pending_bytes_max,
        on_settled=settled,
        is_out=aside.is_out,
        on_due=lambda: end_of_turn.call(send_due),
    )
    send_due = dispatch.send_due
    acceptance.on_told = lambda: end_of_turn.call(send_due)
    acceptance.on_bid = lambda: end_of_turn.call(acceptance.go_on)
    writes = Writes(dispatch, acceptance, known, wait_s=chosen.wait_s, is_out=aside.is_out)
    operations = Operations(dispatch, acceptance, readers, aside)
    checks = Health(watch, doorkeeper, shared.data, shared.lanes, acceptance, aside)
    app = make_app(Parts(doorkeeper, readers, writes, operations, checks))
    sweeper = Sweeper(shared.data, inbox, readers, dispatch, aside)
    limits = Limits(chosen.connections_max, chosen.idle_s, chosen.request_s)
    server = Server(
        app,
        _socket(chosen),
        threads=chosen.threads,
        limits=limits,
        quick=Quick(doorkeeper, dispatch, readers),
        on_end=end_of_turn.come,
    )

    acceptance.gathered = server.gathered
    end_of_turn.wake = server.wake
    listening = Listening(listener, watch, dispatch.resolve)
    publisher.watched_by(server.links, watch.suspect)
    server.between(listening.take_in)
    listener.watched_by(server.links, listening.take_in)
    loops = Loops(
        watch,
        dispatch,
        publisher,
        writes,
        operations,
        listening,
        acceptance,
        sweeper,
        aside,
        doorkeeper,
        end_of_turn.call,
    )

    def stop(number: int, frame: FrameType | None) -> None:
        """Let every caller have an answer first; a second signal, ours or another one, ends it."""
        if stopping.is_set():
            server.end()
            return
        stopping.set()
        threading.Thread(target=_end_when_drained, args=(server, writes, operations), daemon=True).start()

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    loops.start()
    collect_seldom()
    sys.setswitchinterval(SWITCH_S)
    logger.info("serving on %s", server.address)
    started.tell()
    server.run()
    loops.stop()


def _end_when_drained(server: Server, writes: Writes, operations: Operations) -> None:
    """Answer whoever is connected, as ever if that takes no time, else with `202`; then end this process."""
    began_s = time.monotonic()
    server.drain()
    operations.drain()
    while not server.close_idle() and time.monotonic() < began_s + DRAIN_S_MAX:
        if time.monotonic() > began_s + OUTCOMES_S_MAX:
            writes.drain()
        time.sleep(LOOK_EVERY_S)
    server.end()


def _touch(data: Path, inbox: Inbox) -> None:
    """Make what is not there yet, and bring up to date what is. What can't be used now is used when it can be."""
    try:
        Registry.open_writer(data).close()  # so that health is not unwell without an org
        inbox.accept([])
    except StorageUnavailable as error:
        logger.error("%s", error)


def _socket(chosen: Settings) -> socket.socket:
    """Return the socket that this process was started with, or one of its own."""
    if chosen.listen_fd is not None:
        return socket.socket(fileno=chosen.listen_fd)
    return listening(chosen.host, chosen.port)


if __name__ == "__main__":
    sys.exit(main())
