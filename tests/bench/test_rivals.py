"""The rivals do the same work under the same conditions."""

from pathlib import Path

from waitress.adjustments import Adjustments

from bench import books
from bench.rivals import raw
from intake.connections import Limits
from intake.serving import Server, listening, waitress_options
from ledger_core import ledger
from ledger_core.store.book import Book
from ledger_core.verify import verify

LIMITS = Limits(connections_max=1_000, idle_s=60, request_s=30)
BEGIN = 1_773_811_800_000_000


def test_the_echo_has_the_settings_of_intake() -> None:
    with listening("127.0.0.1", 0) as socket_:
        ours = vars(Server(None, socket_, threads=16, limits=LIMITS)._server.adj)
        echo = vars(Adjustments(sockets=[socket_], **waitress_options(16, LIMITS)))

    assert echo == ours


def test_the_raw_loop_writes_the_same_book(tmp_path: Path) -> None:
    commands = [books.entry(pair, 50_000, f"order-{number}") for number, pair in enumerate(books.pairs(3, 6))]
    one, two = (book_with_accounts(tmp_path / name) for name in ("one", "two"))

    for batch in (commands[:4], commands[4:]):
        submissions = books.submitted(one.org, batch)
        raw.replay(two, raw.recorded(one, lambda batch=submissions: ledger.apply(one, batch)))  # type: ignore[misc]

    assert verify(two) == verify(one)
    assert (verify(two).entries, verify(two).findings) == (6, [])


def book_with_accounts(folder: Path) -> Book:
    Book.create(folder, "acme", "USD", BEGIN)
    book = Book.open_writer(folder, "acme")
    books.write(book, books.openings(3), lambda: BEGIN)
    return book
