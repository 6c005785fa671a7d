import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.embedded import processes
from tests.embedded.conftest import wait_for_end

STUBBORN = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen(["sleep", "600"])
print(grandchild.pid, flush=True)
grandchild.wait()
"""

RUNNER = """
from pathlib import Path
from portal.embedded import processes
folder = Path({folder!r})
log = folder / "log"
child = processes.start("x", ["sleep", "600"], log=log, folder=folder)
print(child.process.pid, flush=True)
child.process.wait()
"""


def started(tmp_path: Path, *command: str) -> processes.Child:
    return processes.start("the child", command, log=tmp_path / "log", folder=tmp_path)


def first_line(log: Path) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if "\n" in (text := log.read_text()):
            return text.splitlines()[0]
    raise AssertionError(f"nothing in {log}")


def test_a_child_that_does_not_end_is_killed_with_what_it_started(
    tmp_path: Path,
) -> None:
    child = started(tmp_path, sys.executable, "-c", STUBBORN)
    grandchild = int(first_line(child.log))
    processes.stop([child], patience=0.1)
    assert child.process.returncode == -signal.SIGKILL
    wait_for_end([grandchild])


def test_what_a_killed_child_leaves_behind_is_killed_too(tmp_path: Path) -> None:
    child = started(tmp_path, sys.executable, "-c", STUBBORN)
    grandchild = int(first_line(child.log))
    child.process.kill()
    processes.stop([child], patience=20)
    wait_for_end([grandchild])


def test_stopping_waits_for_all_of_them_together(tmp_path: Path) -> None:
    children = [started(tmp_path, sys.executable, "-c", STUBBORN) for _ in range(3)]
    begin = time.monotonic()
    processes.stop(children, patience=1)
    assert time.monotonic() - begin < 2


def test_a_child_is_stopped_when_its_start_is_broken_off(tmp_path: Path) -> None:
    child = started(tmp_path, "sleep", "600")
    with pytest.raises(KeyboardInterrupt), processes.stopped_on_error(child):
        raise KeyboardInterrupt
    assert child.process.returncode == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl")
def test_a_killed_runner_takes_its_children_along(tmp_path: Path) -> None:
    code = RUNNER.format(folder=str(tmp_path))
    runner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert runner.stdout is not None
    child = int(runner.stdout.readline())
    runner.kill()
    runner.communicate()
    wait_for_end([child])


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")
def test_only_our_programs_in_our_folders_are_leftovers(tmp_path: Path) -> None:
    ours, elsewhere = tmp_path / "ours", tmp_path / "elsewhere"
    ours.mkdir()
    elsewhere.mkdir()
    wait = [sys.executable, "-c", "import time; time.sleep(600)"]
    leftover = subprocess.Popen(wait, cwd=ours)
    shell = subprocess.Popen(["sleep", "600"], cwd=ours)
    stranger = subprocess.Popen(wait, cwd=elsewhere)
    try:
        processes.end_leftovers([ours, tmp_path / "missing"], ("python",))
        assert leftover.wait() == -signal.SIGKILL
        assert shell.poll() is None
        assert stranger.poll() is None
    finally:
        for process in (leftover, shell, stranger):
            process.kill()
            process.wait()


def test_a_failure_shows_the_end_of_the_log(tmp_path: Path) -> None:
    code = "print(*range(100), sep='\\n'); exit(3)"
    child = started(tmp_path, sys.executable, "-c", code)
    child.process.wait()
    text = str(child.failed("ended"))
    assert text.startswith(f"the child ended. The end of {child.log}:\n")
    assert text.splitlines()[-1].strip() == "99"
    assert len(text.splitlines()) < 20


def test_children_are_out_of_reach_of_the_terminal(tmp_path: Path) -> None:
    child = started(tmp_path, "sleep", "600")
    try:
        assert os.getsid(child.process.pid) != os.getsid(0)
    finally:
        processes.stop([child], patience=20)
