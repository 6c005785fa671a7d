import os
from pathlib import Path

import pytest

from portal.embedded import system
from portal.embedded.system import Need

MISSING = Need(
    purpose="Test documents",
    packages=("libnever", "libneither"),
    libraries=("libc.so.6", "libnever.so.9"),
)


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt-get that only notes what it is asked for."""
    program = tmp_path / "apt-get"
    notes = tmp_path / "notes"
    program.write_text(f'#!/bin/sh\necho "$@" >> {notes}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return notes


def test_a_missing_library_is_named_with_the_line_that_installs_it(apt: Path) -> None:
    advice = system.provide(MISSING)
    assert advice == (
        "Test documents need a system package:"
        " apt-get install -y --no-install-recommends libnever libneither"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may install packages")
def test_root_has_it_installed(apt: Path) -> None:
    system.provide(MISSING)
    update, install = apt.read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install -y --no-install-recommends libnever libneither")


def test_an_ordinary_user_is_only_told(
    apt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "libnever" in system.provide(MISSING)
    assert not apt.exists()


def test_nothing_is_said_or_done_when_all_is_there(apt: Path) -> None:
    here = Need("A shell", ("dash",), libraries=("libc.so.6",), programs=("nosh", "sh"))
    assert system.provide(here) == ""
    assert not apt.exists()
    assert here.program is not None
    assert here.program.endswith("/sh")


def test_one_of_several_programs_is_enough_but_one_is_needed() -> None:
    assert not Need("X", ("x",), programs=("never-heard-of",)).is_met


def test_one_of_several_files_is_enough_but_one_is_needed(tmp_path: Path) -> None:
    face = tmp_path / "face.ttc"
    need = Need("X", ("x",), files=(str(tmp_path / "other.ttc"), str(face)))
    assert not need.is_met
    face.touch()
    assert need.is_met
