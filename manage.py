#!/usr/bin/env python3
"""Trunkline's commands. They need nothing but Python: the first one makes .venv.

demo, test, bench and install are explained in the README; all others are Django's.
Until it runs in .venv this file may import the standard library only.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin/python"
# These come before Django: they start the servers that its settings name.
RUNNERS = {
    "demo": "portal.embedded.demo",
    "test": "portal.embedded.testing",
    "bench": "portal.embedded.bench",
}
PINS = {"test": "dev", "install": "dev"}  # all others: demo, which dev includes


def main() -> int:
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if sys.version_info < (3, 11):  # noqa: UP036 - this line is for older Pythons
        sys.exit("Trunkline needs Python 3.11 or newer: see python3 --version.")
    if command in {*RUNNERS, "install"} or not runs_in_prepared_environment():
        ensure_packages(PINS.get(command, "demo"))
    if command == "install":
        return 0
    if command in RUNNERS:
        code: int = import_module(RUNNERS[command]).main(sys.argv[2:])
        return code
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
    return 0


def runs_in_ours() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def runs_in_prepared_environment() -> bool:
    """Somebody else's environment that has the packages: the container image, say."""
    is_environment = sys.prefix != sys.base_prefix and not runs_in_ours()
    return is_environment and find_spec("django") is not None


def ensure_packages(name: str) -> None:
    """Install the pinned packages into .venv unless they are there, and run from it."""
    with open(__file__, encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two first starts at the same time
        if not (is_installed(name) or is_installed("dev")):
            install(pins(name))
            stamp(name).write_text(digest(name))
    if not runs_in_ours():
        os.execv(PYTHON, [str(PYTHON), *sys.orig_argv[1:]])


def pins(name: str) -> Path:
    return CHECKOUT / f"requirements/{name}.txt"


def digest(name: str) -> str:
    return hashlib.sha256(pins(name).read_bytes()).hexdigest()


def stamp(name: str) -> Path:
    return VENV / f"installed-{name}"


def is_installed(name: str) -> bool:
    """Whether these very pins were installed to the end."""
    parts = [PYTHON, VENV / "pyvenv.cfg", stamp(name)]
    return all(map(Path.exists, parts)) and stamp(name).read_text() == digest(name)


def install(requirements: Path) -> None:
    if shutil.disk_usage(CHECKOUT).free < 1024**3:
        sys.exit(f"The packages need 1 GiB, and the disk of {CHECKOUT} has less left.")
    print("Installing the pinned packages into .venv, about a minute ...", flush=True)
    if not PYTHON.exists():  # made by a Python that has gone, or interrupted
        shutil.rmtree(VENV, ignore_errors=True)
    pins = ["--quiet", "--require-hashes", "--requirement", str(requirements)]
    if uv := shutil.which("uv"):
        os.environ["UV_PYTHON_DOWNLOADS"] = "never"
        make = [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable]
        # pip compiles by itself. Where Python may not keep what it compiled, a start of
        # Django takes five times as long without.
        options = ["--compile-bytecode", "--python", str(PYTHON)]
        fill = [uv, "pip", "install", *options, *pins]
        if run(*make, str(VENV)) and run(*fill):
            return
        print("uv could not do it; trying pip ...", flush=True)
    if find_spec("ensurepip") is None:
        sys.exit("Python lacks its venv module: apt-get install -y python3-venv")
    make = [sys.executable, "-m", "venv", str(VENV)]
    fill = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *pins]
    if not (run(*make) and run(*fill)):
        sys.exit("The packages could not be installed; the reason stands above.")


def run(*command: str) -> bool:
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
