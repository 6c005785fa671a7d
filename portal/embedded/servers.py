"""The embedded PostgreSQL and Valkey: starting, recovering, stopping."""

import os
import pwd
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import redis
from psycopg import sql

from portal.embedded import binaries, interrupts, paths, processes
from portal.embedded.processes import Child, Failure

PATIENCE = 120  # seconds; longer than any recovery from a crash that a demo needs
# Tests throw their data away, so a power cut may cost them everything, and before their
# databases are worth tidying up they are gone.
THROWAWAY = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
)


def prepare_folders(state: Path) -> pwd.struct_passwd:
    """Make the state folder and check that the servers' account can reach it.

    Raises Failure when it cannot be made or reached.
    """
    account = processes.server_account()
    try:
        made = [folder for folder in (state, *state.parents) if not folder.exists()]
        state.mkdir(parents=True, exist_ok=True)
        for folder in made:  # others may pass to the servers' folders, not look round
            folder.chmod(0o711)
        (state / "logs").mkdir(exist_ok=True, mode=0o700)
        (state / "run").mkdir(exist_ok=True, mode=0o700)
        sockets = paths.socket_folder(state)
        for folder in (sockets, state / "postgres", state / "valkey"):
            folder.mkdir(exist_ok=True, mode=0o700)
            if folder.is_symlink() or folder.stat().st_uid not in {0, account.pw_uid}:
                raise Failure(f"{folder} belongs to somebody else; remove it.")
            os.chown(folder, account.pw_uid, account.pw_gid)
    except OSError as error:
        raise Failure(
            f"The state folder cannot be written: {error}."
            " Name another one in the environment variable TRUNKLINE_STATE."
        ) from error
    reach = ["test", "-x", str(state)]
    if subprocess.run(reach, check=False, **processes.run_as(account)).returncode:
        raise Failure(
            f"The account {account.pw_name!r}, which runs the database, cannot reach"
            f" {state}. Name another one in the environment variable TRUNKLINE_STATE."
        )
    return account


def end_leftovers(state: Path) -> None:
    """Kill what a killed run left behind. Only for who holds the lock of the folder."""
    folders = [state / "postgres/data", state / "valkey", state / "run"]
    programs = ("postgres", "valkey-server", "redis-server", "python")
    processes.end_leftovers(folders, programs)


def start_postgres(
    state: Path, account: pwd.struct_passwd, *, durable: bool = True
) -> Child:
    """Start PostgreSQL on the folder's data, and make both when they are not there.

    With `durable=False` a crash of the machine may lose the data. Raises Failure with
    the end of the log when it does not start.
    """
    programs = binaries.postgres_programs(account)
    sockets = paths.socket_folder(state)
    data = state / "postgres/data"
    log = state / "logs/postgres.log"
    if not data.exists():
        _make_cluster(programs, data, log, account)
    # Only leftovers of a killed server: the caller has ended every process in here.
    # Their number may by now belong to any process, which would keep PostgreSQL away.
    for stale in (data / "postmaster.pid", sockets / f"{paths.POSTGRES_SOCKET}.lock"):
        stale.unlink(missing_ok=True)
    options = ["listen_addresses=", f"unix_socket_directories={_quoted(sockets)}"]
    options += [] if durable else THROWAWAY
    server = processes.start(
        "PostgreSQL",
        [programs / "postgres", "-D", data, *_flags("-c", options)],
        log=log,
        folder=data,
        ending=signal.SIGINT,  # roll back what is open and close the files
        account=account,
    )
    with processes.stopped_on_error(server):
        _wait_for_postgres(server, paths.database_url(state, "postgres"))
    return server


def _make_cluster(
    programs: Path, data: Path, log: Path, account: pwd.struct_passwd
) -> None:
    """Make the data folder; one that was interrupted halfway is made anew."""
    draft = data.with_name("unfinished")
    remove: list[str | Path] = ["rm", "-rf", draft]
    subprocess.run(remove, check=True, **processes.run_as(account))
    command: list[str | Path] = [programs / "initdb", "--pgdata", draft]
    command += ["--username", paths.ROLE]
    command += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"]
    child = processes.start(
        "PostgreSQL", command, log=log, folder=data.parent, account=account
    )
    with processes.stopped_on_error(child):
        if child.process.wait() != 0:
            raise child.failed("could not make its data folder")
    draft.rename(data)


def _wait_for_postgres(server: Child, url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            connection = psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError:
            interrupts.pause(0.03)  # starting, or recovering from a crash
            continue
        with connection:
            _make_database(connection, server)
        return
    raise server.failed("did not start")


def _make_database(connection: psycopg.Connection, server: Child) -> None:
    try:
        query = "SELECT FROM pg_database WHERE datname = %s"
        if connection.execute(query, [paths.DATABASE]).rowcount == 0:
            name = sql.Identifier(paths.DATABASE)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    except psycopg.Error as error:  # the disk is full, above all
        raise server.failed("could not make the database") from error


def start_valkey(
    state: Path, account: pwd.struct_passwd, *, durable: bool = True
) -> Child:
    """Start Valkey; a durable one still has its queues after a crash or a restart."""
    log = state / "logs/valkey.log"
    socket = paths.socket_folder(state) / paths.VALKEY_SOCKET
    command: list[str | Path] = [binaries.valkey_program(account)]
    command += ["--port", "0", "--save", ""]
    command += ["--unixsocket", socket, "--unixsocketperm", "700"]
    command += ["--dir", state / "valkey", "--maxmemory-policy", "noeviction"]
    command += ["--appendonly", "yes" if durable else "no"]
    folder = state / "valkey"
    server = processes.start("Valkey", command, log=log, folder=folder, account=account)
    with processes.stopped_on_error(server):
        _wait_for_valkey(server, socket)
    return server


def _wait_for_valkey(server: Child, socket: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    with redis.Redis(unix_socket_path=str(socket)) as client:
        while server.process.poll() is None and time.monotonic() < deadline:
            try:
                client.ping()
                return
            except redis.ConnectionError:  # also while it still reads its file
                interrupts.pause(0.03)
    raise server.failed("did not start")


def _flags(flag: str, values: list[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]


def _quoted(folder: Path) -> str:
    """PostgreSQL reads a list of folders here: a name with a comma needs quotes."""
    doubled = str(folder).replace('"', '""')
    return f'"{doubled}"'
