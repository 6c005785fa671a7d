"""`manage.py demo` itself, started and ended the way a person does, or a bad day."""

import os
import signal
import socket
import urllib.request
from pathlib import Path

import psycopg
import pytest

from portal.embedded import paths
from tests.embedded.conftest import Demo, wait_for_end, working_in

# A start prepares a database and several processes; two share the machine with others.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def first_page(demo: Demo) -> str:
    with urllib.request.urlopen(demo.url, timeout=30) as answer:
        return str(answer.read().decode())


def connect(state: Path) -> psycopg.Connection:
    return psycopg.connect(paths.database_url(state), autocommit=True)


def kept(state: Path) -> list[tuple[int]]:
    with connect(state) as connection:
        return connection.execute("TABLE kept").fetchall()


def test_it_runs_alone_and_keeps_its_data_however_it_ends(
    state: Path, port: int, start_demo: type[Demo]
) -> None:
    """One story, because a first start takes longest."""
    demo = start_demo(state, port)
    demo.wait_until_it_runs()
    assert demo.url in demo.output
    assert "Log in" in first_page(demo)
    with connect(state) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1")

    second = start_demo(state, port)
    assert second.end() == 1
    assert second.output.count("\n") == 1
    assert f"already runs at {demo.url}" in second.output
    assert "Log in" in first_page(demo), "the first one was left alone"

    # The worst case: the whole machine's memory ran out, and hardly anything is left.
    left = working_in(state)
    assert len(left) > 5
    webs = [pid for pid in left if b"granian" in command_line(pid)]
    os.kill(demo.process.pid, signal.SIGKILL)
    os.kill(min(webs), signal.SIGKILL)
    demo.end()

    again = start_demo(state, port)
    again.wait_until_it_runs()
    wait_for_end(left, seconds=0)
    assert "Log in" in first_page(again)
    assert kept(state) == [(1,)]

    everything = working_in(state)
    assert again.interrupt(signal.SIGINT) == 0
    assert again.output.endswith("The data is kept for the next start.\n")
    wait_for_end(everything, seconds=0)
    # Nobody was still connected when the database went: the clients were stopped first.
    log = (state / "logs/postgres.log").read_text()
    assert "database system is shut down" in log
    assert "terminating connection due to administrator command" not in log

    last = start_demo(state, port)
    last.wait_until_it_runs()
    assert kept(state) == [(1,)]

    # One of its processes dies: all stop, and the reason is said.
    everything = working_in(state)
    web = next(pid for pid in everything if b"granian" in command_line(pid))
    os.kill(web, signal.SIGKILL)
    assert last.end() == 1
    assert "web ended by itself" in last.output
    wait_for_end(everything, seconds=0)


def test_a_taken_port_is_named_with_a_free_one(
    state: Path, start_demo: type[Demo]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = start_demo(state, port)
        assert demo.end() == 1
    assert demo.output.count("\n") == 1
    assert f"Port {port} is taken" in demo.output
    assert "manage.py demo --port " in demo.output
    assert not (state / "postgres/data").exists()


def test_a_port_that_is_none_is_refused(state: Path, start_demo: type[Demo]) -> None:
    demo = start_demo(state, 70000)
    assert demo.end() == 1
    assert demo.output.startswith("There is no port 70000")


def test_a_full_disk_is_named_before_anything_is_begun(
    small_disk: Path, port: int, start_demo: type[Demo]
) -> None:
    demo = start_demo(small_disk, port)
    assert demo.end() == 1
    assert demo.output.count("\n") == 1
    assert "MiB left" in demo.output
    assert "TRUNKLINE_STATE" in demo.output
    assert not (small_disk / "postgres/data").exists()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"]
)
def test_it_ends_when_asked_also_behind_a_scripts_ampersand(
    state: Path, port: int, start_demo: type[Demo], number: signal.Signals
) -> None:
    # A script's shell starts such a command with Ctrl-C ignored, which is inherited.
    before = signal.signal(number, signal.SIG_IGN)
    try:
        demo = start_demo(state, port)
    finally:
        signal.signal(number, before)
    assert demo.process.stdout is not None
    demo.output += demo.process.stdout.readline()
    assert demo.interrupt(number) == 0
    assert demo.output.startswith("Preparing the database")
    assert working_in(state) == []


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
