"""How often something may be tried: counted in the cache, forgotten after a while."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.core.cache import cache


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most ``limit`` tries within ``seconds``, for each key such as a source address.

    The time runs from the first try. Counting is outside of database transactions, so a
    try counts even when what it tried was rolled back. Without a cache nothing is refused:
    the portal stays usable, and django-axes goes on counting failed logins in its tables.
    """

    name: str
    limit: int
    seconds: int

    def allows(self, key: object) -> bool:
        """Count a try; whether it is within the limit."""
        where = self._where(key)
        cache.add(where, 0, self.seconds)
        try:
            return int(cache.incr(where)) <= self.limit
        except ValueError:  # it expired between the two, or the cache is away
            return True

    def is_used_up(self, key: object) -> bool:
        """Whether the next try would be refused; counts nothing."""
        return int(cache.get(self._where(key), 0)) >= self.limit

    def forget(self, key: object) -> None:
        cache.delete(self._where(key))

    @property
    def minutes(self) -> int:
        """How long to wait at the most, for people."""
        return -(-self.seconds // 60)

    def _where(self, key: object) -> str:
        digest = hashlib.sha256(str(key).encode()).hexdigest()[:32]
        return f"throttle:{self.name}:{digest}"
