"""What it was measured on."""

import os
import platform
from collections.abc import Mapping

import apsw


def facts() -> Mapping[str, str | int]:
    """Return facts about this machine and the programs on it."""
    return {
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
    }


def sentence() -> str:
    """Return the same for people."""
    found = facts()
    programs = f"Python {found['python']} and SQLite {found['sqlite']}"
    return f"Measured on {found['cores']} cores of {found['system']}, with {programs}."
