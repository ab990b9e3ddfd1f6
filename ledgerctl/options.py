"""What the commands of `ledgerctl` share: options, and what their errors look like."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from ledger_core.errors import OrgNotFound, OtherSchema, StorageUnavailable
from ledger_core.orgs import InvalidOrg, KeyNotFound, OrgExists
from wire.settings import SettingError

P = ParamSpec("P")
R = TypeVar("R")

data_option = click.option(
    "--data",
    envvar="LEDGER_DATA",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    show_default=True,
    help="The data folder [env: LEDGER_DATA].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class Failed(click.ClickException):
    """It could not be done: one line on standard error, exit code 1."""

    exit_code = 1


def tells_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what the ledger raises into one line for a person."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except OrgExists as error:
            raise Failed(f"there is an org {error} already") from error
        except OrgNotFound as error:
            raise Failed(f"there is no org {error.facts['org']}; see: ledgerctl org list") from error
        except KeyNotFound as error:
            raise Failed(f"there is no working key {error}; see: ledgerctl key list") from error
        except OtherSchema as error:
            raise Failed(str(error)) from error
        except StorageUnavailable as error:
            raise Failed(f"{error}; is there a ledger in the data folder (--data, LEDGER_DATA)?") from error
        except (InvalidOrg, SettingError) as error:
            raise Failed(str(error)) from error

    return told
