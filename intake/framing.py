"""Requests whose end two servers could see in two places are refused, and headers that came twice are told.

waitress joins headers of one name with a comma, as RFC 9110 (section 5.3) lets it; but a proxy in front may have looked
at only one of them. What is refused here never reaches the app (see `intake.unread`), and its connection is closed.
"""

import re
from io import BytesIO
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import FixedStreamReceiver

REPEATED = "ledger.repeated"  # in the environ: the names, in small letters, of the headers that came more than once

# Headers as nearly all are, to the empty line that ends them: of visible characters, spaces and tabs, not folded, and
# without an underscore in a name, which waitress drops. RFC 9110 allows more, which is left to waitress.
_PLAIN = re.compile(rb"(?:[!#$%&'*+.^`|~0-9A-Za-z-]+:[\t -~]*\r\n)*\r\n")


def plain_headers(block: bytes) -> dict[str, str] | None:
    """Return what waitress makes of headers that there is nothing to say about, in a quarter of its time; else None.

    None where a header is not plain, comes twice, or is `Transfer-Encoding`.
    """
    if _PLAIN.fullmatch(block) is None:
        return None
    lines = block[:-4].decode("ascii").split("\r\n") if len(block) > len(b"\r\n") else []
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.upper().replace("-", "_")] = value.strip(" \t")
    return None if len(headers) != len(lines) or "TRANSFER_ENCODING" in headers else headers


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
    """waitress's parser, strict where RFC 9112 (section 6) leaves a choice."""

    repeated: frozenset[str] = frozenset()
    body_rcv: Any = None
    read_plain = staticmethod(plain_headers)

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the request line and the headers.

        Raises:
            ParsingError: they are malformed; the body's length is said twice, or in a way that HTTP/1.0 does not know.
        """
        first_line, _, block = header_plus.partition(b"\r\n")
        # A request line that is none is told before the headers are looked at.
        plain = None if b"\n" in first_line or b"\r" in first_line else self.read_plain(block)
        if plain is not None:
            self.headers = plain
            self._parse(first_line + b"\r\n")
            return
        self._parse(header_plus)
        if b"\r\n " in header_plus or b"\r\n\t" in header_plus:
            raise ParsingError("Folded header")
        encoded = b"\r\ntransfer-encoding" in header_plus.lower()
        if encoded or header_plus.rstrip(b"\r\n").count(b"\r\n") != len(self.headers):  # else each came once
            self._look_closely(header_plus)

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
