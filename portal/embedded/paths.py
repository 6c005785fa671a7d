"""Where the embedded servers live and under which addresses they are reached.

All of it follows from the checkout's place and the environment alone, so any command
that is started beside a running `manage.py demo` finds the same servers without asking.
TRUNKLINE_STATE names another state folder.
"""

import hashlib
import os
import secrets
from pathlib import Path
from urllib.parse import quote

CHECKOUT = Path(__file__).resolve().parents[2]
DATABASE = "trunkline"
ROLE = "trunkline"

# The kernel cuts the path of a Unix socket at 107 bytes; the longest name that is put
# into the folder is PostgreSQL's own.
POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"
LONGEST_SOCKET_FOLDER = 107 - len(f"/{POSTGRES_SOCKET}")


def is_set(name: str) -> bool:
    """Whether the environment names a server of somebody's own, which always wins."""
    return name in os.environ or f"{name}_FILE" in os.environ


def state_folder() -> Path:
    """The folder that keeps the demo's databases, uploads and logs between starts.

    It lies outside the checkout: as root the database runs under an account that often
    cannot reach the checkout, and a fresh clone elsewhere must not meet old data.
    """
    chosen = os.environ.get("TRUNKLINE_STATE")
    if chosen:
        return Path(chosen).resolve()
    home = Path("/var/lib") if os.geteuid() == 0 else Path.home() / ".local/state"
    return home / "trunkline" / _fingerprint(CHECKOUT)


def socket_folder(state: Path | None = None) -> Path:
    """The folder of both sockets: inside the state folder if that path is short."""
    state = state or state_folder()
    inside = state / "sockets"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
        return inside
    return Path("/tmp") / f"trunkline-{os.geteuid()}-{_fingerprint(state)}"


def database_url(state: Path | None = None, database: str = DATABASE) -> str:
    """The embedded PostgreSQL, as ``DATABASE_URL`` spells it; psql takes it as well."""
    return f"postgresql://{ROLE}@{quote(str(socket_folder(state)), safe='')}/{database}"


def redis_url(state: Path | None = None) -> str:
    """The embedded Valkey, as ``REDIS_URL`` spells it."""
    return f"unix://{quote(str(socket_folder(state) / VALKEY_SOCKET))}"


def secret_key_file(state: Path | None = None) -> Path:
    return (state or state_folder()) / "secret-key"


def secret_key() -> str:
    """The key that the demo's first start made, so that all commands beside it agree.

    Before that there is nothing yet to sign or decrypt, and any key does.
    """
    try:
        return secret_key_file().read_text(encoding="ascii")
    except OSError:
        return secrets.token_urlsafe(64)


def _fingerprint(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
