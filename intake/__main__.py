"""`python -m intake`: one HTTP server process."""

import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from types import FrameType
from typing import Any

from waitress.server import create_server

from intake.acceptance import Acceptance, Sweeper
from intake.app import Parts, make_app
from intake.auth import Doorkeeper
from intake.dispatch import Dispatch
from intake.health import Health
from intake.loops import Loops
from intake.operations import Operations
from intake.parking import ParkingChannel
from intake.readers import Readers
from intake.settings import Settings, settings
from intake.writes import Writes
from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Inbox
from ledger_core.model import Submission
from ledger_core.orgs import Registry
from wire import log, replies
from wire.app import make_app as make_celery_app
from wire.publisher import Publisher
from wire.settings import SettingError

logger = logging.getLogger("ledger.intake")

BODY_BYTES_REFUSED = 8 * 1024 * 1024  # above it the HTTP server refuses by itself, before reading on
HEADER_BYTES_MAX = 32 * 1024
CONNECTIONS_MAX = 1_000
BACKLOG = 1_024
DRAIN_S_MAX = 2.0  # those who are left then have gone away themselves


def main() -> int:
    """Serve HTTP until told to stop. Exit code 2: a setting is wrong; 1: the data folder can't be used."""
    try:
        chosen = settings()
    except SettingError as error:
        print(f"intake: {error}", file=sys.stderr)
        return 2
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
    Registry.open_writer(shared.data).close()  # there from the first start, so that health is not unwell without an org
    inbox = Inbox.open(shared.data)
    readers = Readers(shared.data)
    acceptance = Acceptance(inbox)
    doorkeeper = Doorkeeper(shared.data)
    publisher = Publisher(
        make_celery_app(shared.redis_url, shared.lanes, publishers=chosen.threads + 8, answer_timeout_s=1.0),
        shared.redis_url,
    )
    listener = replies.Listener(shared.redis_url, replies.new_list())

    def settled(submission: Submission) -> None:
        acceptance.settle(submission)
        operations.settled(submission.operation_id)

    dispatch = Dispatch(
        publisher,
        listener.name,
        lanes=shared.lanes,
        pending_per_org_max=chosen.pending_per_org_max,
        pending_max=chosen.pending_max,
        on_settled=settled,
    )
    writes = Writes(dispatch, acceptance, readers, wait_s=chosen.wait_s)
    operations = Operations(dispatch, acceptance, readers)
    checks = Health(publisher, doorkeeper, shared.data, shared.lanes)
    app = make_app(Parts(doorkeeper, readers, writes, operations, checks))
    loops = Loops(dispatch, writes, operations, listener, acceptance, Sweeper(shared.data, inbox, readers, dispatch))
    server = server_for(app, listening(chosen.host, chosen.port), threads=chosen.threads)

    def stop(number: int, frame: FrameType | None) -> None:
        """Let every request that waits be answered `202` first; a second signal, ours or another one, ends it."""
        if stopping.is_set():
            raise SystemExit(0)
        stopping.set()
        threading.Thread(target=_end_when_drained, args=(writes, operations), daemon=True).start()

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    loops.start()
    logger.info("serving on %s port %s", server.effective_host, server.effective_port)
    server.run()
    loops.stop()


def _end_when_drained(writes: Writes, operations: Operations) -> None:
    until_s = time.monotonic() + DRAIN_S_MAX
    operations.drain()
    while not writes.drain() and time.monotonic() < until_s:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)


def server_for(app: Any, socket_: socket.socket, *, threads: int) -> Any:
    """Return waitress for a WSGI app, each setting with its reason."""
    server = create_server(
        app,
        sockets=[socket_],
        threads=threads,
        connection_limit=CONNECTIONS_MAX,
        asyncore_use_poll=True,  # select() dies above 1,023 descriptors, and open books use them up
        channel_request_lookahead=1,  # notices a caller that went away
        max_request_header_size=HEADER_BYTES_MAX,
        max_request_body_size=BODY_BYTES_REFUSED,
        ident="ff-ledger",
        clear_untrusted_proxy_headers=True,
    )
    server.channel_class = ParkingChannel
    return server


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens there."""
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    found.bind((host, port))
    found.listen(BACKLOG)
    return found


if __name__ == "__main__":
    sys.exit(main())
