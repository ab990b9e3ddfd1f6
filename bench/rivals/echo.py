"""The ceiling of HTTP: a bare Falcon app that parses a body and answers it, as `python -m bench.rivals.echo stock`.

`stock` is waitress as it comes, with intake's settings; `intake` is the same app served by intake's own server.
"""

import logging
import sys
from collections.abc import Mapping
from typing import Any

import falcon
import orjson
from waitress.server import create_server

from intake.connections import LOOK_EVERY_S, Limits
from intake.serving import HEADER_BYTES_MAX, Server, listening
from intake.settings import settings
from ledger_core.limits import BODY_BYTES_MAX

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


def waitress_options(threads: int, limits: Limits) -> Mapping[str, Any]:
    """Return what intake tells waitress. A test compares the two."""
    return {
        "threads": threads,
        "connection_limit": 2 * limits.connections_max,
        "asyncore_use_poll": True,
        "cleanup_interval": LOOK_EVERY_S,
        "channel_request_lookahead": 1,
        "max_request_header_size": HEADER_BYTES_MAX,
        "max_request_body_size": BODY_BYTES_MAX + 1,
        "inbuf_overflow": BODY_BYTES_MAX + 1,
        "ident": "ff-ledger",
        "clear_untrusted_proxy_headers": True,
    }


def main(served_by: str) -> None:
    """Serve on a free port, and print where."""
    app: Any = falcon.App()
    app.add_route("/echo", Echo())
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # as intake does: a line for each request costs most
    chosen = settings({})
    limits = Limits(chosen.connections_max, chosen.idle_s, chosen.request_s)
    socket_ = listening("127.0.0.1", 0)
    if served_by == "intake":
        server: Any = Server(app, socket_, threads=chosen.threads, limits=limits)
    else:
        server = create_server(app, sockets=[socket_], **waitress_options(chosen.threads, limits))
    print(f"http://127.0.0.1:{socket_.getsockname()[1]}", flush=True)
    server.run()


if __name__ == "__main__":
    main(sys.argv[1])
