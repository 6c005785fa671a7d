"""What .env.example explains, README lists and the settings read is the same."""

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from portal.embedded.paths import CHECKOUT
from tests.deployment.variables import read_by_settings

PRODUCTION = {
    "SECRET_KEY": secrets.token_urlsafe(64),
    "DATABASE_URL": "postgresql://trunkline:secret@db/trunkline",
    "REDIS_URL": "redis://redis:6379/0",
    "EMAIL_URL": "smtp://mail:25",
    "PUBLIC_URL": "https://portal.example",
    "ALLOWED_HOSTS": "portal.example",
}


def test_every_variable_is_explained() -> None:
    lines = (CHECKOUT / ".env.example").read_text().splitlines()
    found = [re.match(r"#?([A-Z_]+)=", line) for line in lines]
    names = [match[1] for match in found if match]
    assert set(names) == read_by_settings()
    assert len(names) == len(set(names))


def test_every_variable_stands_in_the_readme() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+)`", readme, re.M)) == read_by_settings()


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_a_production_host_passes_djangos_own_checks() -> None:
    answer = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert answer.returncode == 0, answer.stdout


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    environment = dict(PRODUCTION)
    for name in ("SECRET_KEY", "DATABASE_URL"):
        (tmp_path / name).write_text(f"{environment.pop(name)}\n")
        environment[f"{name}_FILE"] = str(tmp_path / name)
    answer = manage("check", **environment)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "short"),
        ("DEBUG", "yes"),
        ("DATABASE_POOL", "many"),
        ("DATABASE_URL_FILE", "/nowhere/url"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(
    name: str, value: str | None
) -> None:
    environment = {key: text for key, text in PRODUCTION.items() if key != name}
    if value is not None:
        environment[name] = value
    answer = manage("check", **environment)
    assert answer.returncode != 0
    last = answer.stdout.strip().splitlines()[-1]
    assert name in last
