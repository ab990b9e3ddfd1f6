"""The sides of the rows: each puts one kind of load on the ledger or on a rival, for some seconds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from bench import books, core
from bench.ledger import Ledger
from bench.load import Load, Org
from bench.place import Place
from bench.rivals.stock import EMPTY, POST

Side: TypeAlias = Callable[[Place, int], Load]  # by the seconds that it is to take

CONNECTIONS = 64
BULK_CONNECTIONS = 2  # one is read or answered while the other is applied; more of them only wait

# How many times as long a side is warmed up as others are. A worker opens a book at its first write, which takes some
# milliseconds: of 1,000 that are chosen at random one in twenty is still closed after 3,000 posts.
WARM_UP_TIMES = {"post-orgs": 5}


def _post(ledger: Ledger, orgs: Sequence[Org], seconds: int, connections: int = CONNECTIONS, **more: Any) -> Load:
    target = ledger.target("/v1/entries", "post.lua", 201, '"posted_at":', orgs)._replace(**more)
    return ledger.write(target, connections=connections, seconds=seconds)


def accept(place: Place, seconds: int, pause_ms: float = 0, beside: Callable[[], int] = lambda: 0) -> Load:
    """Post without waiting for outcomes, each connection with pauses of that length in the mean."""
    target = place.ledger.target("/v1/entries", "post.lua", 202, '"pending"', [place.org])
    paced = {"BENCH_PAUSE_MS": str(pause_ms)} if pause_ms else {}
    target = target._replace(prefer="respond-async", options=paced)
    return place.ledger.write(target, connections=CONNECTIONS, seconds=seconds, beside=beside)


def _bulk(place: Place, seconds: int) -> Load:
    org = place.ledger.org(f"bulks-{len(place.ledger.known)}")  # a new one: the raw loop's book is new each time too
    target = place.ledger.target("/v1/entries/bulk", "bulk.lua", 201, '"results":', [org])
    target = target._replace(options={"BENCH_ENTRIES": str(core.BULK)})
    return place.ledger.write(target, connections=BULK_CONNECTIONS, seconds=seconds, each=core.BULK)


def _hold(place: Place, seconds: int) -> Load:
    target = place.ledger.target("/v1/holds", "hold.lua", 201, '"active"', [place.ledger.org("holds", funds=10**12)])
    return place.ledger.write(target, connections=CONNECTIONS, seconds=seconds, question=books.HOLDS)


def _end_hold(place: Place, seconds: int, how: str, text: str, question: str) -> Load:
    org, first = place.holds(f"holds-to-{how}")
    target = place.ledger.target(f"/v1/holds/{{}}/{how}", "end_hold.lua", 200, text, [org])
    target = target._replace(options={"BENCH_FIRST": str(first)})
    load = place.ledger.write(target, connections=CONNECTIONS, seconds=seconds, question=question)
    place.ended_holds(org.slug, load.answers + 2 * CONNECTIONS)  # those that wrk cut may be ended or not
    return load


def _get(place: Place, path: str, text: str, seconds: int, org: Org | None = None, accounts: int = 1_000) -> Load:
    target = place.ledger.target(path, "get.lua", 200, text, [org or place.org])
    return place.ledger.read(target._replace(accounts=accounts), connections=CONNECTIONS, seconds=seconds)


def _processes(intakes: int, workers: int) -> Side:
    def post(place: Place, seconds: int) -> Load:
        ledger = place.ledger_of(intakes=intakes, workers=workers)
        return _post(ledger, [ledger.org("one", entries=2_000)], seconds)

    return post


def _book_of(size: int, what: str) -> Side:
    def load(place: Place, seconds: int) -> Load:
        org = place.big_book(size)
        if what == "post":
            return _post(place.ledger, [org], seconds, accounts=10)
        return _get(place, "/v1/accounts/{}/balance", '"available":', seconds, org, accounts=10)

    return load


SIDES: Mapping[str, Side] = {
    "post": lambda place, seconds: _post(place.ledger, [place.org], seconds),
    "post-orgs": lambda place, seconds: _post(place.ledger, place.orgs, seconds, accounts=10),
    "post-hot": lambda place, seconds: _post(place.ledger, [place.org], seconds, script="post_hot.lua"),
    "post-1": lambda place, seconds: _post(place.ledger, [place.org], seconds, connections=1),
    "async": accept,
    "hold": _hold,
    "capture": lambda place, seconds: _end_hold(place, seconds, "capture", '"captured"', books.ENTRIES),
    "release": lambda place, seconds: _end_hold(place, seconds, "release", '"released"', books.RELEASED),
    "bulk": _bulk,
    "balance": lambda place, seconds: _get(place, "/v1/accounts/{}/balance", '"available":', seconds),
    "entry": lambda place, seconds: _get(place, "/v1/entries/{}", '"posted_at":', seconds),
    "page": lambda place, seconds: _get(place, "/v1/entries?limit=50", '"next_cursor":', seconds),
    "post-small": _book_of(1_000, "post"),
    "post-big": _book_of(1_000_000, "post"),
    "balance-small": _book_of(1_000, "balance"),
    "balance-big": _book_of(1_000_000, "balance"),
    **{f"post-{intakes}x{workers}": _processes(intakes, workers) for intakes in (1, 2) for workers in (1, 2)},
    "apply": lambda place, _: core.measured("apply", place.core, place.pace.core_entries),
    "raw-apply": lambda place, _: core.measured("batches", place.core, place.pace.core_entries),
    "raw-bulk": lambda place, _: core.measured("bulks", place.core, place.pace.core_entries),
    "echo-post": lambda place, seconds: place.echo.load("post.lua", '"lines":', seconds=seconds),
    "echo-get": lambda place, seconds: place.echo.load("get.lua", '"available":', seconds=seconds),
    "served-post": lambda place, seconds: place.served.load("post.lua", '"lines":', seconds=seconds),
    "celery": lambda place, seconds: place.stock.calls(POST, callers=CONNECTIONS, seconds=seconds),
    "celery-empty-1": lambda place, seconds: place.stock.calls(EMPTY, callers=1, seconds=seconds),
}  # fmt: skip

assert WARM_UP_TIMES.keys() <= SIDES.keys()
