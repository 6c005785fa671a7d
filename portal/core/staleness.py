"""Whether somebody else saved a row meanwhile, for rows that have no version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from django.db import models

from portal.core.audit import readable
from portal.core.errors import StaleError


def state_of(row: models.Model, fields: Iterable[str]) -> str:
    """A short text that changes with any of ``fields``; the form carries it along."""
    digest = hashlib.sha256()
    for field in fields:
        value: Any = getattr(row, row._meta.get_field(field).attname)  # type: ignore[union-attr]
        digest.update(f"{field}={readable(value)}\x00".encode())
    return digest.hexdigest()[:24]


def refuse_stale(row: models.Model, fields: Iterable[str], *, seen: str) -> None:
    """Raise StaleError if ``row``, locked by now, is not as ``seen`` any more."""
    if seen and seen != state_of(row, fields):
        raise StaleError
