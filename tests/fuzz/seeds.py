"""Seeds: where the fuzzer starts from, made of the recorded examples and of what is known to be hard to read."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson

from intake.cursors import format_cursor
from intake.openapi.examples import exchanges
from ledger_core.commands import Kind, parse_command
from tests.builders import submission
from tests.fuzz.bodies import KINDS
from tests.fuzz.lists import LIST
from tests.fuzz.messages import BOOT_ID, HERE
from wire.answers import Answer
from wire.envelope import Deadline, Item, Message, Reply, encode_message, encode_reply

KIND_OF_PATH = {
    r"/v1/accounts": Kind.ACCOUNT,
    r"/v1/accounts/\d+/close": Kind.CLOSURE,
    r"/v1/entries": Kind.ENTRY,
    r"/v1/entries/bulk": Kind.BULK,
    r"/v1/entries/\d+/reverse": Kind.REVERSAL,
    r"/v1/holds": Kind.HOLD,
    r"/v1/holds/\d+/capture": Kind.CAPTURE,
    r"/v1/holds/\d+/release": Kind.RELEASE,
}
HARD = [
    b"\xfe8[\xfe", b'\xfe8{"a":\xfe', b"\xfe99\xfe", b"1e\xfe89\xfe", b"1.\xfe89\xfe", b"1e400", b"-0", b'"\\ud800"',
    b'"\\ud83c\\udfe6"', b"NaN", b"-Infinity", b'{"a":1,"\\u0061":2}', b"\xef\xbb\xbf{}", b'"\xed\xa0\x80"', b"\xff",
    b'{"entries":[\xfe4{"lines":[1,1,1,1,1,1,1,1,1,1,1]},\xfe1]}', b'{"lines":[\xfe91,\xfe1]}',
    b'{"metadata":{"a":"\\u0000","":1}}', b"9223372036854775807", b"9223372036854775808", b"9007199254740992", b"1.0",
]  # fmt: skip
HEADERS = {
    0: [b'"order-1"', b'"a\\"b\\\\c"', b"order 1", b'"order-1" ;a=1;b="x;y"', b"\xfe3k\xfe", b'"\xfe3\\"\xfe"'],
    1: [b"wait=5", b"respond-async, wait=10", b'WAIT = "030"; x=y, foo', b"wait=\xfe60\xfex", b"\xfe6,\xfe"],
    2: [b"a-request", b"\xfe2x\xfe"],
    3: [b"application/json", b'Application/JSON ; Charset="UTF-8"', b"text/plain", b"application/json\xfe6 \xfe;"],
    4: [b"acme-corp", b"a-", b"\xfe2a\xfe"],
}
QUERIES = {
    0: [b"type=asset&code=1000", b"code_prefix=%C3%BC+x&status=open&limit=500&order=desc", b"code=%ff", b"\xfe6&a\xfe"],
    1: [b"account_id=2&limit=2", b"posted_from=2026-03-18T05:30:00Z&posted_before=2026-03-18T05:30:00%2B01:00",
        b"idempotency_key=a%20b&hold_id=9223372036854775807", b"limit=1&limit=1"],
    2: [b"account_id=1&status=active", b"status=gone", b"cursor=AAAAAAAAAAcAAAAAAAAAAA"],
    3: [b"from=2026-03-18&to=", b"from=2026-03-18T05:30:00.123Z&limit=5"],
}  # fmt: skip
INSTANTS = [
    b"2026-03-18T05:30:00Z", b"1970-01-01t00:00:00.000001z", b"9999-12-31T23:59:59.999999-23:59",
    b"1970-01-01T00:00:00+00:01", b"2024-02-29T24:00:00Z", b"2026-03-18T05:30:60Z", b"2026-03-18T05:30:00.1234567Z",
]  # fmt: skip
ENVIRONMENT = [
    b"\x01redis://:password@host:6379/0\n\x028\n\x04" + b"9000\n\x090,2\n\x0adebug",
    b"\x01redis+socket:///tmp/broker.sock?virtual_host=1\n\x02\xfe50\xfe4",
    b"\x01rediss://[::1]:x/0",
    b"\x01redis://h/0?socket_timeout=x",
]


def seeds(target: str) -> list[bytes]:
    """Return a target's seeds, in their order."""
    return list(dict.fromkeys(_SEEDS[target]()))


def commands() -> Iterator[tuple[Kind, dict[str, Any], str]]:
    """Yield the kind, the body and the path of every recorded write."""
    for exchange in exchanges():
        request = exchange["request"]
        kind = next((kind for path, kind in KIND_OF_PATH.items() if re.fullmatch(path, request["path"])), None)
        if kind is not None and request["method"] == "POST":
            yield kind, request["body"], request["path"]


def _bodies() -> Iterator[bytes]:
    for kind, body, _ in commands():
        yield bytes([KINDS.index(kind)]) + orjson.dumps(body)
    for text in HARD:
        yield bytes([KINDS.index(Kind.BULK)]) + text
        yield bytes([KINDS.index(Kind.CAPTURE)]) + b'{"amount":' + text + b"}"
    hold = {"account_id": 1, "amount": 5, "expires_at": "2999-01-01T00:00:00+01:00", "metadata": {"b": "", "a": ""}}
    yield bytes([KINDS.index(Kind.HOLD)]) + orjson.dumps(hold)


def _by_number(values: dict[int, list[bytes]]) -> Iterator[bytes]:
    for number, texts in values.items():
        yield from (bytes([number]) + text for text in texts)


def _cursors() -> Iterator[bytes]:
    yield format_cursor(7, LIST).encode()
    yield b"12345678\x04A"
    yield b"\xff" * 8 + b"\x15="


@cache
def _parsed() -> list[Item]:
    found = []
    for number, (kind, body, path) in enumerate(commands(), 1):
        named = {field: int(path.split("/")[3]) for field in _address_field(kind)}
        try:
            found.append(Item(number, "acme", submission(parse_command(kind, {**body, **named}))))
        except Exception:  # the recorded examples have refused ones too
            continue
    return found


def _address_field(kind: Kind) -> list[str]:
    fields = {Kind.CLOSURE: "account_id", Kind.REVERSAL: "entry_id", Kind.CAPTURE: "hold_id", Kind.RELEASE: "hold_id"}
    return [fields[kind]] if kind in fields else []


def _messages() -> Iterator[bytes]:
    items = [item._replace(submission=_plain(item)) for item in _parsed()]
    for part in [items[:1], items[4:7], *([item] for item in items)]:
        text = encode_message(Message(7, "ledger.replies.x", Deadline(BOOT_ID, 1e12), part)).encode()
        yield text.replace(BOOT_ID.encode(), HERE)
    yield b'{"v":1,"id":1,"reply_to":"x","deadline":["x",1],"items":[]}'
    yield b"\xfe8[\xfe"
    for items in (b'"\xfe8k\xfe"', b"[\xfe81,\xfe1]"):
        yield b'{"v":1,"id":1,"reply_to":"ledger.replies.x","deadline":["%s",1e12],"items":%s}' % (HERE, items)


def _plain(item: Item) -> Any:
    """Return a submission without random numbers in it: seeds are the same in each process."""
    return item.submission._replace(operation_id=bytes([item.number]) * 16, submission=item.number)


def _replies() -> Iterator[bytes]:
    answers = [
        (1, Answer(201, b'{"id":1}')),
        (2, Answer(422, b"{}", replayed=True)),
        (3, Answer(503, b"", decided=False)),
    ]
    yield encode_reply(Reply(7, 1, answers))
    yield encode_reply(Reply(7, 0, []))
    yield b'{"v":1,"id":1,"transactions":1,"answers":[[1,"201","{}",0,1]]}'


def _tasks() -> Iterator[bytes]:
    for kind, body, path in commands():
        named = {field: int(path.split("/")[3]) for field in _address_field(kind)}
        yield orjson.dumps({"id": f"task-{kind}", "org": "acme", "kind": kind, "command": {**body, **named}})
    for text in HARD:
        yield b'{"org":"acme","kind":"entry","command":%s}' % text
        yield b'{"org":%s,"kind":"closure","command":{}}' % text
    yield b'{"id":"\\ud800","org":"acme","kind":"account","command":{"name":"A","type":"asset"}}'
    yield b'{"org":"nobody","kind":"account","command":{"name":"A","type":"asset"},"more":1}'


def _requests() -> Iterator[bytes]:
    for exchange in exchanges():
        request = exchange["request"]
        head = f"{request['method']} {request['path']}".encode()
        for name, value in request.get("headers", {}).items():
            head += f"\n{name}: {value}".encode()
        yield head + b"\n\n" + (orjson.dumps(request["body"]) if "body" in request else b"")
    body = json.dumps({"name": "A", "type": "asset"}).encode()
    yield b'POST /v1/accounts\nIdempotency-Key: "k1"\nPrefer: respond-async\nX-Request-Id: r\n\n' + body
    yield b"POST /v1/accounts\nX-Api-Key: wrong\nContent-Type: text/plain\n\n" + body
    yield b"GET /v1/accounts/%2e%2e/balance?at=x\nAccept: text/csv;q=x, */*;q=0.1"
    yield b"DELETE /v1/accounts/1\nX-Org-Slug: ../acme"
    yield b'POST /v1/entries/bulk\n\n{"atomic":false,"entries":[{"lines":[{"account_id":1,"amount":1,"direction":"debit"},{"account_id":2,"amount":1,"direction":"credit"}]}]}'  # noqa: E501


def _streams() -> Iterator[bytes]:
    body = b'{"name":"A","type":"asset"}'
    host = b"Host: x\r\n"
    post = b"POST /v1/accounts HTTP/1.1\r\n" + host
    get = b"GET /v1/accounts/1 HTTP/1.1\r\n" + host
    chunked = b"Transfer-Encoding: chunked\r\n"
    chunks = b"5;a=b\r\n" + body[:5] + b"\r\n16\r\n" + body[5:] + b"\r\n0\r\n"
    length = b"Content-Length: 27\r\n"
    heads = [
        length, chunked, length + chunked, length + length, b"Content-Length: 27, 27\r\n", b"Content-Length : 27\r\n",
        b"Content-Length: +27\r\n", b"Transfer-Encoding: xchunked\r\n", b"X-A: 1\r\n 2\r\n" + length,
        b"X-A: 1\nX-B: 2\r\n" + length, length + b"Expect: 100-continue\r\n", length + b"Connection: close\r\n",
        b"X-\xfe12A\xfe: 1\r\n" + length, b"Content_Length: 5\r\n" + length, b"Content-Length: 27 \r\n",
    ]  # fmt: skip
    for size, head in enumerate(heads):
        content = chunks + b"\r\n" if b"chunked" in head else body
        yield bytes([size]) + post + head + b"\r\n" + content + get + b"\r\n"
    yield b"\x03" + post + chunked + b"\r\n" + chunks + b"X-Trailer: 1\r\n\r\n" + get + b"\r\n"
    yield b"\x00" + (get + b"\r\n") * 3
    yield b"\x00\r\n\r\n" + get + b"\r\n"
    yield b"\x07" + get.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n\r\n" + get + b"\r\n"
    for head, content in ((length, body), (b"X-A: 1\r\nX-A: 2\r\n" + length, body), (chunked, chunks + b"\r\n")):
        again = post + head + b"\r\n" + content
        yield b"\x09" + again * 2 + again.replace(b"1.1", b"1.0") + again
        yield b"\x27" + again + again.replace(b"name", b"nami") + again.replace(b": x", b": y") + again
    yield b"\x00" + post + b"Content-Length: 0\r\n\r\n" + get.replace(b"/v1", b"http://x/v1") + b"\r\n"


_SEEDS = {
    "bodies": _bodies,
    "headers": lambda: _by_number(HEADERS),
    "queries": lambda: _by_number(QUERIES),
    "instants": lambda: iter(INSTANTS),
    "cursors": _cursors,
    "messages": _messages,
    "replies": _replies,
    "tasks": _tasks,
    "requests": _requests,
    "streams": _streams,
    "environment": lambda: iter(ENVIRONMENT),
}
