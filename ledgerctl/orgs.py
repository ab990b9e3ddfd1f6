"""`ledgerctl org`: create and list orgs."""

import json
from pathlib import Path

import click

from ledger_core.instants import format_instant, now_us
from ledger_core.money import CURRENCY_DEFAULT
from ledger_core.orgs import Registry
from ledgerctl.options import data_option, has_ledger, json_option, new_data_option, tells_errors


@click.group()
def org() -> None:
    """Create and list orgs."""


@org.command("create")
@click.argument("slug")
@click.option("--currency", help=f"What its accounts are in unless they say otherwise [default: {CURRENCY_DEFAULT}].")
@click.option("--name", help="What people call it [default: the slug].")
@new_data_option
@json_option
@tells_errors
def create(slug: str, currency: str | None, name: str | None, data: Path, as_json: bool) -> None:
    """Create an org with its book and a first key, which is shown this once."""
    is_first = not has_ledger(data)
    registry = Registry.open_writer(data)
    if is_first:
        begun = f"a new ledger begins in {data.absolute()}; if you meant another one: --data or LEDGER_DATA"
        click.echo(begun, err=True)
    new = registry.create_org(slug, name=name, currency=currency, now=now_us())
    if as_json:
        found = registry.org(slug)
        assert found is not None
        facts = {"slug": slug, "name": found.name, "currency": found.currency}
        click.echo(json.dumps({**facts, "key_id": new.key_id, "api_key": new.api_key}))
    else:
        click.echo(
            f"org      {slug}\nkey id   {new.key_id}\nAPI key  {new.api_key}\nKeep the key: it is not shown again."
        )


@org.command("list")
@data_option
@json_option
@tells_errors
def list_(data: Path, as_json: bool) -> None:
    """List the orgs."""
    orgs = Registry.open_reader(data).orgs()
    if as_json:
        click.echo(json.dumps([{**item._asdict(), "created_at": format_instant(item.created_at)} for item in orgs]))
        return
    for item in orgs:
        click.echo(f"{item.slug}\t{item.currency}\t{format_instant(item.created_at)}\t{item.name}")
