import os
from dataclasses import replace
from pathlib import Path

import pytest

from portal.embedded import system
from portal.embedded.system import Need

MISSING = Need(
    purpose="Test documents",
    packages=("libnever", "libneither"),
    libraries=("libc.so.6", "libnever.so.9"),
)

root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may install packages"
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


@root_only
def test_root_has_it_installed(apt: Path) -> None:
    system.provide(MISSING)
    update, install = apt.read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install -y --no-install-recommends libnever libneither")


@root_only
def test_other_packages_are_taken_where_the_first_ones_bring_nothing(apt: Path) -> None:
    system.provide(replace(MISSING, instead=("libalso",)))
    assert apt.read_text().splitlines()[2:] == [
        "-qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends libalso"
    ]


@root_only
def test_the_first_packages_are_enough_when_they_bring_it(
    apt: Path, tmp_path: Path
) -> None:
    # This apt-get brings a program with whatever it installs.
    brought = tmp_path / "brought"
    with (tmp_path / "apt-get").open("a") as script:
        script.write(f"touch {brought}; chmod +x {brought}\n")
    need = Need("X", ("first",), instead=("second",), programs=("brought",))
    assert system.provide(need) == ""
    assert need.program == str(brought)
    assert "second" not in apt.read_text()


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
