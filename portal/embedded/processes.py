"""Child processes that never outlive what started them, and how they are stopped."""

import contextlib
import ctypes
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1  # from <sys/prctl.h>
MIB = 1024 * 1024


class Failure(Exception):
    """What went wrong and what to do about it, in words for the person who typed it."""


def server_account() -> pwd.struct_passwd:
    """Who runs the servers: ourselves, but PostgreSQL refuses root.

    Every Debian has the account nobody.
    """
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    return pwd.getpwnam("nobody")


def run_as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments for subprocess that make the child run under that account."""
    if account is None or account.pw_uid == os.geteuid():
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@dataclass(frozen=True)
class Child:
    """A running child, where it writes, and the signal that makes it end properly."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    ending: signal.Signals

    def failed(self, what: str) -> Failure:
        """A Failure that says what went wrong and shows the end of the log."""
        return Failure(f"{self.name} {what}. The end of {self.log}:\n{_tail(self.log)}")


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    output: Path | None = None,
    folder: Path,
    ending: signal.Signals = signal.SIGTERM,
    environment: Mapping[str, str] | None = None,
    account: pwd.struct_passwd | None = None,
) -> Child:
    """Start a child in a session of its own; what it says is added to the log file.

    With `output`, what it prints goes there instead, and only its errors to the log.

    Its own session keeps a Ctrl-C of the terminal away from it: the runner alone
    decides in which order things stop. Should the runner be killed, the kernel sends
    the child its `ending` signal (on Linux; elsewhere the children stay behind).
    """
    with log.open("ab") as errors, output.open("wb") if output else errors as printed:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=errors,
            start_new_session=True,
            preexec_fn=_orphan_signal(ending),
            **run_as(account),
        )
    return Child(name, process, log, ending)


def _orphan_signal(number: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    # Looked up here: after a fork only what is already loaded may safely be called.
    prctl = ctypes.CDLL(None).prctl
    runner = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != runner:  # it was killed before the kernel knew
            os._exit(1)

    return ask_the_kernel


@contextlib.contextmanager
def stopped_on_error(child: Child) -> Iterator[None]:
    """Leave no half-started child behind, not even after a Ctrl-C."""
    try:
        yield
    except BaseException:
        stop([child], patience=30)
        raise


def stop(children: Iterable[Child], patience: float) -> None:
    """Ask all of them to end, and kill what has not after `patience` seconds."""
    children = list(children)
    for child in children:
        child.process.send_signal(child.ending)
    deadline = time.monotonic() + patience
    for child in children:
        try:
            child.process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        # What it forked may have been left behind, above all if it was killed itself.
        _kill_group(child.process.pid)


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left in it


def end_leftovers(folders: Iterable[Path], programs: tuple[str, ...]) -> None:
    """Kill what an earlier run left working in these folders; return when it is gone.

    Busy database backends survive a killed postmaster and keep the next one from
    starting; a web worker keeps the port. Only the named programs are touched: a shell
    that somebody opened in such a folder is not ours to end. Needs Linux's /proc.
    """
    wanted = {folder.resolve() for folder in folders}
    deadline = time.monotonic() + 10
    while leftovers := [pid for pid in _pids() if _works_in(pid, wanted, programs)]:
        for pid in leftovers:
            if not _kill(pid, max(0, deadline - time.monotonic())):
                raise Failure(f"Process {pid} of an earlier run does not end.")


def _kill(pid: int, patience: float) -> bool:
    """Whether it ends within that time, with all its threads and open ports."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return bool(select.select([handle], [], [], patience)[0])
    except ProcessLookupError:
        return True
    finally:
        os.close(handle)


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except FileNotFoundError:
        return []


def _works_in(pid: int, folders: set[Path], programs: tuple[str, ...]) -> bool:
    try:
        where = Path(os.readlink(f"/proc/{pid}/cwd"))
        program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:  # it has just ended, or belongs to somebody else
        return False
    return where in folders and program.startswith(programs) and pid != os.getpid()


def _tail(log: Path, lines: int = 15) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        text = str(error)
    shown = text.splitlines()[-lines:]
    if shutil.disk_usage(log.parent).free < MIB:  # then the log may not say so
        shown.append("The disk is full.")
    return "\n".join(f"    {line}" for line in shown)
