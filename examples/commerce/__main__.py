"""FF Commerce on the command line: python -m examples.commerce. Its settings are environment variables: see README."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from examples.commerce.books import Books, Unsettled
from examples.commerce.commerce import Commerce, NotCaptured
from ledger_client import LedgerClient, LedgerError
from wire import LedgerQueue


@contextmanager
def opened() -> Iterator[Commerce]:
    """Reach the ledger; what goes wrong there is told in one line."""
    url, org, key = (os.environ[name] for name in ("LEDGER_URL", "LEDGER_ORG", "LEDGER_KEY"))
    queue = LedgerQueue.from_env()
    try:
        with LedgerClient(url, org, key) as ledger:
            yield Commerce(Books(org, queue, ledger))
    except (LedgerError, LookupError, NotCaptured) as error:
        raise click.ClickException(str(error)) from None
    except Unsettled as error:
        raise click.ClickException(f"no answer about {error}; run the same again") from None
    finally:
        queue.close()


@click.group()
def cli() -> None:
    """Take payments for merchants. Amounts are minor units. Any command can be run again: it happens once."""


@cli.command("open")
@click.argument("kind", type=click.Choice(["buyer", "merchant"]))
@click.argument("name")
def open_(kind: str, name: str) -> None:
    """Open the account of a buyer or a merchant."""
    with opened() as commerce:
        _tell(account_id=commerce.open_buyer(name) if kind == "buyer" else commerce.open_merchant(name))


@cli.command()
@click.argument("buyer")
@click.argument("amount", type=click.IntRange(1))
@click.argument("reference")
def top_up(buyer: str, amount: int, reference: str) -> None:
    """Book money that came in for a buyer under a reference of the bank's."""
    with opened() as commerce:
        _tell(entry_id=commerce.top_up(buyer, amount, reference).id)


@cli.command()
@click.argument("order")
@click.argument("buyer")
@click.argument("merchant")
@click.argument("amount", type=click.IntRange(1))
def authorise(order: str, buyer: str, merchant: str, amount: int) -> None:
    """Reserve what an order will cost."""
    with opened() as commerce:
        _tell(payment=commerce.authorise(order, buyer, merchant, amount).id)


@cli.command()
@click.argument("payment", type=int)
@click.argument("part")
@click.argument("amount", type=click.IntRange(1), required=False)
@click.option("--more-follows", is_flag=True, help="Keep the rest reserved, for other parts.")
def capture(payment: int, part: str, amount: int | None, more_follows: bool) -> None:
    """Pay the merchant for a part of an order: the rest of it, or an amount."""
    with opened() as commerce:
        _tell(entry_id=commerce.capture(payment, part, amount, final=not more_follows).id)


@cli.command()
@click.argument("payment", type=int)
def void(payment: int) -> None:
    """Give back what a payment still reserves."""
    with opened() as commerce:
        _tell(released=commerce.void(payment).released_amount)


@cli.command()
@click.argument("payment", type=int)
@click.argument("part")
@click.argument("amount", type=click.IntRange(1), required=False)
def refund(payment: int, part: str, amount: int | None) -> None:
    """Give back what was captured for a part, or an amount of it."""
    with opened() as commerce:
        _tell(entry_id=commerce.refund(payment, part, amount).id)


@cli.command()
@click.argument("merchant")
@click.argument("day")
def settle(merchant: str, day: str) -> None:
    """Pay a merchant out what it has."""
    with opened() as commerce:
        _tell(paid_out=commerce.settle(merchant, day))


def _tell(**facts: int) -> None:
    click.echo(json.dumps(facts))


if __name__ == "__main__":
    cli(prog_name="python -m examples.commerce")
