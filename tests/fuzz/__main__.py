"""`python -m tests.fuzz`: lead the targets with libFuzzer, and keep in the corpus what reaches something new.

It ends with 1 at the first input that a target does not hold for, which is then in `tests/fuzz/found/`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

# The targets too: what they tell apart by themselves leads on where the code under test is not Python.
with atheris.instrument_imports(include=["ledger_core", "wire", "intake", "workers", "tests.fuzz"]):
    from tests.fuzz.targets import TARGETS
from tests.fuzz import corpus, mutations
from tests.fuzz.seeds import HARD, seeds

FOUND = Path(__file__).parent / "found"
INPUT_BYTES_MAX = 4_096
HANGS_AFTER_S = 30
WORDS = [
    "debit", "credit", "asset", "liability", "v", "id", "reply_to", "deadline", "items", "answers", "transactions",
    "limit", "cursor", "order", "asc", "desc", "status", "wait", "respond-async", "charset", "utf-8", "Prefer",
    "Idempotency-Key", "Accept", "X-Request-Id", "X-Org-Slug", "text/csv",
]  # fmt: skip


def main() -> int:
    """Fuzz each of the targets in a process of its own."""
    options = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    options.add_argument("targets", nargs="*", metavar="target", help=f"of {', '.join(TARGETS)}; all, if none is named")
    options.add_argument("--seconds", type=int, default=60, help="for each target")
    options.add_argument("--seed", type=int, default=1, help="of libFuzzer's random numbers")
    options.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # the folder of a process that fuzzes
    chosen = options.parse_args()
    if unknown := set(chosen.targets) - set(TARGETS):
        options.error(f"no such target: {', '.join(sorted(unknown))}")
    if chosen.inside:
        _fuzz(chosen.targets[0], chosen.inside, chosen.seconds, chosen.seed)
    FOUND.mkdir(exist_ok=True)
    return max([_lead(name, chosen.seconds, chosen.seed) for name in chosen.targets or TARGETS])


def _lead(name: str, seconds: int, seed: int) -> int:
    print(f"== {name}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ledger-fuzz-") as scratch:
        folder = Path(scratch)
        for number, data in enumerate([*seeds(name), *corpus.load(name)]):
            (folder / f"{number:05d}").write_bytes(data)
        again = [sys.executable, "-m", "tests.fuzz", name, "--inside", scratch]
        code = subprocess.run([*again, "--seconds", str(seconds), "--seed", str(seed)], check=False).returncode
        if code == 0:
            kept = corpus.minimal(name, TARGETS[name], (path.read_bytes() for path in folder.iterdir()))
            corpus.keep(name, kept)
            print(f"== {name}: {len(kept)} inputs kept beside {len(seeds(name))} seeds", flush=True)
    return min(code, 1) if code >= 0 else 1


def _fuzz(name: str, folder: Path, seconds: int, seed: int) -> None:
    """Fuzz until the time is over. It does not return."""
    words = folder.with_suffix(".dict")
    words.write_text("".join(map(_quoted, _words())), encoding="ascii")
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            f"-max_len={INPUT_BYTES_MAX}",
            f"-timeout={HANGS_AFTER_S}",
            f"-artifact_prefix={FOUND}/{name}-",
            f"-dict={words}",
            "-rss_limit_mb=4096",
            "-print_final_stats=1",
            str(folder),
        ],
        TARGETS[name],
        custom_mutator=_mutated,
    )
    atheris.Fuzz()


def _mutated(data: bytes, size_max: int, seed: int) -> bytes:
    """Change an input: half the time the JSON in it, else its bytes."""
    changed = mutations.mutated(data, seed) if seed % 2 else None
    if changed is None or len(changed) > size_max:
        return bytes(atheris.Mutate(data, size_max))
    return changed


def _quoted(word: bytes) -> str:
    """Write a word as a line of a dictionary of libFuzzer's."""
    escaped = "".join([f"\\x{byte:02x}" for byte in word])
    return f'"{escaped}"\n'


def _words() -> list[bytes]:
    """Return what inputs are made of: names of fields, words that mean something, and what is hard to read."""
    return [name.encode() for name in (*mutations.NAMES, *WORDS)] + [word for word in HARD if len(word) <= 64]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    sys.exit(main())
