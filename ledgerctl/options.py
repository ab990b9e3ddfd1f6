"""What the commands of `ledgerctl` share: options, and what their errors look like."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from click.core import ParameterSource

from ledger_core.errors import OrgNotFound, StorageUnavailable
from ledger_core.inbox import inbox_path
from ledger_core.orgs import InvalidOrg, KeyNotFound, OrgExists, registry_path
from wire.settings import SettingError

P = ParamSpec("P")
R = TypeVar("R")


class Failed(click.ClickException):
    """It could not be done: one line on standard error, exit code 1."""

    exit_code = 1


class Whole(click.IntRange):
    """A whole number between two bounds, whose complaint is that of the settings."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say what it must be."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"it must be a whole number from {self.min} to {self.max}, not {value!r}", param, ctx)


def has_ledger(data: Path) -> bool:
    """Tell whether a folder has a ledger in it, or what is left of one."""
    try:
        return any(path.exists() for path in (registry_path(data), inbox_path(data), data / "books"))
    except OSError:  # of a folder that can't be entered: what wants to do something there says so
        return True


def require_ledger(data: Path) -> Path:
    """Return a folder that has a ledger in it.

    Raises:
        Failed: it has none.
    """
    if not has_ledger(data):
        raise Failed(f"there is no ledger in {data.absolute()}; name its folder with --data or LEDGER_DATA")
    return data


def _of_command_or_group(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Return what a command was told, or else what its group was told on the same command line."""
    group, name = context.parent, option.name or ""
    told = ParameterSource.COMMANDLINE
    if group is None or context.get_parameter_source(name) is told or group.get_parameter_source(name) is not told:
        return value
    return group.params[name]


def _data_option(callback: Callable[..., Path] | None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    return click.option(
        "--data",
        envvar="LEDGER_DATA",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("data"),
        show_default=True,
        callback=callback,
        help="The data folder [env: LEDGER_DATA].",
    )


new_data_option = _data_option(None)  # for what makes a ledger where there is none
data_option = _data_option(lambda *told: require_ledger(_of_command_or_group(*told)))
json_option = click.option(
    "--json", "as_json", is_flag=True, callback=_of_command_or_group, help="Print JSON, for programs."
)


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
        except (StorageUnavailable, InvalidOrg, SettingError) as error:
            raise Failed(str(error)) from error

    return told
