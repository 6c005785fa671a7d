"""manage.py before it has any package: what it installs, when, and what it says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from portal.embedded import paths

# The Python that .venv was made with: it has none of the packages.
PLAIN_PYTHON = Path(sys.base_prefix) / "bin/python3"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """manage.py alone, with pins that name nothing, so that no network is needed."""
    folder = tmp_path / "checkout"
    (folder / "requirements").mkdir(parents=True)
    shutil.copy(paths.CHECKOUT / "manage.py", folder)
    for name in ("demo", "dev"):
        (folder / f"requirements/{name}.txt").write_text("# nothing\n")
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """What is found on PATH: nothing, until a test puts a program there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def uv(checkout: Path, programs: Path) -> Path:
    """A uv that notes what it is asked for, and makes the environment without pip."""
    notes = checkout / "notes"
    make = f"exec {PLAIN_PYTHON} -m venv --without-pip {checkout}/.venv"
    put(programs, "uv", f'echo "$@" >> {notes}\n[ "$1" = venv ] && {make}\nexit 0')
    return notes


def manage(
    checkout: Path, programs: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PLAIN_PYTHON, "manage.py", *arguments],
        cwd=checkout,
        env={"PATH": str(programs), "HOME": str(checkout.parent), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_the_first_command_installs_and_the_next_does_not(
    checkout: Path, programs: Path, uv: Path
) -> None:
    first = manage(checkout, programs, "install")
    assert first.returncode == 0, first.stdout
    assert "Installing" in first.stdout
    make, fill = uv.read_text().splitlines()
    assert make.startswith("venv ")
    assert fill.startswith("pip install ")
    assert "--require-hashes" in fill
    assert "--compile-bytecode" in fill
    assert manage(checkout, programs, "install").stdout == ""
    assert manage(checkout, programs, "version").stdout.count("Installing") == 0

    (checkout / "requirements/dev.txt").write_text("# other pins\n")
    assert "Installing" in manage(checkout, programs, "install").stdout


@pytest.mark.parametrize("broken", ["python", "pyvenv.cfg"])
def test_a_broken_environment_is_made_anew(
    checkout: Path, programs: Path, uv: Path, broken: str
) -> None:
    manage(checkout, programs, "install")
    python = checkout / ".venv/bin/python"
    if broken == "python":  # the one behind it was removed or replaced by an upgrade
        python.unlink()
        python.symlink_to("/nowhere/python3")
    else:
        (checkout / ".venv/pyvenv.cfg").unlink()
    again = manage(checkout, programs, "install")
    assert again.returncode == 0, again.stdout
    assert "Installing" in again.stdout
    assert python.exists()


def test_the_environment_may_lie_elsewhere(
    checkout: Path, programs: Path, uv: Path, tmp_path: Path
) -> None:
    manage(checkout, programs, "install")
    (checkout / ".venv").rename(tmp_path / "roomy")
    (checkout / ".venv").symlink_to(tmp_path / "roomy")
    (tmp_path / "alias").symlink_to(checkout)
    assert manage(tmp_path / "alias", programs, "install").stdout == ""


def test_pip_steps_in_when_uv_fails(checkout: Path, programs: Path) -> None:
    put(programs, "uv", "echo 'no such registry'; exit 2")
    answer = manage(checkout, programs, "install")
    assert answer.returncode == 0, answer.stdout
    assert "trying pip" in answer.stdout
    assert (checkout / ".venv/bin/python").exists()


def test_a_python_without_its_venv_module_is_named(
    checkout: Path, programs: Path, tmp_path: Path
) -> None:
    # As on a Debian without the package python3-venv.
    hide = "import sys; sys.modules['ensurepip'] = None"
    (tmp_path / "usercustomize.py").write_text(hide)
    answer = manage(checkout, programs, "demo", PYTHONPATH=str(tmp_path))
    assert answer.returncode == 1
    assert answer.stdout.endswith("apt-get install -y python3-venv\n")
    assert not (checkout / ".venv").exists()


def test_packages_that_cannot_be_had_are_an_error_and_not_forgotten(
    checkout: Path, programs: Path
) -> None:
    pin = f"no-such-package-of-trunkline==1.0 --hash=sha256:{'0' * 64}\n"
    (checkout / "requirements/demo.txt").write_text(pin)
    answer = manage(checkout, programs, "demo", PIP_NO_INDEX="1")
    assert answer.returncode == 1
    assert "no-such-package-of-trunkline" in answer.stdout
    assert "could not be installed" in answer.stdout
    assert not (checkout / ".venv/installed-demo").exists()


def test_a_prepared_environment_is_taken_as_it_is(checkout: Path) -> None:
    """The container image has its packages elsewhere and must install nothing."""
    answer = subprocess.run(
        [sys.executable, "manage.py", "help"],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "django.conf"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert "makemigrations" in answer.stdout
    assert not (checkout / ".venv").exists()
