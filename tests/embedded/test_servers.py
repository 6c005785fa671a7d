"""The servers keep their data, come back after any kill, and say why when not."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
import redis

from portal.embedded import binaries, paths, processes, servers
from portal.embedded.processes import Failure
from tests.embedded.conftest import working_in

IS_ROOT = os.geteuid() == 0


def connect(state: Path) -> psycopg.Connection:
    return psycopg.connect(paths.database_url(state), autocommit=True)


def stop(*children: processes.Child) -> None:
    processes.stop(children, patience=30)


def test_data_survives_a_restart(state: Path, account: pwd.struct_passwd) -> None:
    for expected in (None, (1,)):
        postgres = servers.start_postgres(state, account)
        with connect(state) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            assert connection.execute("SELECT n FROM kept").fetchone() == expected
            connection.execute("INSERT INTO kept VALUES (1)")
        stop(postgres)
        assert postgres.process.returncode == 0
    assert working_in(state) == []


def test_no_row_is_lost_and_nothing_in_the_way_after_kill_9(
    state: Path, account: pwd.struct_passwd
) -> None:
    postgres = servers.start_postgres(state, account)
    connection = connect(state)
    connection.execute("CREATE TABLE kept (n int)")
    connection.execute("INSERT INTO kept VALUES (1)")
    # A backend that is busy does not notice that its postmaster has died.
    busy = "SELECT count(*) FROM generate_series(1, 100000000000)"
    connection.pgconn.send_query(busy.encode())
    postgres.process.kill()
    postgres.process.wait()
    assert working_in(state), "the busy backend should still be there"

    servers.end_leftovers(state)
    assert working_in(state) == []
    postgres = servers.start_postgres(state, account)
    with connect(state) as again:
        assert again.execute("SELECT n FROM kept").fetchall() == [(1,)]
    stop(postgres)
    connection.close()


def test_process_files_that_name_a_stranger_do_not_matter(
    state: Path, account: pwd.struct_passwd
) -> None:
    stop(servers.start_postgres(state, account))
    stranger = f"{os.getpid()}\n{state}/postgres/data\n"
    (state / "postgres/data/postmaster.pid").write_text(stranger)
    (state / "sockets/.s.PGSQL.5432.lock").write_text(stranger)
    stop(servers.start_postgres(state, account))


def test_a_first_start_that_was_interrupted_is_made_anew(
    state: Path, account: pwd.struct_passwd
) -> None:
    half = state / "postgres/unfinished"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    os.chown(half, account.pw_uid, account.pw_gid)
    stop(servers.start_postgres(state, account))
    assert not half.exists()


def test_damaged_data_is_told_with_the_end_of_the_log(
    state: Path, account: pwd.struct_passwd
) -> None:
    stop(servers.start_postgres(state, account))
    (state / "postgres/data/global/pg_control").unlink()
    with pytest.raises(Failure, match=r"(?s)PostgreSQL did not start.*pg_control"):
        servers.start_postgres(state, account)
    assert working_in(state) == []


def test_queues_survive_kill_9(state: Path, account: pwd.struct_passwd) -> None:
    valkey = servers.start_valkey(state, account)
    socket = str(paths.socket_folder(state) / paths.VALKEY_SOCKET)
    with redis.Redis(unix_socket_path=socket) as client:
        client.rpush("queue", "task")
        # Written by the file's own clock once a second; a second one forces it out.
        client.execute_command("WAITAOF", 1, 0, 5000)
    valkey.process.kill()
    valkey.process.wait()
    valkey = servers.start_valkey(state, account)
    with redis.Redis(unix_socket_path=socket) as client:
        assert client.lrange("queue", 0, -1) == [b"task"]
    stop(valkey)


def test_the_servers_listen_nowhere_but_on_their_sockets(
    state: Path, account: pwd.struct_passwd
) -> None:
    postgres = servers.start_postgres(state, account)
    valkey = servers.start_valkey(state, account)
    ours = {postgres.process.pid, valkey.process.pid}
    assert not ours & listening_on_tcp()
    assert paths.socket_folder(state).stat().st_mode & 0o077 == 0
    stop(postgres, valkey)


@pytest.mark.skipif(not IS_ROOT, reason="only root runs them under another account")
def test_root_runs_them_under_an_account_without_rights(
    state: Path, account: pwd.struct_passwd
) -> None:
    postgres = servers.start_postgres(state, account)
    valkey = servers.start_valkey(state, account)
    for server in (postgres, valkey):
        owner = Path(f"/proc/{server.process.pid}").stat().st_uid
        assert owner == pwd.getpwnam("nobody").pw_uid
    stop(postgres, valkey)


@pytest.mark.skipif(not IS_ROOT, reason="only root runs them under another account")
def test_programs_out_of_the_accounts_reach_are_copied_for_it(
    state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = processes.server_account()
    hidden = state / "hidden"
    hidden.mkdir(mode=0o700)
    program = hidden / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    monkeypatch.setattr(binaries, "SHARED", state / "shared")

    copy = binaries._share({program: "bin/program"}, "release-1") / "bin/program"

    subprocess.run([copy], check=True, user=account.pw_uid)
    assert hidden.stat().st_mode & 0o777 == 0o700, "parents stay as they were"
    program.unlink()
    assert binaries._share({program: "bin/program"}, "release-1") == copy.parents[1]


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user's servers run as that user")
def test_a_state_folder_out_of_the_accounts_reach_is_named(state: Path) -> None:
    hidden = state / "hidden"
    hidden.mkdir(mode=0o700)
    with pytest.raises(Failure, match=r"'nobody'.*TRUNKLINE_STATE"):
        servers.prepare_folders(hidden / "state")


def test_a_state_folder_that_cannot_be_made_is_named(state: Path) -> None:
    (state / "file").write_text("")
    with pytest.raises(Failure, match=r"cannot be written.*TRUNKLINE_STATE"):
        servers.prepare_folders(state / "file/state")


def test_a_full_disk_is_named(small_disk: Path) -> None:
    account = servers.prepare_folders(small_disk)
    with pytest.raises(Failure, match=r"No space left|The disk is full"):
        servers.start_postgres(small_disk, account)
    assert working_in(small_disk) == []


def test_a_long_path_works_as_well(state: Path) -> None:
    long = state / ("long" * 30)
    account = servers.prepare_folders(long)
    postgres = servers.start_postgres(long, account)
    connect(long).close()
    stop(postgres)
    shutil.rmtree(paths.socket_folder(long))


def listening_on_tcp() -> set[int]:
    """The processes that hold a listening TCP socket (all of them only as root)."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
        sockets |= {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
    found = set()
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(descriptor) in sockets:
                found.add(int(descriptor.parts[2]))
        except OSError:
            continue
    return found
