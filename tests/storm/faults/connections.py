"""Connections that break: to the broker, and from callers."""

from typing import ClassVar

from tests.storm.faults.fault import Fault, Impossible
from tests.storm.system import Proxy
from wire.broker import ERRORS


class _OfLine(Fault):
    command: ClassVar[str]
    line: ClassVar[str]

    def begin(self) -> None:
        self._line().command(self.command)

    def _line(self) -> Proxy:
        found: Proxy = getattr(self.system, self.line)
        return found


class _Stalled(_OfLine):
    command = "stall"

    def end(self) -> None:
        self._line().command("go")


class CutBrokerConnections(_OfLine):
    """Every connection to the broker breaks: from the broker's side or on the way."""

    command, line = "cut", "to_broker"

    def begin(self) -> None:
        if self.pick < 0.5:
            return super().begin()
        try:
            client = self.system.broker()
            client.client_kill_filter(_type="normal", skipme=True)
            client.client_kill_filter(_type="pubsub")
        except ERRORS as error:
            raise Impossible("the broker is away") from error


class TearBrokerMessages(_OfLine):
    """The broker gets half of what is sent next on each connection."""

    command, line = "tear", "to_broker"


class MuteBroker(_OfLine):
    """The broker's next answer on each connection is lost with it: what was asked for is done."""

    command, line = "mute", "to_broker"


class PartFromBroker(_Stalled):
    """Nothing gets through, and no connection breaks."""

    line = "to_broker"


class CutCallers(_OfLine):
    """Every caller's connection breaks."""

    command, line = "cut", "to_intake"


class TearRequests(_OfLine):
    """Intake gets half of the next request of each caller."""

    command, line = "tear", "to_intake"


class MuteAnswers(_OfLine):
    """The next answer to each caller is lost with its connection: what was asked for is done."""

    command, line = "mute", "to_intake"


class PartFromCallers(_Stalled):
    """Nothing gets through, and no connection breaks."""

    line = "to_intake"


FAULTS: dict[str, type[Fault]] = {
    "cut_broker_connections": CutBrokerConnections,
    "tear_broker_messages": TearBrokerMessages,
    "mute_broker": MuteBroker,
    "part_from_broker": PartFromBroker,
    "cut_callers": CutCallers,
    "tear_requests": TearRequests,
    "mute_answers": MuteAnswers,
    "part_from_callers": PartFromCallers,
}
