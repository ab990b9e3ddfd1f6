"""What is surveyed: a busy book, an inbox, a registry with the books of its orgs, and an upgrade."""

from pathlib import Path

import pytest

from tests import newer_program
from tests.crash import books
from tests.crash.explore import Survey, left_over, survey
from tests.crash.inboxes import BusyInbox
from tests.crash.recording import recording
from tests.crash.registries import BusyRegistry
from tests.crash.upgrades import Upgrade

RECOVERIES = 10
EVERY = 20  # of the states of a book one in so many is recovered and loses its power again


def book(scratch: Path, wanted: int, seed: int, *, turns: int, prepare: books.Prepare = books.busy) -> Survey:
    """Survey a book with turns of a seed."""
    record, scenario = books.recorded(scratch / "book", turns=turns, seed=seed, prepare=prepare)
    return survey(record, scenario.check, scratch, wanted=wanted, seed=seed)


def recovery(scratch: Path, wanted: int, seed: int = 1) -> Survey:
    """Survey what follows a power loss, by a second one: of a few states of a busy book, as many of each."""
    record, scenario = books.recorded(scratch / "book", turns=20, seed=seed)
    each = max(wanted // RECOVERIES, 1)
    surveys = []
    for number, (state, folder) in enumerate(left_over(record, scratch, wanted=RECOVERIES * EVERY, seed=seed)):
        if number % EVERY == 0:
            again = books.Recovery(scenario, state)
            with recording(folder) as second:
                again.run(second)
            surveys.append(survey(second, again.check, scratch, wanted=each, seed=seed + number))
    return Survey(
        sum(found.states for found in surveys),
        sum(found.boundaries for found in surveys),
        {state: problem for found in surveys for state, problem in found.wrong.items()},
        sum(found.took_s for found in surveys),
    )


def inbox(scratch: Path, wanted: int, seed: int = 1) -> Survey:
    """Survey an inbox."""
    scenario = BusyInbox(seed)
    with recording(scratch / "inbox") as record:
        scenario.run(record, steps=80)
    return survey(record, scenario.check, scratch, wanted=wanted, seed=seed, first=-1)


def registry(scratch: Path, wanted: int, seed: int = 1) -> Survey:
    """Survey a registry, and the creation of the books of its orgs."""
    scenario = BusyRegistry()
    with recording(scratch / "registry") as record:
        scenario.run(record, orgs=4)
    return survey(record, scenario.check, scratch, wanted=wanted, seed=seed, first=-1)


def upgrade(scratch: Path, wanted: int, seed: int = 1) -> Survey:
    """Survey the upgrade of a data folder by a newer program."""
    scenario = Upgrade(scratch / "data", turns=8)
    with pytest.MonkeyPatch.context() as patch:
        newer_program.install(patch)
        with recording(scratch / "data") as record:
            scenario.run(record)
        return survey(record, scenario.check, scratch, wanted=wanted, seed=seed)
