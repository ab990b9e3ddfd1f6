"""The faults of a storm, each a small class that begins and ends; `ALL` names them as the plan does."""

from tests.storm.faults import connections, lanes, machine, processes
from tests.storm.faults.fault import Fault

ALL: dict[str, type[Fault]] = {**processes.FAULTS, **lanes.FAULTS, **connections.FAULTS, **machine.FAULTS}
