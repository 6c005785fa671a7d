"""State folders and running demos for the tests of the embedded servers."""

import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.embedded import paths, servers

# What the test run has set for itself must not reach a demo that is started anew.
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder that the servers' account can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="trunkline-test-"))
    folder.chmod(0o711)
    yield folder
    servers.end_leftovers(folder)
    shutil.rmtree(paths.socket_folder(folder), ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture
def account(state: Path) -> pwd.struct_passwd:
    return servers.prepare_folders(state)


@pytest.fixture
def small_disk(state: Path) -> Iterator[Path]:
    """A state folder on a file system that is too small for a database."""
    place = state / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=711", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("making a small file system needs the right to mount one")
    yield place
    servers.end_leftovers(place)
    subprocess.run(["umount", place], check=True)


def working_in(state: Path) -> list[int]:
    """The processes whose working folder is the state folder or below."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            folder = Path(os.readlink(f"/proc/{pid}/cwd"))
        except OSError:
            continue
        if folder.is_relative_to(state):
            found.append(int(pid))
    return found


def wait_for_end(pids: list[int], seconds: float = 20) -> None:
    """Wait until the processes have ended; they need not be children of ours."""
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ended, _, _ = select.select([handle], [], [], seconds)
        os.close(handle)
        assert ended, f"process {pid} still runs"


class Demo:
    """`manage.py demo` as a person starts it, in a terminal of its own."""

    def __init__(self, state: Path, port: int) -> None:
        self.state = state
        self.url = f"http://127.0.0.1:{port}"
        environment = {
            name: value for name, value in os.environ.items() if name not in OURS
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=paths.CHECKOUT,
            env={**environment, "TRUNKLINE_STATE": str(state)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""

    def wait_until_it_runs(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if line.startswith("Ctrl-C"):
                return
        pytest.fail(f"the demo did not start:\n{self.output}")

    def end(self) -> int:
        """Read what it still says, and return its exit code."""
        rest, _ = self.process.communicate()
        self.output += rest
        return self.process.returncode

    def interrupt(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.end()


@pytest.fixture
def start_demo() -> Iterator[type[Demo]]:
    """Starts demos that end with the test, however it ends."""
    started: list[Demo] = []

    class Started(Demo):
        def __init__(self, state: Path, port: int) -> None:
            super().__init__(state, port)
            started.append(self)

    yield Started
    for demo in started:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.end()
