"""The verbs of every day, and that the models and their migrations agree."""

import os
import re
import subprocess

import pytest
from django.core.management import call_command

from portal.embedded.paths import CHECKOUT

MAKEFILE = (CHECKOUT / "Makefile").read_text()


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("run", "python3 manage.py demo"),
        ("test", "python3 manage.py test"),
        ("bench", "python3 manage.py bench"),
        ("lint", ".ci/lint"),
        ("fix", ".ci/lint fix"),
    ],
)
def test_the_makefile_only_forwards(verb: str, command: str) -> None:
    assert re.search(rf"^{verb}:.*\n\t{re.escape(command)}\n", MAKEFILE, re.M)
    assert re.search(rf"^\.PHONY:.*\b{verb}\b", MAKEFILE, re.M)


@pytest.mark.parametrize("script", [".ci/run", ".ci/lint"])
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(CHECKOUT / script, os.X_OK)
    subprocess.run(["bash", "-n", CHECKOUT / script], check=True)


def test_ci_runs_the_very_command_of_the_readme() -> None:
    command = "python3 manage.py test"
    assert command in (CHECKOUT / ".ci/run").read_text().splitlines()
    assert command in (CHECKOUT / "README.md").read_text()


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
