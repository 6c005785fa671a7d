"""Trunkline's own processes beside the servers: web, worker, timer, commands."""

import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from portal.embedded import interrupts, paths, processes
from portal.embedded.processes import Child

PATIENCE = 60  # seconds until the first page must have answered


class Application:
    """Starts Trunkline's processes, all with one environment, each with a log file.

    They work in a folder of their own, by which leftovers of a killed run are known.
    """

    def __init__(self, state: Path, host: str, port: int) -> None:
        self.state = state
        self.host = host
        self.port = port
        self.url = f"http://{host}:{port}"
        self._environment = {
            "PUBLIC_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            **os.environ,
            "PYTHONPATH": str(paths.CHECKOUT),
            "PYTHONUNBUFFERED": "1",
        }
        if not paths.is_set("SECRET_KEY"):
            self._environment["SECRET_KEY_FILE"] = str(_secret_key_file(state))

    def start_web(self) -> Child:
        options = ["--interface", "wsgi", "--host", self.host, "--port", str(self.port)]
        options += ["--workers", "1", "--blocking-threads", "4", "--no-ws"]
        return self._start("web", "-m", "granian", *options, "portal.wsgi:application")

    def start_worker(self) -> Child:
        options = ["--concurrency", "2", "--without-gossip", "--without-mingle"]
        options += ["--loglevel", "INFO"]
        return self._start("worker", "-m", "celery", "-A", "portal", "worker", *options)

    def start_beat(self) -> Child:
        schedule = str(self.state / "run/schedule")
        # A number that was left behind may by now belong to any process.
        options = ["--schedule", schedule, "--pidfile", "", "--loglevel", "INFO"]
        return self._start("beat", "-m", "celery", "-A", "portal", "beat", *options)

    def manage(self, *arguments: str) -> str:
        """Run one of manage.py's commands to its end, and return what it prints.

        Raises Failure when it fails.
        """
        name = arguments[0]
        output = self.state / f"run/{name}"
        command = [str(paths.CHECKOUT / "manage.py"), *arguments]
        child = self._start(name, *command, output=output)
        with processes.stopped_on_error(child):
            while child.process.poll() is None:
                interrupts.pause(0.03)
            if child.process.returncode != 0:
                raise child.failed("failed")
        return output.read_text(encoding="utf-8").strip()

    def wait_until_ready(self, web: Child) -> None:
        """Return once the first page is served; raise Failure when it cannot be."""
        # A proxy that the environment names is for other hosts than this one.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and web.process.poll() is None:
            try:
                with opener.open(self.url, timeout=5):
                    return
            except urllib.error.HTTPError as error:
                raise web.failed(f"answers the first page with {error}") from error
            except OSError:
                interrupts.pause(0.05)  # not listening yet, or busy
        raise web.failed("does not answer")

    def _start(self, name: str, *arguments: str, output: Path | None = None) -> Child:
        return processes.start(
            name,
            [sys.executable, *arguments],
            log=self.state / f"logs/{name}.log",
            output=output,
            folder=self.state / "run",
            environment=self._environment,
        )


def _secret_key_file(state: Path) -> Path:
    """Made once: what it signed or encrypted must be readable after a restart."""
    file = paths.secret_key_file(state)
    if not file.exists():
        draft = file.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64), encoding="ascii")
        draft.replace(file)
    return file
