"""`ledgerctl set-aside`: what could not be carried out, and why; sending it again, or giving it up."""

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from ledger_core import ledger
from ledger_core.instants import format_instant
from ledger_core.operations import format_operation_id
from ledger_core.set_aside import Form, Item, Kept, SetAside
from ledger_core.store.book import Book
from ledgerctl.broker import socket_path, url
from ledgerctl.options import (
    Failed,
    data_option,
    json_option,
    new_data_option,
    require_ledger,
    tells_errors,
)
from ledgerctl.redrive import Redrive, is_promised, outcome_of, submission_of
from wire.log import printable
from wire.settings import Settings, settings

BODY_CHARS_SHOWN = 200

org_option = click.option("--org", "org", help="Those of one org.")
cause_option = click.option("--cause", "cause", help="Those whose cause contains this text.")
all_option = click.option("--all", "every", is_flag=True, help="All of them.")
numbers_argument = click.argument("numbers", nargs=-1, type=int, metavar="[NUMBER]...")


@click.group("set-aside", invoke_without_command=True)
@new_data_option  # a command of its own has a folder of its own
@json_option
@click.pass_context
def set_aside(context: click.Context, data: Path, as_json: bool) -> None:
    """Look after what could not be carried out, and after orgs whose books can't be used.

    Without a command of its own it lists, like `list`.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_, data=require_ledger(data), as_json=as_json)


@set_aside.command("list")
@org_option
@cause_option
@data_option
@json_option
@tells_errors
def list_(data: Path, as_json: bool, org: str | None = None, cause: str | None = None) -> None:
    """List the orgs and the items that are set aside: number, last time, times, form, org, cause, beginning."""
    aside = SetAside(data)
    outages = [outage for outage in aside.outages() if org in (None, outage.org)]
    found = _matching(aside, org, cause)
    if as_json:
        orgs = [{"org": o.org, "since": format_instant(o.since), "cause": o.cause} for o in outages]
        click.echo(json.dumps({"orgs": orgs, "items": [_facts(kept) for kept in found]}))
        return
    for outage in outages:
        click.echo(f"org\t{outage.org}\tsince {format_instant(outage.since)}\t{printable(outage.cause)}")
    for kept in found:
        item = kept.item
        where, cause = printable(item.org or "-"), printable(item.cause)
        shown = printable(_text(item)[:BODY_CHARS_SHOWN])
        what = item.form if item.kind is None else f"{item.form} {item.kind}"
        click.echo(f"{kept.number}\t{format_instant(item.at)}\t{kept.times}x\t{what}\t{where}\t{cause}\t{shown}")
    let_go = aside.counts()[2]
    if not (outages or found or let_go):
        click.echo(
            "nothing is set aside" if org is None and cause is None else "nothing like that is set aside", err=True
        )
    if let_go:
        click.echo(f"{let_go} more made room for later ones, those first whose senders were told of the failure")


@set_aside.command("show")
@click.argument("number", type=int)
@data_option
@json_option
@tells_errors
def show(number: int, data: Path, as_json: bool) -> None:
    """Show all of one item, with its body as it came."""
    kept = SetAside(data).item(number)
    if kept is None:
        raise Failed(f"nothing is set aside under {number}")
    facts = _facts(kept)
    facts["state"] = _state(data, kept.item)
    if as_json:
        click.echo(json.dumps(facts))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        click.echo(f"{name.ljust(width)}  {'-' if value is None else printable(str(value))}")


@set_aside.command("retry")
@numbers_argument
@org_option
@cause_option
@all_option
@click.option("--told-too", is_flag=True, help="Also those whose senders were told that they failed: ask them before.")
@data_option
@json_option
@tells_errors
def retry(
    numbers: tuple[int, ...],
    org: str | None,
    cause: str | None,
    every: bool,
    told_too: bool,
    data: Path,
    as_json: bool,
) -> None:
    """Send items once more, and say what came of each: a command under its operation, anything else as it came.

    However often it is sent, a command takes effect once. Exit code 1 when something is still set aside.
    """
    found = _chosen(SetAside(data), numbers, org, cause, every)
    redrive = Redrive(data, _settings(data))
    if found and not redrive.reachable():
        raise Failed("the broker does not answer; is the ledger running, and is LEDGER_REDIS_URL right?")
    left = 0
    for fate in redrive.send(found, told_too=told_too):
        left += not fate.done
        if as_json:
            click.echo(json.dumps({"number": fate.kept.number, "done": fate.done, "said": fate.said}))
        else:
            click.echo(f"{fate.kept.number}\t{fate.said}")
    if left:
        raise SystemExit(1)


@set_aside.command("drop")
@numbers_argument
@org_option
@cause_option
@all_option
@data_option
@json_option
@tells_errors
def drop(numbers: tuple[int, ...], org: str | None, cause: str | None, every: bool, data: Path, as_json: bool) -> None:
    """Give items up. A command that was accepted with a 202 is refused for good, so that it has an outcome.

    Anything else is forgotten.
    """
    aside = SetAside(data)
    for kept in _chosen(aside, numbers, org, cause, every):
        said = _give_up(data, kept.item)
        aside.drop(kept.number)
        click.echo(json.dumps({"number": kept.number, "said": said}) if as_json else f"{kept.number}\t{said}")


def _give_up(data: Path, item: Item) -> str:
    if item.form is not Form.COMMAND or not is_promised(data, item):
        return "forgotten"
    org, submission = submission_of(item)
    book = Book.open_writer(data, org)
    try:
        outcome = ledger.give_up(book, submission)
    finally:
        book.close()
    if outcome.refusal is None:
        return "applied before"
    return f"refused for good: {outcome.refusal.code}"


def _chosen(aside: SetAside, numbers: Sequence[int], org: str | None, cause: str | None, every: bool) -> list[Kept]:
    """Return the items that a command line names.

    Raises:
        Failed: it names none, or one that is not there.
    """
    if not (numbers or org or cause or every):
        raise click.UsageError("name items by NUMBER, --org or --cause, or say --all")
    found = {kept.number: kept for kept in _matching(aside, org, cause)}
    if not numbers:
        return list(found.values())
    missing = [number for number in numbers if number not in found]
    if missing:
        raise Failed(f"nothing is set aside under {', '.join(map(str, missing))}")
    return [found[number] for number in numbers]


def _matching(aside: SetAside, org: str | None, cause: str | None) -> list[Kept]:
    return [
        kept for kept in aside.items() if org in (None, kept.item.org) and (cause is None or cause in kept.item.cause)
    ]


def _facts(kept: Kept) -> dict[str, object]:
    item = kept.item
    text = _decoded(item.body)
    return {
        "number": kept.number,
        "form": item.form,
        "org": item.org,
        "kind": item.kind,
        "operation_id": None if item.operation_id is None else format_operation_id(item.operation_id),
        "request_id": item.request_id,
        "lane": item.lane,
        "cause": item.cause,
        "first_at": format_instant(kept.first_at),
        "last_at": format_instant(item.at),
        "times": kept.times,
        "sender_was_told": item.is_told,
        "is_whole": item.is_whole,
        "body": text,
        **({"body_base64": base64.b64encode(item.body).decode()} if text is None else {}),
    }


def _state(data: Path, item: Item) -> str:
    """Return how a command stands by its book and the inbox."""
    if item.form is not Form.COMMAND:
        return "set aside"
    outcome = outcome_of(data, item)
    if outcome is not None:
        return "applied" if outcome.refusal is None else "refused"
    return "pending: it was accepted with a 202" if is_promised(data, item) else "set aside"


def _text(item: Item) -> str:
    return item.body.decode(errors="backslashreplace")


def _decoded(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _settings(data: Path) -> Settings:
    """Return the settings of the ledger that serves a data folder; of an embedded broker, by its socket."""
    shared = settings({**os.environ, "LEDGER_DATA": str(data)})
    if "LEDGER_REDIS_URL" not in os.environ and socket_path(data.absolute()).exists():
        shared = shared._replace(redis_url=url(data.absolute()))
    return shared
