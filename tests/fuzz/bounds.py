"""Bounds: what an input may cost, and how a short input stands for a long one."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

CPU_S_MAX = 1.0  # for any input: a hundred times what the worst of a megabyte takes, so a slow machine passes as well
EXPANDED_BYTES_MAX = 1024 * 1024

_REPEAT = re.compile(rb"\xfe([0-9])(.{1,64}?)\xfe", re.DOTALL)  # 0xfe is in no UTF-8


class TooSlow(AssertionError):
    """An input cost more processor time than any input may."""


@contextmanager
def bounded(what: object) -> Iterator[None]:
    """Fail if a block takes too much processor time; what other processes take does not count."""
    began_s = time.thread_time()
    yield
    took_s = time.thread_time() - began_s
    if took_s > CPU_S_MAX:
        raise TooSlow(f"{took_s:.1f} s for {what!r:.80}")


def expand(data: bytes) -> bytes:
    """Write out repeats: `0xfe n text 0xfe` stands for `text`, 4 ** (n + 1) times, within a megabyte in all.

    So a corpus of short inputs reaches what only long ones do: deep nesting, endless numbers, thousands of lines.
    """
    parts, left, end = [], EXPANDED_BYTES_MAX, 0
    for match in _REPEAT.finditer(data):
        parts.append(data[end : match.start()])
        times = min(4 ** (int(match[1]) + 1), left // len(match[2]))
        parts.append(match[2] * times)
        left -= len(match[2]) * times
        end = match.end()
    parts.append(data[end:])
    return b"".join(parts)[:EXPANDED_BYTES_MAX]
