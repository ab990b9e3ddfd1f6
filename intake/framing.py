"""Requests whose end two servers could see in two places are refused, and headers that came twice are told.

waitress joins headers of one name with a comma, as RFC 9110 (section 5.3) lets it; but a proxy in front may have looked
at only one of them. What is refused here never reaches the app (see `intake.unread`), and its connection is closed.
"""

from io import BytesIO
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import FixedStreamReceiver

REPEATED = "ledger.repeated"  # in the environ: the names, in small letters, of the headers that came more than once
KNOWN_BYTES_MAX, KNOWN_MAX = 2_048, 32  # of headers that are remembered for each connection, in bytes and in number


class LastHeaders:
    """The last plain headers of a connection, as they came and as they were read: most callers send them again."""

    __slots__ = ("block", "read")

    def __init__(self) -> None:
        self.block = b""
        self.read: dict[str, str] = {}


class Body:
    """A body of a length that is known, as waitress takes one in: most come in one piece, which is not copied."""

    error = None
    completed = False

    def __init__(self, length: int) -> None:
        self._left = length
        self._content: bytes | bytearray = b""

    def received(self, data: bytes) -> int:
        """Take in what came, and tell how much of it belongs to this body."""
        piece = data[: self._left]
        self._left -= len(piece)
        self.completed = not self._left
        if isinstance(self._content, bytearray):
            self._content += piece
        else:
            self._content = piece if self.completed else bytearray(piece)
        if self.completed:
            self._content = bytes(self._content)  # which what reads it shares
        return len(piece)

    def getfile(self) -> BytesIO:
        """Return what reads it."""
        return BytesIO(self._content)

    def getbuf(self) -> "Body":
        """Return what is closed when nobody needs it any more."""
        return self

    def close(self) -> None:
        """Let go of it."""
        self._content = b""


class StrictParser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """waitress's parser, strict where RFC 9112 (section 6) leaves a choice. `last`: what its connection sent before."""

    repeated: frozenset[str] = frozenset()
    body_rcv: Any = None

    def __init__(self, adjustments: Any, last: LastHeaders | None = None) -> None:
        super().__init__(adjustments)
        self._last = last

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the request line and the headers.

        Raises:
            ParsingError: they are malformed; the body's length is said twice, or in a way that HTTP/1.0 does not know.
        """
        first_line, _, block = header_plus.partition(b"\r\n")
        last = self._last
        # There was nothing to say against them; a request line that is none is told before they are looked at.
        if last is not None and block and block == last.block and b"\n" not in first_line and b"\r" not in first_line:
            self.headers = last.read.copy()
            self._parse(first_line + b"\r\n")
            return
        self._parse(header_plus)
        if b"\r\n " in header_plus or b"\r\n\t" in header_plus:
            raise ParsingError("Folded header")
        encoded = b"\r\ntransfer-encoding" in header_plus.lower()
        if encoded or header_plus.rstrip(b"\r\n").count(b"\r\n") != len(self.headers):  # else each came once
            self._look_closely(header_plus)
        elif last is not None and len(block) <= KNOWN_BYTES_MAX and len(self.headers) <= KNOWN_MAX:
            last.block, last.read = block, self.headers.copy()

    def _parse(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ParsingError as error:
            # waitress quotes the line, which may be a key, in what it answers
            raise ParsingError(error.args[0].partition('"')[0].strip()) from None
        except ValueError:  # of int() and urlsplit(), which waitress lets through: it would drop the connection
            raise ParsingError("A number or the address is malformed") from None
        if self.version not in ("1.0", "1.1"):
            raise ParsingError("Another version of HTTP than 1.0 and 1.1")
        if isinstance(self.body_rcv, FixedStreamReceiver):
            self.body_rcv = Body(self.content_length)

    def _look_closely(self, header_plus: bytes) -> None:
        names = [line.partition(b":")[0].lower() for line in header_plus.split(b"\r\n")[1:] if line]
        if b"transfer-encoding" in names and (b"content-length" in names or self.version != "1.1"):
            raise ParsingError("Transfer-Encoding beside Content-Length, or before version 1.1")
        self.repeated = frozenset(name.decode("latin-1") for name in names if names.count(name) > 1)
        if self.repeated & {"content-length", "transfer-encoding", "host"}:
            raise ParsingError("A header that must come once came twice")
