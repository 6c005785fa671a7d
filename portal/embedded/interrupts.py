"""Ending when asked to, but only where nothing is half done.

An exception out of a signal handler can come up anywhere: between starting a child and
noting it, or where it is swallowed. So a signal only leaves a mark, and whoever waits
for something looks at it.
"""

import signal
import time
from types import FrameType

_is_asked = False


class Stopped(Exception):
    """Ctrl-C, or another signal that asks us to end."""


def watch() -> None:
    """From now on let Ctrl-C and the usual signals to end become Stopped, in `pause`.

    Ctrl-C is watched even when it was ignored, as it is behind a script's "&"; a
    hang-up is not, because then nohup has asked for it.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        is_ignored = signal.getsignal(number) == signal.SIG_IGN
        if number != signal.SIGHUP or not is_ignored:
            signal.signal(number, _note)


def pause(seconds: float) -> None:
    """Sleep that long, briefly; raise Stopped once somebody has asked us to end."""
    if not _is_asked:
        time.sleep(seconds)
    if _is_asked:
        raise Stopped


def _note(number: int, frame: FrameType | None) -> None:
    global _is_asked
    _is_asked = True
