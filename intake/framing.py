"""Requests whose end two servers could see in two places are refused, and headers that came twice are told.

waitress joins headers of one name with a comma, as RFC 9110 (section 5.3) lets it; but a proxy in front may have looked
at only one of them. What is refused here never reaches the app (see `intake.unread`), and its connection is closed.
"""

from waitress.parser import HTTPRequestParser, ParsingError

REPEATED = "ledger.repeated"  # in the environ: the names, in small letters, of the headers that came more than once


class StrictParser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """waitress's parser, strict where RFC 9112 (section 6) leaves a choice."""

    repeated: frozenset[str] = frozenset()

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the request line and the headers.

        Raises:
            ParsingError: they are malformed; the body's length is said twice, or in a way that HTTP/1.0 does not know.
        """
        try:
            super().parse_header(header_plus)
        except ParsingError as error:
            # waitress quotes the line, which may be a key, in what it answers
            raise ParsingError(error.args[0].partition('"')[0].strip()) from None
        except ValueError:  # of int() and urlsplit(), which waitress lets through: it would drop the connection
            raise ParsingError("A number or the address is malformed") from None
        if self.version not in ("1.0", "1.1"):
            raise ParsingError("Another version of HTTP than 1.0 and 1.1")
        if b"\r\n " in header_plus or b"\r\n\t" in header_plus:
            raise ParsingError("Folded header")
        encoded = b"\r\ntransfer-encoding" in header_plus.lower()
        if encoded or header_plus.rstrip(b"\r\n").count(b"\r\n") != len(self.headers):  # else each came once
            self._look_closely(header_plus)

    def _look_closely(self, header_plus: bytes) -> None:
        names = [line.partition(b":")[0].lower() for line in header_plus.split(b"\r\n")[1:] if line]
        if b"transfer-encoding" in names and (b"content-length" in names or self.version != "1.1"):
            raise ParsingError("Transfer-Encoding beside Content-Length, or before version 1.1")
        self.repeated = frozenset(name.decode("latin-1") for name in names if names.count(name) > 1)
        if self.repeated & {"content-length", "transfer-encoding", "host"}:
            raise ParsingError("A header that must come once came twice")
