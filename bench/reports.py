"""What is measured with nothing beside it: waits, memory and disk."""

from collections.abc import Callable, Mapping

from bench import disk, latency, memory
from bench.place import Place
from bench.table import Fact

ORGS = 10_000
MEMORY_MB_MAX = 250
ENTRY_BYTES_MAX = 600
APPLIED_MS_MAX = 50


def _latency(place: Place) -> list[Fact]:
    waits = latency.measure(place)
    load = f"{waits.reached:,.0f} accepted a second, half of the most"
    return [
        Fact("latency", f"accepted to applied, p50, at {load}", waits.p50_ms, "ms"),
        Fact("latency", f"accepted to applied, p99, of {waits.probes:,} probes", waits.p99_ms, "ms", APPLIED_MS_MAX),
    ]


def _memory(place: Place) -> list[Fact]:
    held = memory.touch(place.ledger_of(intakes=1, workers=2, name="memory"), ORGS)
    facts = []
    for kind in ("intake", "worker"):
        ones = [each for each in held if each.kind == kind]
        after = f"after {ORGS:,} orgs"
        most = max(each.memory_mb for each in ones)
        facts.append(Fact("memory", f"memory of an {kind} {after}".replace("an w", "a w"), most, "MB", MEMORY_MB_MAX))
        facts.append(Fact("memory", f"descriptors of it {after}", max(each.descriptors for each in ones), ""))
    return facts


def _disk(place: Place) -> list[Fact]:
    folder = place.folder / "disk"
    return [Fact("disk", "disk for an entry of two lines", disk.bytes_per_entry(folder), "bytes", ENTRY_BYTES_MAX)]


REPORTS: Mapping[str, Callable[[Place], list[Fact]]] = {"latency": _latency, "memory": _memory, "disk": _disk}
