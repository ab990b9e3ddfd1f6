"""Waitress's server: its loop, who serves a request, and room for a newcomer at any time.

A quick request is served by the thread of the loop, which read it, and so is the answer to one that was parked: handing
it to another thread and back costs more than all that is done for it. The others are served by a pool of threads.
"""

import socket
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, Protocol

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from intake.connections import BoundedChannel, Limits
from intake.links import Links
from intake.turns import NOBODY, Turns, Whose, in_turns
from intake.watching import Watched

ACCEPTS_PER_TURN = 64  # a crowd must not take a turn of the loop for each
LOOK_EVERY_S = 1  # for callers who keep us waiting
QUICK_PER_TURN = 16  # then others are read, so that another org need not wait for all of one
OF_EACH_ORG = 2  # are dealt with in a turn while several orgs call, so that nobody waits for all of a crowd,
DEALT_WITH_MAX = 4  # callers, before it is seen whether the broker said something
SHARED_S = 1.0  # which is while no more than this lies between the calls of two orgs, and so long after
REST_S = 0.01  # after a fault of the loop itself: one that comes in every turn must leave something for the others


class Tells(Protocol):
    """What knows which requests are quick: `intake.quick.Quick`."""

    def __call__(self, request: Any) -> bool:
        """Tell of a request, as its parser left it, whether nothing holds it up."""

    def whose(self, request: Any) -> Whose:
        """Tell whose a request is."""

    def took(self, seconds: float) -> None:
        """Learn how long a quick request took."""


class NoneIsQuick:
    """Leaves all requests to the pool, and knows nobody."""

    def __call__(self, request: Any) -> bool:
        return False

    def whose(self, request: Any) -> Whose:
        return NOBODY

    def took(self, seconds: float) -> None:
        pass


class BoundedServer(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """A server that serves quick requests itself; whoever was idle for the longest makes way for a newcomer.

    `on_end` is called when some of them were served, before the loop waits for more.
    """

    channel_class = BoundedChannel
    draining = False

    def __init__(
        self,
        *arguments: Any,
        limits: Limits,
        quick: Tells,
        on_end: Callable[[], None],
        **options: Any,
    ) -> None:
        self.limits = limits
        self._is_quick = quick
        self._on_end = on_end
        self._by_use: OrderedDict[BoundedChannel, None] = OrderedDict()  # the one served the longest ago first
        self._to_serve = Turns()  # by the loop
        self._readied: deque[BoundedChannel] = deque()  # parked ones that can go on, as any thread says so
        self._to_tell: list[BoundedChannel] = []
        self._dealt_with = 0  # callers, since what is `between` them was looked at
        self.between: Callable[[], None] = lambda: None
        self._org = ""  # that called last,
        self._called_at_s = float("-inf")  # and when
        self._shared_until_s = 0.0
        self._served: deque[BoundedChannel] = deque()  # by the pool
        self._serving: dict[int, BoundedChannel] = {}  # by thread of the pool
        self._gathering: set[int] = set()  # threads that ready several
        self._loop_thread = 0
        self._is_awake = False  # the loop was told to take its next turn, and did not take it yet
        self._all_changed = False
        self._is_over = False
        self._look_at_s = 0.0
        self._watched = Watched()
        self.links = Links(self._watched)
        super().__init__(*arguments, map=self._watched, **options)

    def run(self) -> None:
        """Serve, in this thread, until it is told to end."""
        self._loop_thread = threading.get_ident()
        try:
            while self._watched and not self._is_over:
                try:
                    self.turn()
                except Exception:  # what it left undone is looked at with all the rest, within a second
                    self.logger.exception("a bug in the server's loop")
                    self._is_awake = False  # who woke it may have been forgotten
                    time.sleep(REST_S)
        finally:
            self.task_dispatcher.shutdown()

    def end(self) -> None:
        """Have `run` return after this turn. Any thread may call it, and a signal handler.

        An exception from a handler would do it too, but for where waitress lets none pass.
        """
        self._is_over = True
        self.trigger.pull_trigger()

    def turn(self) -> None:
        """Wait for something to happen, a second at most, and deal with it."""
        now_s = time.monotonic()
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_EVERY_S
            self._watched.look_at_all()  # and for maintenance
        is_due = self._to_serve or self._to_tell or self._readied
        timeout_s = 0 if is_due else LOOK_EVERY_S
        if now_s < self._shared_until_s:
            of_each_org = OF_EACH_ORG
            self._watched.turn(timeout_s, self._serve_quick, of_each_org)
        else:
            of_each_org = None
            self._watched.turn(timeout_s, self._look_between)
        self._is_awake = False  # before it looks, so that nothing that comes later is left without a turn
        self._look_at_what_others_left()
        self._tell(of_each_org)
        for _ in range(min(len(self._to_serve), QUICK_PER_TURN)):
            self._serve_quick()
        self._on_end()

    @property
    def is_in_loop(self) -> bool:
        """Tell whether this is the thread of the loop."""
        return threading.get_ident() == self._loop_thread

    def add_task(self, channel: BoundedChannel) -> None:
        """Have the next request of a connection served. Any thread may call it."""
        request = channel.requests[0]
        request.whose = self._is_quick.whose(request)
        if self.is_in_loop and self._is_quick(request):
            self._to_serve.append(channel)
        else:
            self.task_dispatcher.add_task(channel)

    def was_readied(self, channel: BoundedChannel) -> None:
        """Have a parked request of a connection go on. Any thread may call it."""
        self._readied.append(channel)
        if threading.get_ident() not in self._gathering:
            self.wake()

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Have all requests that this thread readies in a block go on at its end, in one turn of the loop."""
        thread = threading.get_ident()
        self._gathering.add(thread)
        try:
            yield
        finally:
            self._gathering.discard(thread)
            if self._readied:
                self.wake()

    def pull_trigger(self) -> None:
        """Have the loop look at the connection that this thread serves, or at all of them. waitress names it so."""
        if self.is_in_loop:
            return  # which looks at whatever it served
        channel = self._serving.get(threading.get_ident())
        if channel is None:
            self._all_changed = True
        else:
            self._served.append(channel)
        self.wake()

    def begin_service(self, channel: BoundedChannel) -> None:
        """Note that this thread serves a connection, and whose."""
        self._serving[threading.get_ident()] = channel
        channel.org = channel.requests[0].whose.org
        if channel.org:
            now_s = time.monotonic()
            if channel.org != self._org:
                if now_s - self._called_at_s < SHARED_S:
                    self._shared_until_s = now_s + SHARED_S
                self._org = channel.org
            self._called_at_s = now_s

    def end_service(self, channel: BoundedChannel) -> None:
        """Note that this thread has served it, and that it was of use just now."""
        self._serving.pop(threading.get_ident(), None)
        try:
            self._by_use.move_to_end(channel)
        except KeyError:  # it was closed
            return

    def handle_accept(self) -> None:
        """Take in those who knock."""
        for _ in range(ACCEPTS_PER_TURN):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                return

    def handle_error(self) -> None:
        """Log a fault in taking somebody in: waitress would close the socket on which all knock."""
        self.logger.exception("a bug in taking in a connection")

    def was_opened(self, channel: BoundedChannel) -> None:
        """Take note of a new connection, and have another one make room for it."""
        if len(self._by_use) >= self.limits.connections_max:
            idle = next((known for known in list(self._by_use) if known.is_idle() and not known.will_close), None)
            if idle is not None:
                idle.will_close = True
                self._look_at(idle)
                self._by_use.pop(idle, None)
        self._by_use[channel] = None

    def was_closed(self, channel: BoundedChannel) -> None:
        """Forget a connection."""
        self._by_use.pop(channel, None)

    def maintenance(self, now: float) -> None:
        """Close the connections whose callers kept us waiting: at once, since one who reads nothing is never ready."""
        now_s = time.monotonic()
        for channel in [known for known in self.active_channels.values() if known.is_overdue(now_s)]:
            channel.handle_close()

    def _look_at_what_others_left(self) -> None:
        if self._all_changed:
            self._all_changed = False
            self._watched.look_at_all()
        while self._served:
            self._look_at(self._served.popleft())
        while self._readied:
            self._to_tell.append(self._readied.popleft())

    def _tell(self, of_each_org: int | None) -> None:
        """Answer those whose turn it is; all, if nobody else calls."""
        told, self._to_tell = self._to_tell, []
        if of_each_org is not None:
            told, self._to_tell = in_turns(told, attrgetter("org"), of_each_org)
        for channel in told:
            self._look_between()
            self._go_on(channel)

    def _look_between(self) -> None:
        """Take in what the broker says after every few callers: a worker may wait for its next message."""
        self._dealt_with += 1
        if self._dealt_with >= DEALT_WITH_MAX:
            self._dealt_with = 0
            try:
                self.between()
            except Exception:  # those who are to be dealt with next have no part in it
                self.logger.exception("a bug in what is done between callers")

    def _serve_quick(self) -> None:
        """Serve the next quick request, if there is one."""
        self._look_between()
        if self._to_serve:
            began_s = time.monotonic()
            self._serve(self._to_serve.popleft())
            self._is_quick.took(time.monotonic() - began_s)

    def _serve(self, channel: BoundedChannel) -> None:
        try:
            channel.service()
        except Exception:
            self.logger.exception("a bug in serving a request")
        self._look_at(channel)

    def _go_on(self, channel: BoundedChannel) -> None:
        """Answer a parked request if its answer is known, else have it served again."""
        if not channel.requests:
            return  # it was given up
        request = channel.requests[0]
        try:
            request.told = request.parked.told()
        except Exception:
            self.logger.exception("a bug in answering a request")
        if request.told is None:
            self.task_dispatcher.add_task(channel)
        else:
            self._serve(channel)

    def _look_at(self, channel: BoundedChannel) -> None:
        descriptor = channel._fileno
        if descriptor is not None:
            self._watched.look_at(descriptor)

    def wake(self) -> None:
        """Have the loop take its next turn now, if it waits. Any thread may call it."""
        if not self._is_awake and not self.is_in_loop:
            self._is_awake = True
            self.trigger.pull_trigger()


def server_on(
    socket_: socket.socket,
    app: Any,
    *,
    limits: Limits,
    threads: int,
    quick: Tells,
    on_end: Callable[[], None],
    **options: Any,
) -> BoundedServer:
    """Return a server for a WSGI app on a socket that listens. The other options are waitress's."""
    adjustments = Adjustments(sockets=[socket_], threads=threads, **options)
    pool = ThreadedTaskDispatcher()
    pool.queue = Turns()
    pool.set_thread_count(threads)
    return BoundedServer(
        app,
        _start=True,
        _sock=socket_,
        dispatcher=pool,
        adj=adjustments,
        sockinfo=(socket_.family, socket_.type, socket_.proto, socket_.getsockname()),
        bind_socket=False,
        limits=limits,
        quick=quick,
        on_end=on_end,
    )
