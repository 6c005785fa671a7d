import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from portal.embedded import paths

LONG = Path("/srv") / ("a-very-long-folder-name" * 5)


def test_each_checkout_has_its_own_state_folder_and_always_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TRUNKLINE_STATE", raising=False)
    here = paths.state_folder()
    assert here == paths.state_folder()
    monkeypatch.setattr(paths, "CHECKOUT", Path("/somewhere/else"))
    assert paths.state_folder() != here


def test_the_environment_names_another_state_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRUNKLINE_STATE", "/srv/demo")
    assert paths.state_folder() == Path("/srv/demo")
    assert paths.socket_folder() == Path("/srv/demo/sockets")


@pytest.mark.parametrize("state", [Path("/srv/x"), LONG, LONG.with_name("ü" * 80)])
def test_sockets_fit_into_what_the_kernel_allows(state: Path) -> None:
    socket = paths.socket_folder(state) / paths.POSTGRES_SOCKET
    assert len(str(socket).encode()) <= 107


def test_two_long_folders_do_not_share_their_sockets() -> None:
    assert paths.socket_folder(LONG / "a") != paths.socket_folder(LONG / "b")


@pytest.mark.parametrize("name", ["x", "with space", "Groß & 100%", "a?b#c", "a@b:1"])
def test_addresses_lead_back_to_the_folder(name: str) -> None:
    state = Path("/srv") / name
    parts = psycopg.conninfo.conninfo_to_dict(paths.database_url(state))
    assert parts["host"] == f"/srv/{name}/sockets"
    assert parts["dbname"] == paths.DATABASE
    pool = redis.ConnectionPool.from_url(paths.redis_url(state))
    assert pool.connection_kwargs["path"] == f"/srv/{name}/sockets/valkey.sock"


def test_commands_beside_a_demo_use_the_key_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUNKLINE_STATE", str(tmp_path))
    assert paths.secret_key() != paths.secret_key(), "none was made yet"
    paths.secret_key_file().write_text("made by the first start")
    assert paths.secret_key() == "made by the first start"


def test_looking_up_addresses_changes_nothing(tmp_path: Path) -> None:
    code = "from portal.embedded import paths; print(paths.redis_url())"
    state = tmp_path / "state"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=paths.CHECKOUT,
        env={"TRUNKLINE_STATE": str(state)},
        check=True,
    )
    assert not state.exists()
