"""Python's collector of cycles, in a process that makes few of them and serves somebody at every moment."""

import gc

YOUNG_OBJECTS_MAX = 10_000  # between two looks at the young; Python's 700 are made by a few commands


def collect_seldom() -> None:
    """Have it look less often, and not among what was made by now: a look at all that takes tens of milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX)
