"""What is read of a message: as it is written, and no more than any task needs."""

import bz2
import json
import lzma
import zlib
from collections.abc import Callable, Iterator

import pytest
from kombu import compression
from kombu.serialization import dumps, loads, registry

from workers.contents import BYTES_MAX, read_strictly

TYPED = {"__type__": "decimal", "__value__": "5"}


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """kombu as a worker sets it up, and afterwards as it was for the other tests."""
    json_before = registry._encoders["json"], registry._decoders["application/json"]
    before = dict(compression._decoders)
    read_strictly()
    yield
    registry._encoders["json"], registry._decoders["application/json"] = json_before
    compression._decoders.update(before)


def test_json_is_read_as_it_is_written() -> None:
    content_type, encoding, text = dumps({"metadata": TYPED}, "json")

    assert loads(text, content_type, encoding) == {"metadata": TYPED}
    assert loads(json.dumps([TYPED]), "application/json", "utf-8") == [TYPED]


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "application/x-gzip": zlib.compress,
    "application/x-bz2": bz2.compress,
    "application/x-lzma": lzma.compress,
    "gzip": zlib.compress,
}


@pytest.mark.parametrize("name", COMPRESSORS)
def test_what_is_compressed_is_read(name: str) -> None:
    for text in (b"", b"{}", b"x" * BYTES_MAX):
        assert compression.decompress(COMPRESSORS[name](text), name) == text


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_bomb_is_not_blown_up(name: str) -> None:
    bomb = COMPRESSORS[name](bytes(BYTES_MAX + 1))
    assert len(bomb) < 100_000

    with pytest.raises(ValueError, match="holds more than"):
        compression.decompress(bomb, name)


def test_other_ways_to_compress_are_not_read() -> None:
    others = set(compression.encoders()) - set(COMPRESSORS)

    for name in others:
        with pytest.raises(ValueError, match="nothing is read here"):
            compression.decompress(b"x", name)
