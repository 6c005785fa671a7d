"""For tests of what is there for all tenants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.core.scope import scopes_disabled
from portal.demo import business


@pytest.fixture
def all_tenants() -> Iterator[None]:
    with scopes_disabled():  # these tests look at the whole tree
        yield


@pytest.fixture
def short_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two months of the demo's business, where all twelve would prove nothing more."""
    monkeypatch.setattr(business, "MONTHS", 2)
