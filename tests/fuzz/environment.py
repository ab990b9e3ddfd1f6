"""Settings, as an operator may write them."""

from intake import settings as intake
from tests.fuzz.bounds import bounded, expand
from wire import broker
from wire.settings import SettingError
from workers import settings as workers

NAMES = (
    "LEDGER_DATA",
    "LEDGER_REDIS_URL",
    "LEDGER_LANES",
    "LEDGER_HOST",
    "LEDGER_PORT",
    "LEDGER_THREADS",
    "LEDGER_WAIT_S",
    "LEDGER_PENDING_PER_ORG",
    "LEDGER_PENDING",
    "LEDGER_WORKER_LANES",
    "LEDGER_LOG_LEVEL",
)
URL_REFUSED = "LEDGER_REDIS_URL must be redis://[:password@]host[:port]/database,"  # with no word of what it is


def environment(data: bytes) -> None:
    """Read settings from lines, each of a byte that says which, and a value: they are sound, or one is named."""
    environ = {}
    for line in expand(data).split(b"\n"):
        if line:
            environ[NAMES[line[0] % len(NAMES)]] = line[1:].decode(errors="surrogateescape")  # as `os.environ` has it
    for read in (intake.settings, workers.settings):
        try:
            with bounded(data):
                chosen = read(environ)
        except SettingError as error:
            named = str(error).split(" ")[0]
            assert named in NAMES, error
            assert named != "LEDGER_REDIS_URL" or str(error).startswith(URL_REFUSED), "it may have a password in it"
            continue
        shared = chosen.shared
        assert 1 <= shared.lanes <= 256
        broker.connect(shared.redis_url).close()
        if isinstance(chosen, intake.Settings):
            assert 0 <= chosen.port <= 65_535
            assert 0 <= chosen.wait_s <= 30
            assert min(chosen.threads, chosen.pending_max, chosen.pending_per_org_max) >= 1
        else:
            assert chosen.own_lanes
            assert set(chosen.own_lanes) <= set(range(shared.lanes))
