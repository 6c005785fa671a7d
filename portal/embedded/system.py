"""What only the operating system can give: installed where we may, else named."""

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass

INSTALL = ("apt-get", "install", "-y", "--no-install-recommends")


@dataclass(frozen=True)
class Need:
    """Something of the operating system's, and the Debian packages that bring it.

    All of the libraries are needed, and any one of the files and of the programs, the
    best one first. A system that does not have the packages may have others `instead`.
    """

    purpose: str
    packages: tuple[str, ...]
    instead: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def is_met(self) -> bool:
        return (
            all(map(_is_loadable, self.libraries))
            and (not self.programs or self.program is not None)
            and (not self.files or any(map(os.path.exists, self.files)))
        )

    @property
    def program(self) -> str | None:
        return next(filter(None, map(shutil.which, self.programs)), None)

    @property
    def advice(self) -> str:
        command = " ".join([*INSTALL, *self.packages])
        return f"{self.purpose} need a system package: {command}"


DOCUMENTS = Need(
    purpose="PDF documents",
    packages=(
        "libpango-1.0-0",
        "libpangoft2-1.0-0",
        "libharfbuzz-subset0",
        "fonts-wqy-microhei",  # Chinese, Japanese and Korean; the others come by Python
    ),
    libraries=("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0"),
    files=(
        "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",  # Debian
        "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",  # Arch
        "/usr/share/fonts/wqy-microhei-fonts/wqy-microhei.ttc",  # Fedora
    ),
)
BROWSER = Need(
    purpose="Browser tests",
    packages=("chromium-headless-shell",),  # no window's work, so tests are faster
    instead=("chromium",),
    programs=(
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
    ),
)


def provide(need: Need) -> str:
    """Install what is needed if it is missing and we may; say what is still to be done.

    Returns an empty text when the need is met. Nothing else depends on it, so a failure
    stops nobody.
    """
    if need.is_met:
        return ""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _apt("apt-get", "update")  # a fresh machine knows no package before
        for packages in filter(None, (need.packages, need.instead)):
            print(f"Installing {', '.join(packages)} ...", flush=True)
            _apt(*INSTALL, *packages)
            if need.is_met:
                return ""
    return need.advice


def _apt(program: str, *arguments: str) -> None:
    command = [program, "-qq", "-o", "DPkg::Lock::Timeout=120", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)


def _is_loadable(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
