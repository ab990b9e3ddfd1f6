"""The rows of the table: what is measured, beside what, and what it is to reach."""

from typing import NamedTuple

from bench.sides import SIDES


class Row(NamedTuple):
    """One side beside another. `name` is short, for ROWS=; `aim` is what the ratio is to reach, None: it is reported.

    `figure`: what of the two is compared: `rate`, of which more is better, or `p50_ms`, of which less is.
    """

    name: str
    what: str
    beside: str
    ours: str
    other: str
    aim: float | None = None
    figure: str = "rate"

    def is_reached(self, ratio: float) -> bool:
        """Tell whether a ratio is as good as the aim, if there is one."""
        return self.aim is None or (ratio >= self.aim if self.figure == "rate" else ratio <= self.aim)


# The rows of a section are measured together: its sides take turns, each as often as the others.
SECTIONS = (
    (
        Row("post", "sync post, 64 connections", "bare echo POST", "post", "echo-post", 0.5),
        Row("async", "async post (202), 64 connections", "bare echo POST", "async", "echo-post", 0.5),
        Row("server", "echo POST under intake's own server", "bare echo POST", "served-post", "echo-post"),
        Row("celery", "sync post, 64 connections", "one Celery task for each entry", "post", "celery", 5),
    ),
    (
        Row("one", "sync post, 1 connection, p50", "empty Celery task and reply, p50", "post-1", "celery-empty-1", 1.3,
            "p50_ms"),
    ),
    (
        Row("orgs", "sync post over 1,000 orgs", "one org", "post-orgs", "post", 0.6),
    ),
    (
        # Apart from 1,000 orgs: what comes right after them finds nothing of its own in any cache.
        Row("hot", "sync post, all on one hot account", "random accounts", "post-hot", "post", 0.95),
    ),
    (
        Row("hold", "placing holds", "sync post", "hold", "post", 0.8),
        Row("capture", "capturing holds", "sync post", "capture", "post", 0.8),
        Row("release", "releasing holds", "sync post", "release", "post", 0.8),
    ),
    (
        Row("balance", "balance read", "bare echo GET", "balance", "echo-get", 0.7),
        Row("entry", "entry read", "bare echo GET", "entry", "echo-get", 0.7),
        Row("page", "page of 50 entries", "bare echo GET", "page", "echo-get", 0.3),
    ),
    (
        Row("apply", "`ledger_core.apply`, 200 entries a commit", "raw loop", "apply", "raw-apply", 0.4),
        Row("bulk", "bulks of 500 over HTTP, entries", "raw loop", "bulk", "raw-bulk", 0.25),
    ),
    (
        Row("big-post", "sync post, book of 1,000,000 entries", "book of 1,000", "post-big", "post-small", 0.9),
        Row("big-balance", "balance, book of 1,000,000 entries", "book of 1,000", "balance-big", "balance-small", 0.9),
    ),
    (
        Row("1x2", "sync post, 1 intake, 2 workers", "1 intake, 1 worker", "post-1x2", "post-1x1"),
        Row("2x1", "sync post, 2 intakes, 1 worker", "1 intake, 1 worker", "post-2x1", "post-1x1"),
        Row("2x2", "sync post, 2 intakes, 2 workers", "1 intake, 1 worker", "post-2x2", "post-1x1"),
    ),
)  # fmt: skip

ROWS = tuple(row for section in SECTIONS for row in section)
QUICK = (
    "post", "async", "one", "hold", "balance", "page", "apply", "bulk",
)  # fmt: skip

assert {side for row in ROWS for side in (row.ours, row.other)} == set(SIDES), "no side is in vain"
assert set(QUICK) <= {row.name for row in ROWS}
