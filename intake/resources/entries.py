"""Entries: post, read, list and reverse them."""

import falcon

from intake import parse, render
from intake.readers import Readers
from intake.resources.lists import read_query, render_page
from intake.resources.writing import write, write_bulk
from intake.writes import Writes
from ledger_core import limits, reads
from ledger_core.commands import Kind
from ledger_core.instants import parse_instant
from ledger_core.reads import EntryFilter
from wire.resources import entry_json, listed_entry_json

FILTERS = {
    "account_id": parse.whole(1, limits.ID_MAX),
    "hold_id": parse.whole(1, limits.ID_MAX),
    "idempotency_key": parse.text(limits.IDEMPOTENCY_KEY_CHARS_MAX),
    "posted_from": parse_instant,
    "posted_before": parse_instant,
}


class Entries:
    """/v1/entries"""

    def __init__(self, writes: Writes, readers: Readers) -> None:
        self._writes = writes
        self._readers = readers

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Post an entry."""
        write(self._writes, req, resp, Kind.ENTRY)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List entries."""
        query = read_query(req, FILTERS)
        with self._readers.book(req.context.caller.org) as book:
            found = reads.entries(book, EntryFilter(**query.filters), query.span)
        render_page(resp, query, found, listed_entry_json)


class EntriesBulk:
    """/v1/entries/bulk"""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Post many entries."""
        write_bulk(self._writes, req, resp)


class Entry:
    """/v1/entries/{entry_id}"""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def on_get(self, req: falcon.Request, resp: falcon.Response, entry_id: str) -> None:
        """Read an entry."""
        parse.query(req, {})
        number = parse.thing_id("entry", entry_id)
        with self._readers.book(req.context.caller.org) as book:
            found = reads.entry(book, number)
        render.resource(resp, entry_json(found))


class EntryReverse:
    """/v1/entries/{entry_id}/reverse"""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def on_post(self, req: falcon.Request, resp: falcon.Response, entry_id: str) -> None:
        """Reverse an entry."""
        write(self._writes, req, resp, Kind.REVERSAL, "entry", entry_id)
