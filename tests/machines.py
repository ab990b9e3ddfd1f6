"""How long state machines run: as briefly as a test run can afford and the same each time, or as long as they are told.

`MACHINE_EXAMPLES=5000 pytest -n 0 tests/intake/test_machine.py` runs that many, other ones each time.
With `MACHINE_SHRINK=no` a failing sequence is shown as it was found, at once, and not made small first.
"""

import os

from hypothesis import HealthCheck, Phase, settings


def run_for(examples: int, *, steps: int = 40) -> settings:
    """Return the settings of a machine: how many sequences, of how many steps."""
    told = int(os.environ.get("MACHINE_EXAMPLES", "0"))
    return settings(
        max_examples=told or examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=not told,  # the same sequences each time: a red run is one to look into, not to repeat
        database=None,
        phases=[Phase.generate] if os.environ.get("MACHINE_SHRINK") == "no" else tuple(Phase),
        suppress_health_check=list(HealthCheck),
    )
