"""`ledgerctl key`: create, list and revoke API keys."""

import json
from pathlib import Path

import click

from ledger_core.instants import format_instant, now_us
from ledger_core.orgs import Registry, Scope
from ledgerctl.options import data_option, json_option, tells_errors


@click.group()
def key() -> None:
    """Create, list and revoke API keys."""


@key.command("create")
@click.argument("slug")
@click.option("--read-only", is_flag=True, help="The key may read, not write.")
@data_option
@json_option
@tells_errors
def create(slug: str, read_only: bool, data: Path, as_json: bool) -> None:
    """Create one more key of an org, which is shown this once."""
    scope = Scope.READ_ONLY if read_only else Scope.FULL
    new = Registry.open_writer(data).create_key(slug, scope, now=now_us())
    if as_json:
        click.echo(json.dumps({"slug": slug, "key_id": new.key_id, "api_key": new.api_key, "scope": scope}))
    else:
        click.echo(f"key id   {new.key_id}\nAPI key  {new.api_key}\nKeep the key: it is not shown again.")


@key.command("list")
@click.argument("slug")
@data_option
@json_option
@tells_errors
def list_(slug: str, data: Path, as_json: bool) -> None:
    """List an org's keys; the keys themselves are not kept."""
    keys = Registry.open_reader(data).keys(slug)
    if as_json:
        click.echo(json.dumps([
            {
                "key_id": item.key_id,
                "scope": item.scope,
                "created_at": format_instant(item.created_at),
                "revoked_at": None if item.revoked_at is None else format_instant(item.revoked_at),
            }
            for item in keys
        ]))  # fmt: skip
        return
    for item in keys:
        state = "works" if item.revoked_at is None else f"revoked {format_instant(item.revoked_at)}"
        click.echo(f"{item.key_id}\t{item.scope}\t{format_instant(item.created_at)}\t{state}")


@key.command("revoke")
@click.argument("slug")
@click.argument("key_id")
@data_option
@tells_errors
def revoke(slug: str, key_id: str, data: Path) -> None:
    """Make a key fail for good, within 5 seconds."""
    Registry.open_writer(data).revoke_key(slug, key_id, now=now_us())
    click.echo(f"revoked {key_id}")
