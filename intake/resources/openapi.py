"""The description of the HTTP interface, and a page that shows it; without a key, and without asking anybody else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import falcon
import orjson

from intake import parse, problems, render

STATIC = Path(__file__).parent.parent / "static"
ASSETS = {
    "docs.css": (STATIC / "docs.css", "text/css; charset=utf-8"),
    "docs.js": (STATIC / "docs.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": (STATIC / "swagger-ui" / "swagger-ui.css", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": (STATIC / "swagger-ui" / "swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ASSET_AGE_S_MAX = 3_600


class Document:
    """/openapi.json"""

    PUBLIC = True

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._data = orjson.dumps(document)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Return the description of this interface."""
        parse.query(req, {})
        resp.content_type = render.JSON
        resp.data = self._data


class Docs:
    """/docs"""

    PUBLIC = True

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Return the page."""
        parse.query(req, {})
        resp.content_type = "text/html; charset=utf-8"
        resp.set_header("Content-Security-Policy", POLICY)
        resp.set_header("Referrer-Policy", "no-referrer")
        resp.data = (STATIC / "docs.html").read_bytes()


class DocsAsset:
    """/docs/{asset}"""

    PUBLIC = True

    def on_get(self, req: falcon.Request, resp: falcon.Response, asset: str) -> None:
        """Return what the page is made of."""
        if asset not in ASSETS:
            raise problems.not_found()
        parse.query(req, {})
        path, resp.content_type = ASSETS[asset]
        resp.set_header("Cache-Control", f"public, max-age={ASSET_AGE_S_MAX}")
        resp.data = path.read_bytes()
