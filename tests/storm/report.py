"""The figures of a storm."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from tests.storm.audit import FAULTS, Violation
from tests.storm.journal import Answer
from tests.storm.stories import Storybook
from tests.storm.town import founding

VIOLATIONS_SHOWN = 40


class Figures(NamedTuple):
    """What a storm came to."""

    seed: int
    seconds: float
    writes: Mapping[str, int]
    answers: Mapping[str, int]
    faults: Mapping[str, int]
    impossible: Mapping[str, int]
    violations: Sequence[Violation]
    http_outage_s: float
    queue_outage_s: float
    answer_s: float
    disk: str

    def lines(self) -> Iterator[str]:
        """Yield the figures as text."""
        yield f"storm: {self.seconds:.0f} s, seed {self.seed}, full disk by {self.disk}"
        yield f"writes: {sum(self.writes.values())} ({_listed(self.writes)})"
        yield f"answers: {sum(self.answers.values())} ({_listed(self.answers)})"
        yield f"faults: {sum(self.faults.values())} ({_listed(self.faults)})"
        if self.impossible:
            yield f"faults that could not strike: {sum(self.impossible.values())} ({_listed(self.impossible)})"
        yield (
            f"longest outage a caller saw: {self.http_outage_s:.1f} s over HTTP,"
            f" {self.queue_outage_s:.1f} s by the queue; longest wait for one answer: {self.answer_s:.1f} s"
        )
        counts = Counter(violation.fault for violation in self.violations)
        yield ", ".join(f"{fault} {counts[fault]}" for fault in FAULTS)
        for violation in self.violations[:VIOLATIONS_SHOWN]:
            yield f"  {violation.fault} {violation.subject}: {violation.what}"


def figures(  # everything that is told of it
    book: Storybook, violations: Sequence[Violation], *, seed: int, span: tuple[float, float], disk: str
) -> Figures:
    """Work out the figures. `span` is the storm itself, from when to when, on the monotonic clock."""
    founded = {write.tag for write in founding()}
    stories = [story for tag, story in book.stories.items() if tag not in founded]
    heard = [answer for story in stories for answer in story.answers if span[0] <= answer.at_s <= span[1]]
    losses = [loss for story in stories for loss in story.losses if span[0] <= loss.at_s <= span[1]]
    answers = Counter(str(answer.status) for answer in heard)
    if losses:
        answers["none"] = len(losses)
    return Figures(
        seed=seed,
        seconds=span[1] - span[0],
        writes=Counter(story.write.kind for story in stories),
        answers=answers,
        faults=Counter(fault.fault for fault in book.faults if fault.failed is None),
        impossible=Counter(fault.fault for fault in book.faults if fault.failed is not None),
        violations=violations,
        http_outage_s=_longest_outage_s([answer for answer in heard if answer.caller.startswith("http")], span),
        queue_outage_s=_longest_outage_s([answer for answer in heard if not answer.caller.startswith("http")], span),
        answer_s=max((told.took_s for told in [*heard, *losses]), default=0.0),
        disk=disk,
    )


def _longest_outage_s(heard: Sequence[Answer], span: tuple[float, float]) -> float:
    """Return the longest time in which one caller, who goes on asking, got no answer but errors of the server."""
    good: dict[str, list[float]] = defaultdict(list)
    for answer in heard:
        times = good[answer.caller]
        if answer.status < 500 and answer.status != 429:
            times.append(answer.at_s)
    longest_s = 0.0
    for times in good.values():
        instants = [span[0], *sorted(times), span[1]]
        longest_s = max(longest_s, *(later - earlier for earlier, later in pairwise(instants)))
    return longest_s


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
