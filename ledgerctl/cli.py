"""`ledgerctl`: the table of its commands.

Exit codes: 0, done; 1, it could not be done, or a book does not verify; 2, the command line is wrong.
"""

import sys
from typing import NoReturn

import click

from ledgerctl import VERSION
from ledgerctl.backup import backup
from ledgerctl.keys import key
from ledgerctl.migrate import migrate
from ledgerctl.orgs import org
from ledgerctl.restart import restart
from ledgerctl.set_aside import set_aside
from ledgerctl.up import up
from ledgerctl.verify import verify
from wire.privacy import keep_private


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="ledgerctl", message="%(prog)s %(version)s")
def cli() -> None:
    """Run and look after an FF Ledger."""


for command in (up, restart, org, key, verify, backup, set_aside, migrate):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line."""
    keep_private()
    sys.exit(cli.main(arguments, prog_name="ledgerctl"))
