"""Holds: place, read, list, capture and release them."""

import falcon

from intake import parse, render
from intake.readers import Readers
from intake.resources.lists import one_of, read_query, render_page
from intake.resources.writing import write
from intake.writes import Writes
from ledger_core import limits, reads
from ledger_core.commands import Kind
from ledger_core.instants import now_us
from ledger_core.model import HoldStatus
from ledger_core.reads import HoldFilter
from wire.resources import hold_json

FILTERS = {
    "account_id": parse.whole(1, limits.ID_MAX),
    "status": one_of(HoldStatus),
}


class Holds:
    """/v1/holds"""

    def __init__(self, writes: Writes, readers: Readers) -> None:
        self._writes = writes
        self._readers = readers

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Place a hold."""
        write(self._writes, req, resp, Kind.HOLD)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List holds."""
        query = read_query(req, FILTERS)
        with self._readers.book(req.context.caller.org) as book:
            found = reads.holds(book, HoldFilter(**query.filters), query.span, now_us())
        render_page(resp, query, found, hold_json)


class Hold:
    """/v1/holds/{hold_id}"""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def on_get(self, req: falcon.Request, resp: falcon.Response, hold_id: str) -> None:
        """Read a hold."""
        parse.query(req, {})
        number = parse.thing_id("hold", hold_id)
        with self._readers.book(req.context.caller.org) as book:
            found = reads.hold(book, number, now_us())
        render.resource(resp, hold_json(found))


class HoldCapture:
    """/v1/holds/{hold_id}/capture"""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def on_post(self, req: falcon.Request, resp: falcon.Response, hold_id: str) -> None:
        """Capture a hold."""
        write(self._writes, req, resp, Kind.CAPTURE, "hold", hold_id)


class HoldRelease:
    """/v1/holds/{hold_id}/release"""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def on_post(self, req: falcon.Request, resp: falcon.Response, hold_id: str) -> None:
        """Release a hold."""
        write(self._writes, req, resp, Kind.RELEASE, "hold", hold_id)
