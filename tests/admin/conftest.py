"""Olga, the system owner's staff, at her browser, and rows of every kind to look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from portal.core.scope import scopes_disabled
from tests.world import World


@pytest.fixture
def staff(world: World) -> Client:
    return world.client(world.olga)


@pytest.fixture(autouse=True)
def all_tenants() -> Iterator[None]:
    with scopes_disabled():  # the tests look at what the admin did anywhere
        yield
