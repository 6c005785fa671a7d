"""Fixtures that every test may use."""

import os
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from portal.embedded.testdb import own_database
from tests.world import World, build_world


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """In place of pytest-django's: a copied database for each worker."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with django_db_blocker.unblock(), own_database(worker):
        yield


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """Hashing is slow on purpose; tests sign in hundreds of times."""
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers):
        yield


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """What one test counted in the cache must not slow down the next."""
    cache.clear()


@pytest.fixture
def world(db: None) -> World:
    """The cast of tests/world.py."""
    return build_world()
