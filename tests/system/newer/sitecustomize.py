"""The newer program in the processes of a stack: Python runs this first, where PYTHONPATH names its folder.

They are the newer program, whose files go through one more schema step, once the file NEWER is there.
"""

import os
from pathlib import Path

import pytest

from tests import newer_program

if Path(os.environ["NEWER"]).exists():
    newer_program.install(pytest.MonkeyPatch())
