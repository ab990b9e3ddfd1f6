"""The ceiling: a bare Falcon app that parses a body and answers, under intake's own waitress settings."""

import logging
import os
import sys
from typing import Any

import falcon
import orjson

from intake.serving import Server, listening


class Echo:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = "application/json"
        resp.data = orjson.dumps(orjson.loads(req.bounded_stream.read()))

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = "application/json"
        resp.data = b'{"account_id":1,"currency":"USD","total":50000,"held":2500,"available":47500}'


def main() -> None:
    app: Any = falcon.App()
    app.add_route("/echo", Echo())
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # as intake does: a line for each request costs most
    Server(app, listening("127.0.0.1", int(sys.argv[1])), threads=int(os.environ.get("LEDGER_THREADS", "16"))).run()


if __name__ == "__main__":
    main()
