"""A bank that pays out once for each reference, as a server in this process: it can refuse, and it can be slow."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Bank:
    """What it paid, by reference; which amounts it refuses; and a door that it stops behind when it is closed."""

    def __init__(self) -> None:
        self.paid: dict[str, int] = {}
        self.calls: list[str] = []
        self.refused_amount = 0
        self.open = threading.Event()
        self.open.set()
        self.url = ""

    def pay(self, reference: str, amount: int) -> int:
        """Pay, and return the HTTP status that says so."""
        if amount == self.refused_amount:
            return 422
        self.paid.setdefault(reference, amount)
        self.calls.append(reference)
        self.open.wait(60)
        return 200


@contextmanager
def running() -> Iterator[Bank]:
    """Run a bank for the length of a block."""
    bank = Bank()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(bank.pay(self.path.rpartition("/")[2], body["amount"]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    bank.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield bank
    finally:
        bank.open.set()
        server.shutdown()
        thread.join()
        server.server_close()
