"""`ledgerctl set-aside`: what could not be carried out, and why."""

import json
from pathlib import Path

import click

from ledger_core.inbox import Inbox
from ledger_core.instants import format_instant
from ledgerctl.options import data_option, json_option, tells_errors
from wire.log import printable

MESSAGE_CHARS_SHOWN = 200


@click.command("set-aside")
@data_option
@json_option
@tells_errors
def set_aside(data: Path, as_json: bool) -> None:
    """List what was set aside: messages that make no sense, and commands that failed by a fault of ours.

    Nothing of it was carried out. --json prints the messages whole.
    """
    inbox = Inbox.open(data)
    found = inbox.all_set_aside()
    inbox.close()
    if as_json:
        rows = [{"id": number, **item._asdict(), "at": format_instant(item.at)} for number, item in found]
        click.echo(json.dumps(rows))
        return
    for number, item in found:
        shown = printable(item.message[:MESSAGE_CHARS_SHOWN])
        org, cause = printable(item.org or "-"), printable(item.cause)
        click.echo(f"{number}\t{format_instant(item.at)}\t{org}\t{cause}\t{shown}")
