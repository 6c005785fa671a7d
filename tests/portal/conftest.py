"""For tests of what is there for all tenants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.core.scope import scopes_disabled


@pytest.fixture
def all_tenants() -> Iterator[None]:
    with scopes_disabled():  # these tests look at the whole tree
        yield
