"""The ceiling of HTTP: a bare Falcon app that parses a body and answers it, as `python -m bench.rivals.echo stock`.

`stock` is waitress as it comes, with intake's settings; `intake` is the same app served by intake's own server.
"""

import logging
import sys
from typing import Any

import falcon
import orjson
from waitress.server import create_server

from intake.connections import Limits
from intake.serving import Server, listening, waitress_options
from intake.settings import settings
from intake.turns import NOBODY, Whose

BALANCE = (
    b'{"account_id":1,"currency":"USD","total":50000,"held":2500,"available":47500,'
    b'"debits":50000,"credits":0,"version":1,"as_of":"2026-03-18T05:30:00Z"}'
)


class Echo:
    """Answers a body with itself, and without one with as much as a balance is."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = "application/json"
        resp.data = orjson.dumps(orjson.loads(req.bounded_stream.read()))

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = "application/json"
        resp.data = BALANCE


class AllQuick:
    """Has intake's server serve every request where it is read."""

    def __call__(self, request: object) -> bool:
        return True

    def whose(self, request: object) -> Whose:
        return NOBODY

    def took(self, seconds: float) -> None:
        pass


def main(served_by: str) -> None:
    """Serve on a free port, and print where."""
    app: Any = falcon.App()
    app.add_route("/echo", Echo())
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # as intake does: a line for each request costs most
    chosen = settings({})
    limits = Limits(chosen.connections_max, chosen.idle_s, chosen.request_s)
    socket_ = listening("127.0.0.1", 0)
    if served_by == "intake":
        server: Any = Server(app, socket_, threads=chosen.threads, limits=limits, quick=AllQuick())
    else:
        server = create_server(app, sockets=[socket_], **waitress_options(chosen.threads, limits))
    print(f"http://127.0.0.1:{socket_.getsockname()[1]}", flush=True)
    server.run()


if __name__ == "__main__":
    main(sys.argv[1])
