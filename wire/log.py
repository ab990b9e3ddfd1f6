"""Log lines: one form for every process, on standard error, each with the request that set it off."""

import logging
import sys
import time

FORMAT = "%(asctime)s %(levelname)s %(name)s request_id=%(request_id)s %(message)s"


class _RequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "request_id"):
            record.request_id = "-"
        return True


def start(level: str) -> None:
    """Send this process's log to standard error; other libraries speak up from warnings on."""
    formatter = logging.Formatter(FORMAT, datefmt="%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(_RequestId())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("ledger").setLevel(level.upper())


def about(request_id: str) -> dict[str, str]:
    """Return what to pass as `extra` so that a line carries the id of its request."""
    return {"request_id": request_id}
