"""The answer to what never reaches the app: what the HTTP server can't read is told as a problem, as all else is."""

import logging
from typing import Any

import orjson
from waitress.task import ErrorTask

from intake import problems
from intake.gate import ALWAYS, request_id_of
from intake.render import PROBLEM_JSON
from wire.log import about
from wire.problems import Problem, document

logger = logging.getLogger("ledger.intake")


class UnreadTask(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """An answer in the place of waitress's own, which is text without an id. The connection is closed after it."""

    def execute(self) -> None:
        """Write the answer."""
        self.channel.cut()
        request_id = request_id_of(self.request.headers.get("X_REQUEST_ID"))
        problem = self._problem()
        if problem.status == 500:
            logger.error("the bug above was met", extra=about(request_id))
        body = orjson.dumps(document(problem, instance=_path(self.request), request_id=request_id))
        self.status = f"{problem.status} {self.request.error.reason}"
        self.response_headers += [("Content-Type", PROBLEM_JSON), ("X-Request-Id", request_id), *ALWAYS]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)

    def _problem(self) -> Problem:
        error = self.request.error
        if error.code == 431:
            return problems.headers_too_large(self.channel.adj.max_request_header_size).problem
        if error.code == 501:
            return problems.unsupported_transfer_encoding().problem
        if error.code == 500:
            return problems.internal_error().problem
        return problems.malformed_request(error.body).problem


def _path(request: Any) -> str:
    """Return the path as Falcon reads it, if it was read; of headers that are too large waitress reads another one."""
    path: str = getattr(request, "path", "") if request.headers_finished else ""
    return path.encode("latin-1").decode(errors="replace")
