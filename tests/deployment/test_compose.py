"""docker-compose.yml holds together, and says what the settings read."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from portal.embedded.paths import CHECKOUT
from tests.deployment.variables import read_by_settings

FILE = CHECKOUT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def test_it_is_what_compose_understands() -> None:
    check = [sys.executable, "-m", "check_jsonschema"]
    subprocess.run(
        [*check, "--builtin-schema", "vendor.compose-spec", FILE], check=True
    )


def test_production_has_all_its_parts() -> None:
    assert {"db", "redis", "mail", "web", "worker", "beat"} <= SERVICES.keys()


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())
def test_everything_named_exists(service: dict[str, Any]) -> None:
    assert set(service.get("depends_on", {})) <= SERVICES.keys()
    assert set(service["networks"]) <= COMPOSE["networks"].keys()
    assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()
    volumes = {volume.partition(":")[0] for volume in service.get("volumes", [])}
    assert volumes <= COMPOSE["volumes"].keys()


@pytest.mark.parametrize("kind", ["networks", "volumes", "secrets"])
def test_nothing_is_declared_in_vain(kind: str) -> None:
    used = {
        name.partition(":")[0]
        for service in SERVICES.values()
        for name in service.get(kind, [])
    }
    assert used == set(COMPOSE[kind])


@pytest.mark.parametrize("name", SERVICES)
def test_who_is_waited_for_says_how_it_is(name: str) -> None:
    """One can only wait for the health of a service that has a health check."""
    for other, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert how["condition"] == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"migrate"}))
def test_whatever_runs_for_long_is_watched_and_restarted(name: str) -> None:
    assert "healthcheck" in SERVICES[name]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", OURS.values(), ids=OURS.keys())
def test_its_environment_is_what_the_settings_read(service: dict[str, Any]) -> None:
    environment = service["environment"]
    names = {name.removesuffix("_FILE") for name in environment}
    assert names <= read_by_settings()
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"} <= names


@pytest.mark.parametrize("service", OURS.values(), ids=OURS.keys())
def test_secrets_come_from_files_that_it_is_given(service: dict[str, Any]) -> None:
    for name, value in service["environment"].items():
        if name.endswith("_FILE"):
            assert Path(value).parent == Path("/run/secrets")
            assert Path(value).name in service["secrets"]
        else:
            assert "password" not in value.lower()
    for secret in COMPOSE["secrets"].values():
        assert Path(secret["file"]).parent == Path("secrets")
    assert "/secrets/" in (CHECKOUT / ".gitignore").read_text().splitlines()


def test_only_the_pages_and_the_mails_can_be_reached_and_only_from_here() -> None:
    published = {name for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web", "mail"}
    for name in published:
        assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])
    assert COMPOSE["networks"]["inside"]["internal"]


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - OURS.keys()))
def test_images_are_of_a_named_version(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert any(letter.isdigit() for letter in tag)
