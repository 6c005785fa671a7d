"""Gives every test run its own servers, and every worker its own database.

Loaded by `-p` in pyproject.toml, so that it comes before the settings are read.
"""

import contextlib
import os
from collections.abc import Generator, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from portal.embedded import system
from portal.embedded.throwaway import servers_in_environment

CHROMIUM = (
    "--no-sandbox",  # it refuses root otherwise, and only our own pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config,
) -> Generator[None, None, None]:
    """Before anything else is loaded: start the servers, or find the controller's."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    # Playwright's event loop in the main thread makes Django suspect async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    os.environ.setdefault("DATABASE_POOL", "20")  # as many as threads race in a test
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        cleanup = contextlib.ExitStack()
        cleanup.enter_context(servers_in_environment(durable=False))
        early_config.add_cleanup(cleanup.close)
    else:
        number = 1 + int(worker.removeprefix("gw")) % 15  # of Valkey's sixteen
        os.environ["REDIS_URL"] = _with_number(os.environ["REDIS_URL"], number)
    yield


def _with_number(url: str, number: int) -> str:
    """The same Redis, but another of its numbered databases."""
    if url.startswith("unix:"):
        return f"{url.partition('?')[0]}?db={number}"
    return urlsplit(url)._replace(path=f"/{number}").geturl()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of the operating system; each test opens a context of its own in it."""
    program = system.BROWSER.program
    if program is None:
        pytest.skip(system.BROWSER.advice)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=CHROMIUM)
