"""The HTTP side of FF Banking: routes, request bodies, and which status tells what."""

import re
from typing import Any

import falcon
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from examples.banking.payouts import PayoutRefused, PayoutUnknown
from examples.banking.wallets import NoSuchWallet, Wallets
from ledger_client import LedgerUnreachable, OperationPending
from ledger_client.problems import IdempotencyKeyReused, InsufficientFunds, TryAgainLater

# Neither has a colon, so that no two pairs of a wallet and a key make the same key in the ledger.
NAME = re.compile(r"[a-z0-9-]{1,40}")
KEY = re.compile(r"[A-Za-z0-9._-]{1,100}")


class AmountBody(BaseModel):
    """What a deposit and a withdrawal say. Whether the amount is one is for the ledger to judge."""

    model_config = ConfigDict(extra="forbid", strict=True)
    amount: int = Field(ge=1, le=10**12)


class TransferBody(AmountBody):
    """What a transfer says."""

    sender: str = Field(alias="from")
    receiver: str = Field(alias="to")


class WalletResource:
    """/wallets/{name}"""

    def __init__(self, wallets: Wallets) -> None:
        self._wallets = wallets

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Open a wallet; one that is open already stays as it is."""
        if not NAME.fullmatch(name):
            raise falcon.HTTPBadRequest(description="A wallet's name is 1 to 40 of a-z, 0-9 and -.")
        self._wallets.open(name)
        self.on_get(req, resp, name)

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Read what a wallet has."""
        found = self._wallets.balance(name)
        resp.media = {"wallet": name, "total": found.total, "held": found.held, "available": found.available}


class Movements:
    """/wallets/{name}/deposits, /wallets/{name}/withdrawals, /transfers. Each needs the header Idempotency-Key."""

    def __init__(self, wallets: Wallets) -> None:
        self._wallets = wallets

    def on_post_deposit(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Book a deposit."""
        body = _body(req, AmountBody)
        _created(resp, self._wallets.deposit(name, body.amount, _key(req))._asdict())

    def on_post_withdrawal(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Pay money out."""
        body = _body(req, AmountBody)
        _created(resp, self._wallets.withdraw(name, body.amount, _key(req))._asdict())

    def on_post_transfer(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Move money between wallets."""
        body = _body(req, TransferBody)
        _created(resp, self._wallets.transfer(body.sender, body.receiver, body.amount, _key(req))._asdict())


def make_app(wallets: Wallets) -> "falcon.App[Any, Any]":
    """Return the WSGI app."""
    app = falcon.App()
    movements = Movements(wallets)
    app.add_route("/wallets/{name}", WalletResource(wallets))
    app.add_route("/wallets/{name}/deposits", movements, suffix="deposit")
    app.add_route("/wallets/{name}/withdrawals", movements, suffix="withdrawal")
    app.add_route("/transfers", movements, suffix="transfer")
    for kind, status, error in ERRORS:
        app.add_error_handler(kind, _teller(status, error))
    return app


# Any other problem of the ledger's is a mistake of ours, and is a 500. After a 503 the caller sends the same again.
ERRORS: list[tuple[type[Exception], str, str]] = [
    (NoSuchWallet, falcon.HTTP_404, "no_such_wallet"),
    (PayoutRefused, falcon.HTTP_422, "refused_by_the_bank"),
    (PayoutUnknown, falcon.HTTP_503, "try_again_with_the_same_key"),
    (LedgerUnreachable, falcon.HTTP_503, "try_again_with_the_same_key"),
    (OperationPending, falcon.HTTP_503, "try_again_with_the_same_key"),
    (TryAgainLater, falcon.HTTP_503, "try_again_with_the_same_key"),
    (InsufficientFunds, falcon.HTTP_422, "insufficient_funds"),
    (IdempotencyKeyReused, falcon.HTTP_422, "idempotency_key_reused"),
]


def _teller(status: str, error: str) -> Any:
    def tell(req: falcon.Request, resp: falcon.Response, found: Exception, params: object) -> None:
        resp.status = status
        resp.media = {"error": error}
        if status == falcon.HTTP_503:
            resp.set_header("Retry-After", "1")
        if isinstance(found, InsufficientFunds):
            resp.media["available"] = found.available

    return tell


def _body(req: falcon.Request, shape: Any) -> Any:
    try:
        return shape.model_validate_json(req.bounded_stream.read())
    except ValidationError as error:
        raise falcon.HTTPBadRequest(description=str(error.errors(include_url=False, include_input=False))) from None


def _key(req: falcon.Request) -> str:
    key = req.get_header("Idempotency-Key") or ""
    if not KEY.fullmatch(key):
        raise falcon.HTTPBadRequest(description="Send Idempotency-Key: 1 to 100 of A-Z, a-z, 0-9, dot, _ and -.")
    return key


def _created(resp: falcon.Response, body: dict[str, int]) -> None:
    resp.status = falcon.HTTP_201
    resp.media = body
