"""The servers of a test run: found by their address, gone at its end or at the next."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.embedded import paths, processes, servers, testing, throwaway
from portal.embedded.pytest_plugin import _with_number
from tests.embedded.conftest import working_in


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files that is empty, and reachable by every account."""
    with tempfile.TemporaryDirectory(prefix="trunkline-test-") as name:
        Path(name).chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        monkeypatch.setenv(name, "put back at the end")
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("unset")
def test_they_are_there_for_the_time_being(temporary: Path) -> None:
    with throwaway.servers_in_environment(durable=False):
        (state,) = temporary.iterdir()
        assert os.environ["DATABASE_URL"] == paths.database_url(state)
        assert os.environ["REDIS_URL"] == paths.redis_url(state)
        assert len(os.environ["SECRET_KEY"]) > 50
        assert working_in(state)
    assert list(temporary.iterdir()) == []
    assert working_in(temporary) == []


@pytest.mark.usefixtures("unset")
def test_what_a_developer_has_set_for_the_demo_changes_no_test(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp://a-real-mail-server")
    with throwaway.servers_in_environment(durable=False):
        assert "EMAIL_URL" not in os.environ


@pytest.mark.usefixtures("unset")
def test_a_server_of_ones_own_is_used_instead(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
    monkeypatch.setenv("REDIS_URL", "redis://somewhere")
    with throwaway.servers_in_environment(durable=False):
        assert os.environ["DATABASE_URL"] == "postgresql://somewhere/else"
        assert working_in(temporary) == []


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def test_what_another_run_sweeps_meanwhile_does_not_matter(
    temporary: Path, dead: int
) -> None:
    # Like a folder that went after it was listed: there by name, and not to be had.
    (temporary / f"{throwaway.PREFIX}{dead}-x").symlink_to("nowhere")
    assert throwaway._make_folder().exists()


def test_those_of_a_killed_run_are_swept_by_the_next(
    temporary: Path, dead: int
) -> None:
    left = temporary / f"{throwaway.PREFIX}{dead}-x"
    left.mkdir(mode=0o711)
    left.chmod(0o711)
    account = servers.prepare_folders(left)
    valkey = servers.start_valkey(left, account, durable=False)
    living = temporary / f"{throwaway.PREFIX}{os.getpid()}-x"
    living.mkdir()

    throwaway._make_folder()

    assert valkey.process.wait() != 0
    assert not left.exists()
    assert living.exists()
    processes.stop([valkey], patience=0)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock?db=3"),
        ("unix:///run/valkey.sock?db=1", "unix:///run/valkey.sock?db=3"),
        ("redis://host:6379", "redis://host:6379/3"),
        ("rediss://user:word@host/0", "rediss://user:word@host/3"),
    ],
)
def test_a_broker_is_named_with_its_number(url: str, expected: str) -> None:
    assert _with_number(url, 3) == expected


@pytest.mark.parametrize(
    ("typed", "handed_on"),
    [
        (["-k", "x"], ["-n", "3", "--dist", "worksteal", "-k", "x"]),
        (["-n0"], ["-n", "3", "--dist", "worksteal", "-n0"]),  # the last one counts
        (["-p", "no:xdist"], ["-p", "no:xdist"]),
    ],
)
def test_two_workers_unless_one_says_otherwise(
    typed: list[str], handed_on: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[list[str]] = []

    def pytest_main(arguments: list[str]) -> int:
        received.append(arguments)
        return 5

    monkeypatch.setattr(pytest, "main", pytest_main)
    monkeypatch.setattr(testing.system, "provide", lambda need: "")
    assert testing.main(typed) == 5
    assert received == [handed_on]
