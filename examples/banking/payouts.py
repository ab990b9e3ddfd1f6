"""The bank that pays out: another service, which may refuse, and which pays once for each reference."""

import httpx

TIMEOUT_S = 10.0


class PayoutRefused(Exception):
    """The bank will not pay, now or later, for this reference."""


class PayoutUnknown(Exception):
    """No answer, or none that settles it: the bank may have paid."""


class Payouts:
    """Orders payouts with PUT {url}/payouts/{reference}: 2xx is paid, 4xx is refused. Without a URL all are paid."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._http = httpx.Client(timeout=TIMEOUT_S)

    def pay(self, reference: str, amount: int) -> None:
        """Have an amount paid out, once for each reference.

        Raises:
            PayoutRefused: the bank said no.
            PayoutUnknown: anything else.
        """
        if self._url is None:
            return
        try:
            answer = self._http.put(f"{self._url}/payouts/{reference}", json={"amount": amount})
        except httpx.TransportError as error:
            raise PayoutUnknown(reference) from error
        if answer.is_client_error:
            raise PayoutRefused(reference)
        if not answer.is_success:
            raise PayoutUnknown(reference)
