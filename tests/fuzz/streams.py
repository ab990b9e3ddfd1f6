"""What comes on a connection: where each request ends, in whatever pieces it comes, and whoever else reads it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import h11
from waitress.adjustments import Adjustments

from intake.connections import BoundedParser, Limits
from intake.serving import HEADER_BYTES_MAX, waitress_options
from tests.fuzz.bounds import bounded, expand

BYTES_MAX = 2 * HEADER_BYTES_MAX
PIECE_BYTES_MAX = 40
PIECES_MAX = 500
REQUESTS_MAX = 50
_ADJUSTMENTS = Adjustments(**waitress_options(1, Limits(connections_max=1, idle_s=1, request_s=1)))


class Read(NamedTuple):
    """A request as it was read: how it was refused, or nothing of that kind."""

    command: str
    line: tuple[object, ...]
    headers: dict[str, str]
    repeated: frozenset[str]
    body: bytes
    refused: int | None


class ByWaitress(BoundedParser):
    """A parser that leaves all headers to waitress."""

    read_plain = staticmethod(lambda block: None)


def streams(data: bytes) -> None:
    """Read what comes on a connection: the first byte says how long its pieces are, the rest is what comes."""
    stream = expand(data[1:])[:BYTES_MAX]
    with bounded(stream):
        whole = _read(stream, BYTES_MAX)
    assert _read(stream, BYTES_MAX, ByWaitress) == whole, (stream, "plain headers are what waitress makes of them")
    size = max(1 + data[0] % PIECE_BYTES_MAX if data else 1, len(stream) // PIECES_MAX)
    assert _read(stream, size) == whole, (stream, size)
    for ours, other in zip(whole, _read_by_another(stream), strict=False):
        if ours.refused is not None:
            return
        assert (ours.command, ours.body) == other, stream


def _read(stream: bytes, size: int, parser: type[BoundedParser] = BoundedParser) -> list[Read]:
    """Read requests until one is refused, as waitress's connections do."""
    found: list[Read] = []
    request: Any = None
    for start in range(0, len(stream), size):
        piece = stream[start : start + size]
        while piece:
            if request is None:
                request = parser(_ADJUSTMENTS)
            taken = request.received(piece)
            assert taken > 0 or request.completed, "it goes on"
            if request.completed:
                if not request.empty:
                    found.append(_as_read(request))
                    if found[-1].refused is not None or len(found) == REQUESTS_MAX:
                        return found
                request = None
            piece = piece[taken:]
    return found


def _as_read(request: Any) -> Read:
    if request.error is not None:
        return Read("", (), {}, frozenset(), b"", request.error.code)
    body = request.get_body_stream().read()
    line = request.path, request.query, request.version, request.connection_close, request.expect_continue
    return Read(request.command, line, dict(request.headers), request.repeated, body, 413 if request.is_cut else None)


def _read_by_another(stream: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the command and the body of each request as h11 reads them, until it refuses one or is told to close.

    One that it has not wholly read is yielded too, with what there is of its body.
    """
    other = h11.Connection(h11.SERVER, max_incomplete_event_size=BYTES_MAX)
    other.receive_data(stream)
    command, body = "", b""
    try:
        while True:
            event = other.next_event()
            if isinstance(event, h11.Request):
                command, body = event.method.decode(), b""
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                yield command, body
                other.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                other.send(h11.EndOfMessage())
                if other.our_state is not h11.DONE or other.their_state is not h11.DONE:
                    return
                other.start_next_cycle()
                command = ""
            else:
                if command:
                    yield command, body + b" and it waits for more"
                return
    except h11.ProtocolError:
        return
