"""`manage.py test`: pytest, with what the tests need from this machine."""

import pytest

from portal.embedded import system


def main(arguments: list[str]) -> int:
    """Run pytest with these arguments, on two workers unless they say otherwise.

    Django's own test command would not do: it reads the settings before the plugin
    could start the servers that they name.
    """
    if advice := system.provide(system.BROWSER):
        print(f"{advice}\nThey are skipped.", flush=True)
    if advice := system.provide(system.DOCUMENTS):
        print(advice, flush=True)
    if "no:xdist" not in arguments:
        # A later -n wins. Three keep two cores busy, since who drives a browser or watches
        # servers waits a lot; who is done first takes over from the others.
        arguments = ["-n", "3", "--dist", "worksteal", *arguments]
    return int(pytest.main(arguments))
