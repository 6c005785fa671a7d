"""What only the operating system can give: installed where we may, else named."""

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """Something of the operating system's, and the Debian packages that bring it.

    All of the libraries are needed, and any one of the programs and of the files.
    """

    purpose: str
    packages: tuple[str, ...]
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
    def command(self) -> list[str]:
        return ["apt-get", "install", "-y", "--no-install-recommends", *self.packages]

    @property
    def advice(self) -> str:
        return f"{self.purpose} need a system package: {' '.join(self.command)}"


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
    packages=("chromium",),
    programs=("chromium", "chromium-browser", "google-chrome"),
)


def provide(need: Need) -> str:
    """Install what is needed if it is missing and we may; say what is still to be done.

    Returns an empty text when the need is met. Nothing else depends on it, so a failure
    stops nobody.
    """
    if need.is_met:
        return ""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {', '.join(need.packages)} ...", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        # A fresh machine knows no package before the update.
        for command in (["apt-get", "update"], need.command):
            waiting = [command[0], "-qq", "-o", "DPkg::Lock::Timeout=120", *command[1:]]
            subprocess.run(
                waiting, check=False, env=environment, stdout=subprocess.DEVNULL
            )
    return "" if need.is_met else need.advice


def _is_loadable(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
