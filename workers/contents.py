"""What is read of a message on a lane: JSON as it is written, and of what is compressed no more than any task needs."""

import bz2
import json
import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

from kombu import compression
from kombu.serialization import registry
from kombu.utils.json import dumps

BYTES_MAX = 16 * 1024 * 1024  # a command of 1 MiB with every character escaped, and room; a bomb makes gigabytes


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def read_strictly() -> None:
    """Have this process read messages so.

    kombu's own JSON makes dates, bytes and decimals of objects with the members `__type__` and `__value__`, which are
    as good `metadata` as any other; its decompressors make whatever a message claims to be.
    """
    registry.register("json", dumps, json.loads, content_type="application/json", content_encoding="utf-8")
    bounded: dict[str, Callable[[], _Decompressor]] = {
        "application/x-gzip": zlib.decompressobj,  # so kombu calls zlib's form
        "application/x-bz2": bz2.BZ2Decompressor,
        "application/x-lzma": lzma.LZMADecompressor,
    }
    for content_type in compression.encoders():
        encoder, _ = compression.get_encoder(content_type)
        compression.register(encoder, _decoder(content_type, bounded.get(content_type)), content_type)


def _decoder(content_type: str, new: Callable[[], _Decompressor] | None) -> Callable[[bytes], bytes]:
    def decode(data: bytes) -> bytes:
        if new is None:
            raise ValueError(f"nothing is read here that is compressed as {content_type}")
        decompressor = new()
        text = decompressor.decompress(data, BYTES_MAX)
        if not decompressor.eof:
            raise ValueError(f"it is cut short, or holds more than {BYTES_MAX} bytes")
        return text

    return decode
