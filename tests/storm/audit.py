"""The audit: the journal against what the ledger says afterwards. Pure, so that tests can feed it forgeries."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from tests.storm.model import disagreements
from tests.storm.observe import Observed
from tests.storm.requests import is_decided
from tests.storm.settle import AUDITOR
from tests.storm.stories import Story

EXPECTED_REFUSALS = {
    "insufficient_funds", "hold_not_active", "capture_exceeds_hold", "entry_already_reversed", "account_closed",
}  # fmt: skip
STATUSES = {200, 201, 202, 409, 422, 429, 503}
FAULTS = ("lost", "twice", "flipped", "changed", "moved", "unproven", "disagrees", "odd")
Json = dict[str, Any]


class Violation(NamedTuple):
    """A promise that was broken. `fault` is one of FAULTS.

    `lost`: answered or promised, and not there; `twice`: there more than once; `flipped`: told one thing, then
    another; `changed`: there with other content; `moved`: there though nobody was told so, or was told that it is not;
    `unproven`: what `verify` finds; `disagrees`: what the model does not allow; `odd`: an answer that can't be.
    """

    fault: str
    subject: str
    what: str


def audit(stories: Mapping[str, Story], observed: Sequence[Observed]) -> list[Violation]:
    """Return every promise that was broken."""
    found = [violation for story in stories.values() for violation in _story(story)]
    for org in observed:
        mine = [story for story in stories.values() if story.write.org == org.org]
        found += _book(mine, org)
        found += [Violation("unproven", org.org, finding) for finding in org.findings]
        found += [Violation("disagrees", org.org, each) for each in disagreements(org, stories)]
    return found


def _story(story: Story) -> Iterator[Violation]:
    """Look at what was said of one write."""
    tag = story.write.tag
    for answer in story.answers:
        if answer.status not in STATUSES:
            yield Violation("odd", tag, f"answered {answer.status}: {answer.body[:200]}")
    decided = [answer for answer in story.answers if is_decided(answer.status)]
    last = story.answers[-1] if story.answers else None
    if decided and last is not None and last.caller == AUDITOR and last not in decided:
        yield Violation("odd", tag, f"can't be replayed in all calm: {last.status}")
    if story.reuses_a_key:
        for answer in decided:
            if orjson.loads(answer.body).get("code") != "idempotency_key_reused":
                yield Violation("moved", tag, f"its key is another's, and it was answered {answer.status}")
        return
    outcome = story.outcome
    if outcome is None:
        if story.promised is not None or not story.turned_away:
            yield Violation("lost", tag, "never reached an outcome" if story.promised else "never got an answer")
        return
    if outcome[0] >= 400 and orjson.loads(outcome[1])["code"] not in EXPECTED_REFUSALS:
        yield Violation("odd", tag, f"refused as nothing here should be: {outcome[1]}")
    for number, answer in enumerate(decided):
        if (answer.status, answer.body) != outcome:
            yield Violation("flipped", tag, f"{outcome}, then {(answer.status, answer.body)}")
        if number and not answer.replayed:
            yield Violation("odd", tag, "answered again, and not as a replay")
    yield from _polls(story, outcome)
    for read in story.reads:
        if read.status != 200:
            yield Violation("lost", tag, f"was answered, and could not be read right after: {read.status}")
        elif _without(orjson.loads(read.body), {"reversed_by"}) != orjson.loads(outcome[1]):
            yield Violation("changed", tag, f"was answered as {outcome[1]}, and read as {read.body}")


def _polls(story: Story, outcome: tuple[int, str]) -> Iterator[Violation]:
    """Look at what was said of its operation: pending, then for ever the same."""
    final = False
    for poll in story.polls:
        if poll.status == "unknown":
            yield Violation("lost", story.write.tag, f"operation {poll.operation} is answered {poll.http_status}")
        elif poll.status == "pending":
            if final:
                yield Violation("flipped", story.write.tag, "its operation was decided, and is pending")
        elif (poll.http_status or 0, poll.body) != outcome:
            final = True
            yield Violation("flipped", story.write.tag, f"{outcome}, then {poll}")
        else:
            final = True


def _book(stories: Iterable[Story], observed: Observed) -> Iterator[Violation]:
    """Compare what was answered with what is there: one for one, and nothing else."""
    entries = {entry["id"]: entry for entry in observed.entries}
    things = {
        "entry": Counter(entry["description"] for entry in observed.entries),
        "hold": Counter(hold["description"] for hold in observed.holds),
        "account": Counter(account["name"] for account in observed.accounts),
    }
    expected: dict[str, set[str]] = {"entry": set(), "hold": set(), "account": set()}
    for story in stories:
        applied = story.outcome is not None and story.outcome[0] < 300 and not story.reuses_a_key
        for noun, tag in _makes(story):
            if applied:
                expected[noun].add(tag)
            count = things[noun][tag]
            if applied and not count:
                yield Violation("lost", tag, f"was answered {story.outcome}, and is not there")
            elif count > 1:
                yield Violation("twice", tag, f"is there {count} times")
            elif count and not applied:
                yield Violation("moved", tag, f"was told {story.outcome or 'nothing but errors'}, and is there")
        if applied:
            yield from _content(story, observed, entries)
    for noun, counts in things.items():
        for tag in counts.keys() - expected[noun]:
            yield Violation("moved", str(tag), f"is {noun} that nobody was told of")
    if {row.entry_id: row.description for row in observed.rows} != {
        e["id"]: e["description"] for e in entries.values()
    }:
        yield Violation("changed", observed.org, "other entries are read over HTTP than stand in the book")


def _makes(story: Story) -> list[tuple[str, str]]:
    """Return what a write makes when it is applied: nouns with their tags."""
    write = story.write
    if write.kind == "bulk":
        return [("entry", entry["description"]) for entry in write.fields["entries"]]
    noun = {"entry": "entry", "reversal": "entry", "capture": "entry", "hold": "hold", "account": "account"}
    return [(noun[write.kind], write.tag)] if write.kind in noun else []


def _content(story: Story, observed: Observed, entries: Mapping[int, Json]) -> Iterator[Violation]:
    """Compare an answer with what is there now, but for what may have become of it since."""
    write, (_, body) = story.write, story.outcome or (0, "{}")
    told = orjson.loads(body)
    if write.kind in ("entry", "reversal"):
        pairs = [(told, entries.get(told["id"]))]
    elif write.kind == "bulk":
        pairs = [(item["result"], entries.get(item["result"]["id"])) for item in told["results"]]
    elif write.kind in ("hold", "capture", "release"):
        there = {hold["id"]: hold for hold in observed.holds}
        yield from _hold(story, told, there.get(told["id"]), entries)
        return
    else:
        pairs = [(told, next((each for each in observed.accounts if each["id"] == told["id"]), None))]
    for each, there_now in pairs:
        later = {"reversed_by", "status"}
        if _without(each, later) != _without(there_now, later):
            yield Violation("changed", write.tag, f"was answered as {each}, and is {there_now}")
    if write.kind == "closure" and (pairs[0][1] or {}).get("status") != "closed":
        yield Violation("lost", write.tag, "was answered as closed, and is open")


def _hold(story: Story, told: Json, now: Json | None, entries: Mapping[int, Json]) -> Iterator[Violation]:
    write = story.write
    later = {"status", "captures", "captured_amount", "released_amount", "remaining_amount"}
    if _without(told, later) != _without(now, later):
        yield Violation("changed", write.tag, f"was answered as {told}, and is {now}")
        return
    assert now is not None
    if now["captures"][: len(told["captures"])] != told["captures"]:
        yield Violation("changed", write.tag, f"its captures were {told['captures']}, and are {now['captures']}")
    if told["status"] != "active" and told != now:
        yield Violation("flipped", write.tag, f"it had ended as {told}, and is {now}")
    if write.kind == "capture" and told["captures"]:
        capture = told["captures"][-1]
        entry = entries.get(capture["entry_id"], {})
        amounts = [line["amount"] for line in entry.get("lines", [])]
        if entry.get("description") != write.tag or amounts != [capture["amount"]] * 2:
            yield Violation("changed", write.tag, f"captured {capture}, by {entry}")


def _without(thing: Json | None, names: set[str]) -> Json | None:
    return None if thing is None else {name: value for name, value in thing.items() if name not in names}
