"""Servers for one run of the tests or the bench, gone with their data at its end."""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from portal.embedded import paths, processes, servers

PREFIX = "trunkline-throwaway-"
# What a developer may have set for a demo must not change what a test sees.
DEPLOYMENT = (
    "ALLOWED_HOSTS",
    "DEBUG",
    "DEFAULT_FROM_EMAIL",
    "EMAIL_URL",
    "EMAIL_URL_FILE",
    "PUBLIC_URL",
    "SECRET_KEY_FALLBACKS",
    "SECRET_KEY_FILE",
    "SSL_REDIRECT",
    "TRUSTED_PROXIES",
)


@contextlib.contextmanager
def servers_in_environment(*, durable: bool) -> Iterator[None]:
    """Start what DATABASE_URL and REDIS_URL do not already name, and set them.

    Must run before Django's settings are read. With `durable=False` nothing waits for
    the disk.
    """
    with contextlib.ExitStack() as cleanup:
        state = _make_folder()
        cleanup.callback(_remove, state)
        account = servers.prepare_folders(state)
        if not paths.is_set("DATABASE_URL"):
            postgres = servers.start_postgres(state, account, durable=durable)
            cleanup.callback(processes.stop, [postgres], patience=30)
            os.environ["DATABASE_URL"] = paths.database_url(state)
        if not paths.is_set("REDIS_URL"):
            valkey = servers.start_valkey(state, account, durable=durable)
            cleanup.callback(processes.stop, [valkey], patience=30)
            os.environ["REDIS_URL"] = paths.redis_url(state)
        for name in DEPLOYMENT:
            os.environ.pop(name, None)
        # Dozens of processes are started, and each would compile all of Trunkline anew.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["SECRET_KEY"] = secrets.token_urlsafe(64)
        yield


def _make_folder() -> Path:
    """A new temporary folder, named by our process; those of dead processes go."""
    common = Path(tempfile.gettempdir())
    for folder in common.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)) and _is_ours(folder):
            servers.end_leftovers(folder)
            _remove(folder)
    state = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=common))
    state.chmod(0o711)  # the servers' account must be able to pass
    return state


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid()
    except FileNotFoundError:  # another run has just removed it
        return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(state: Path) -> None:
    for folder in (paths.socket_folder(state), state):
        shutil.rmtree(folder, ignore_errors=True)
