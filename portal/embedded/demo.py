"""The whole of Trunkline on this machine: database, broker, web, worker and timer."""

import argparse
import contextlib
import errno
import fcntl
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from portal.embedded import interrupts, paths, processes, servers, system
from portal.embedded.application import Application
from portal.embedded.interrupts import Stopped
from portal.embedded.processes import MIB, Child, Failure

HOST = "127.0.0.1"
ROOM = 300 * MIB  # a fresh database, its write-ahead log and the demo data


def main(arguments: list[str]) -> int:
    """Run the demo until it is stopped, and return the exit code."""
    parser = argparse.ArgumentParser(prog="manage.py demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the pages (8000)")
    options = parser.parse_args(arguments)
    interrupts.watch()
    try:
        _run(paths.state_folder(), options.port)
    except Stopped:
        print("Stopped. The data is kept for the next start.")
        return 0
    except Failure as failure:
        print(failure, file=sys.stderr)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        print(f"The disk is full: {error}.", file=sys.stderr)
    return 1


def _run(state: Path, port: int) -> NoReturn:
    account = servers.prepare_folders(state)
    _check_room(state)
    with contextlib.ExitStack() as cleanup:
        application = Application(state, HOST, port)
        cleanup.enter_context(_the_only_one(state, application.url))
        servers.end_leftovers(state)  # one may still hold the port
        _check_port(port)
        if advice := system.provide(system.DOCUMENTS):
            print(f"{advice}\nEverything else works without.")
        _keep_previous_logs(state / "logs")
        running: list[Child] = []
        if not paths.is_set("DATABASE_URL"):
            postgres = servers.start_postgres(state, account)
            cleanup.callback(processes.stop, [postgres], patience=30)
            running.append(postgres)
        if not paths.is_set("REDIS_URL"):
            valkey = servers.start_valkey(state, account)
            cleanup.callback(processes.stop, [valkey], patience=30)
            running.append(valkey)
        print("Preparing the database ...", flush=True)
        application.manage("migrate", "--no-input")
        logins = application.manage("demo_data", "--first-start", "--print-logins")
        ours: list[Child] = []
        cleanup.callback(processes.stop, ours, patience=15)
        ours.append(web := application.start_web())
        ours.append(application.start_worker())
        ours.append(application.start_beat())
        application.wait_until_ready(web)
        print(f"\nTrunkline runs: {application.url}\n\n{logins}\n")
        print(f"Data and logs: {state}\nCtrl-C stops it.", flush=True)
        _watch(running + ours)


def _watch(children: list[Child]) -> NoReturn:
    while True:
        for child in children:
            if (code := child.process.poll()) is not None:
                raise child.failed(f"ended by itself (exit code {code}), so all stops")
        interrupts.pause(0.2)


def _check_room(state: Path) -> None:
    free = shutil.disk_usage(state).free
    if free < ROOM:
        raise Failure(
            f"The disk of {state} has only {free // MIB} MiB left, and the demo needs"
            f" {ROOM // MIB} MiB. Free some, or name a folder on another disk in the"
            " environment variable TRUNKLINE_STATE."
        )


@contextlib.contextmanager
def _the_only_one(state: Path, url: str) -> Iterator[None]:
    """Hold the state folder's lock, which the kernel releases however we end."""
    with (state / "lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise Failure(
                f"The demo of this checkout already runs at {lock.read()}."
                " Stop it there with Ctrl-C first."
            ) from error
        lock.truncate(0)
        lock.write(f"{url} (process {os.getpid()})")
        lock.flush()
        yield


def _check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise Failure(f"There is no port {port}; choose one from 1024 to 65535.")
    try:
        _listen(port)
    except PermissionError as error:
        raise Failure(
            f"Port {port} is for root only: python3 manage.py demo --port 8000"
        ) from error
    except OSError as error:
        raise Failure(
            f"Port {port} is taken by another program; choose a free one:"
            f" python3 manage.py demo --port {_listen(0)}"
        ) from error


def _listen(port: int) -> int:
    with socket.socket() as probe:
        # A port whose last connections are just ending is free all the same.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])


def _keep_previous_logs(folder: Path) -> None:
    for log in folder.glob("*.log"):
        log.replace(log.with_suffix(".log.1"))
