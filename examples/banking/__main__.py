"""FF Banking as a process: python -m examples.banking. Its settings are environment variables, see the README."""

import os
import sys

from waitress import create_server

from examples.banking.app import make_app
from examples.banking.payouts import Payouts
from examples.banking.wallets import Wallets
from ledger_client import LedgerClient


def main(environ: dict[str, str]) -> None:
    """Serve until told to stop."""
    ledger = LedgerClient(environ["LEDGER_URL"], environ["LEDGER_ORG"], environ["LEDGER_KEY"])
    with ledger:
        wallets = Wallets(ledger, Payouts(environ.get("BANKING_PAYOUTS_URL")))
        port = int(environ.get("BANKING_PORT", "8090"))
        server = create_server(make_app(wallets), host="127.0.0.1", port=port, threads=8)
        sys.stdout.write(f"ready http://127.0.0.1:{server.effective_port}\n")
        sys.stdout.flush()
        server.run()


if __name__ == "__main__":
    main(dict(os.environ))
