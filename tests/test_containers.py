"""What the image and the compose stack must not lose: no root, no privileges, no open broker, no moving versions."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

HOUSE = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((HOUSE / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (HOUSE / "Dockerfile").read_text(encoding="utf-8")
EXACT = re.compile(r"[a-z/]+:\d+\.\d+\.\d+[a-z0-9.-]*(@sha256:[0-9a-f]{64})?")

every_service = pytest.mark.parametrize("name", SERVICES)


def test_the_services_are_those_that_these_tests_were_written_for() -> None:
    assert set(SERVICES) == {"redis", "workers", "intake"}


@every_service
def test_a_service_has_no_privileges_and_can_gain_none(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    forbidden = {"cap_add", "privileged", "devices", "pid", "ipc", "network_mode", "userns_mode", "cgroup_parent"}
    assert not forbidden & service.keys()


@every_service
def test_what_a_service_may_use_up_is_bounded(name: str) -> None:
    service = SERVICES[name]

    assert service["pids_limit"] <= 256
    assert re.fullmatch(r"\$\{LEDGER_MEMORY:-\d+g\}", service["mem_limit"])
    assert service["ulimits"] == {"core": 0}
    assert service["tmpfs"] == ["/tmp:size=64m,noexec,nosuid,nodev"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


@every_service
def test_a_service_is_checked_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@every_service
def test_a_service_mounts_named_volumes_only(name: str) -> None:
    """Neither a folder of the host nor the socket of Docker."""
    sources = {volume.partition(":")[0] for volume in SERVICES[name]["volumes"]}

    assert sources <= set(COMPOSE["volumes"])


@every_service
def test_the_password_is_in_no_command(name: str) -> None:
    service = SERVICES[name]
    commands = str([service.get(field) for field in ("command", "entrypoint", "healthcheck")])

    assert "LEDGER_REDIS_PASSWORD" not in commands
    assert "only-for-development" not in commands


def test_the_broker_has_a_password_and_is_reached_from_within_only() -> None:
    broker = SERVICES["redis"]

    assert "requirepass $$REDISCLI_AUTH" in str(broker["command"])
    assert "ports" not in broker
    assert broker["networks"] == ["broker"]
    assert COMPOSE["networks"]["broker"] == {"internal": True}
    assert broker["user"] not in ("root", "0", 0)


def test_only_intake_is_published_and_on_this_machine_alone_unless_told() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["intake"]
    assert SERVICES["intake"]["ports"] == ["${LEDGER_PUBLISH:-127.0.0.1:8080}:8080"]


def test_versions_of_images_are_exact() -> None:
    (base,) = re.findall(r"^FROM (\S+)$", DOCKERFILE, re.MULTILINE)

    assert EXACT.fullmatch(base)
    assert EXACT.fullmatch(SERVICES["redis"]["image"])
    for name in ("workers", "intake"):
        assert (SERVICES[name]["image"], SERVICES[name]["pull_policy"]) == ("${LEDGER_IMAGE:-ff-ledger}", "never")


def test_the_image_runs_as_nobody_in_particular_and_installs_what_is_locked() -> None:
    (user,) = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)

    assert user == "10001:10001"
    assert DOCKERFILE.rindex("\nUSER ") > DOCKERFILE.rindex("\nRUN ")
    assert "--require-hashes" in DOCKERFILE
    assert "install -d -m 0700 -o 10001" in DOCKERFILE
    assert not re.search(r"^(ADD|VOLUME)|curl|wget|sudo|chmod -R a\+rwX", DOCKERFILE, re.MULTILINE)


def test_nothing_but_the_programs_is_sent_to_the_builder() -> None:
    ignored, *allowed = [
        line for line in (HOUSE / ".dockerignore").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]

    assert ignored == "*"
    assert {line for line in allowed if line.startswith("!")} == {
        "!requirements.txt", "!ledger_core", "!wire", "!intake", "!workers", "!ledgerctl",
    }  # fmt: skip
