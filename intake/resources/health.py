"""Health and metrics: for load balancers and operators, without a key."""

import falcon

from intake import metrics, parse, render
from intake.health import NEEDED
from intake.health import Health as Checks


class Health:
    """/health"""

    PUBLIC = True

    def __init__(self, checks: Checks) -> None:
        self._checks = checks

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Tell whether writes and reads work."""
        parse.query(req, {})
        checks = self._checks.run()
        well = all(checks[name] == "ok" for name in NEEDED)
        render.resource(resp, {"status": "ok" if well else "unavailable", "checks": checks})
        if not well:
            resp.status = falcon.HTTP_503
            resp.set_header("Retry-After", render.RETRY_AFTER_S)


class Metrics:
    """/metrics"""

    PUBLIC = True

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Return what intake counts."""
        parse.query(req, {})
        resp.content_type = "text/plain; version=0.0.4; charset=utf-8"
        resp.data = metrics.page()
