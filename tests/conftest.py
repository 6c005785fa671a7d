"""Fixtures that every test may use."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.template import Context, Template
from django.test import override_settings
from django.utils import timezone, translation
from pytest_django.plugin import DjangoDbBlocker

from portal.embedded.testdb import Databases
from tests.architecture.estate import build_estate
from tests.portal.demo import build_demo
from tests.world import World, build_world

# What is laid once for each worker. A test finds it by the fixture of the same name.
STATES = {"world": build_world, "estate": build_estate, "demo": build_demo}
databases = Databases(os.environ.get("PYTEST_XDIST_WORKER", "main"), STATES)


# They take longest and wait for other processes, so they come first: a worker that is
# done early finds short ones to take over. The demo needs no database of the tests: the
# other worker migrates it meanwhile.
LONG = ("tests/embedded/test_demo", "tests/browser/", "tests/bench/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        places = (at for at, path in enumerate(LONG) if item.nodeid.startswith(path))
        return next(places, len(LONG))

    items.sort(key=rank)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Turn to the database with the test's state before it begins a transaction."""
    fixtures = item.fixturenames
    databases.turn_to(next((state for state in STATES if state in fixtures), ""))


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    quick_passwords: None,
) -> Iterator[None]:
    """In place of pytest-django's: copied databases for each worker."""
    with django_db_blocker.unblock(), databases.opened():
        yield


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """Hashing is slow on purpose; tests sign in hundreds of times."""
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers):
        yield


@pytest.fixture(autouse=True, scope="session")
def parts_of_forms_unrecorded(django_test_environment: None) -> Iterator[None]:
    """``response.templates`` and ``response.context`` without boxes and their options.

    Django tells its client of every template that is drawn, and the client copies the
    context: for the thousand options of a form's lists as long as the page itself.
    """
    tell = Template._render

    def render(template: Template, context: Context) -> Any:
        if (template.name or "").startswith("django/forms/widgets/"):
            return template.nodelist.render(context)
        return tell(template, context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "_render", render)
        yield


@pytest.fixture(autouse=True, scope="session")
def unhurried_gc() -> None:
    """What was imported stays anyway: only what tests leave is looked through, rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 10)


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """What one test counted in the cache must not slow down the next."""
    cache.clear()


@pytest.fixture(autouse=True)
def nobodys_language_and_zone() -> Iterator[None]:
    """A request leaves its reader's behind: the next test must not speak it."""
    yield
    translation.deactivate()
    timezone.deactivate()


@pytest.fixture
def world(db: None) -> World:
    """The cast of tests/world.py."""
    known: World = databases.known("world")
    return known


@pytest.fixture
def estate(db: None) -> World:
    """The world with what tests/architecture/estate.py adds to it."""
    known: World = databases.known("estate")
    return known


@pytest.fixture
def demo(db: None) -> None:
    """The demo's small world, as tests/portal/demo.py makes it."""
    assert databases.known("demo"), "it was not there before"
