"""Log lines: one form for every process, on standard error, each with the request that set it off.

What callers and services sent may stand in a line, such as a request's id or a message that makes no sense; it can't
begin a line of its own, nor fill the disk.
"""

import logging
import sys
import time
from typing import Any

LINE_CHARS_MAX = 4_000
TRACEBACK_LINES_MAX = 200  # the last ones: where it happened, and what
FORMAT = "%(asctime)s %(levelname)s %(name)s request_id=%(request_id)s %(message)s"


class _RequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "request_id"):
            record.request_id = "-"
        return True


class OneLine(logging.Formatter):
    """Writes a record on one line, whatever is in it; only the traceback of a bug has lines of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name that logging gave it
        """Write all but the traceback."""
        return _bounded(printable(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802  # likewise
        """Write the traceback, indented: what an exception quotes can't look like a line of its own either."""
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"    {_bounded(printable(line))}" for line in lines[-TRACEBACK_LINES_MAX:])


def start(level: str) -> None:
    """Send this process's log to standard error; other libraries speak up from warnings on."""
    formatter = OneLine(FORMAT, datefmt="%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(_RequestId())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("ledger").setLevel(level.upper())


def printable(text: str) -> str:
    """Write text that somebody else chose so that it moves no cursor and ends no line."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def _bounded(line: str) -> str:
    left_out = len(line) - LINE_CHARS_MAX
    return line if left_out <= 0 else f"{line[:LINE_CHARS_MAX]}... and {left_out} characters more"


def about(request_id: str) -> dict[str, str]:
    """Return what to pass as `extra` so that a line carries the id of its request."""
    return {"request_id": request_id}
