"""The image has what the application needs, and nothing more."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from portal.embedded import system
from portal.embedded.paths import CHECKOUT

DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()
IGNORED = (CHECKOUT / ".dockerignore").read_text().splitlines()
TAKEN = {line[1:] for line in IGNORED if line.startswith("!")}


def test_all_of_the_application_is_taken() -> None:
    assert IGNORED[1] == "*", "first everything is left out"
    assert all((CHECKOUT / name).exists() for name in TAKEN)
    apps = {path.parent.name for path in CHECKOUT.glob("*/__init__.py")} - {"tests"}
    assert apps <= TAKEN
    assert {"manage.py", "templates", "static"} <= TAKEN


def test_it_has_the_libraries_for_documents() -> None:
    assert set(system.DOCUMENTS.packages) <= set(re.findall(r"[\w.-]+", DOCKERFILE))


def test_it_has_the_pins_of_production_only() -> None:
    assert set(re.findall(r"(\w+)\.txt", DOCKERFILE)) == {"base"}
    assert "--require-hashes" in DOCKERFILE


def test_it_does_not_run_as_root() -> None:
    user = DOCKERFILE.rindex("\nUSER trunkline\n")
    assert "\nRUN " not in DOCKERFILE[user:]
    assert "useradd" in DOCKERFILE


def test_every_static_file_finds_those_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There, names carry digests: a stylesheet that names a missing file fails."""
    # The image compresses them as well, which takes half a minute and proves nothing.
    manifest = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    storages = {**settings.STORAGES, "staticfiles": {"BACKEND": manifest}}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=storages):
        call_command("collectstatic", interactive=False, verbosity=0)
    assert (tmp_path / "staticfiles.json").exists()
    assert not capsys.readouterr().err
