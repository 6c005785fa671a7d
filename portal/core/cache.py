"""A cache one can do without: while Redis is away it is as if it were empty."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class ForgivingRedisCache(RedisCache):
    """Django's cache in Redis, without its errors: pages become slower, not broken.

    Everything that must last is in PostgreSQL, sessions included.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except RedisError as error:
            return _missed(error, default)

    def get_many(
        self, keys: Iterable[Any], version: int | None = None
    ) -> dict[Any, Any]:
        try:
            return super().get_many(keys, version)
        except RedisError as error:
            return _missed(error, {})

    def has_key(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().has_key(key, version)
        except RedisError as error:
            return _missed(error, False)

    def add(
        self,
        key: Any,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        try:
            return super().add(key, value, timeout, version)
        except RedisError as error:
            return _missed(error, False)

    def set(
        self,
        key: Any,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        try:
            super().set(key, value, timeout, version)
        except RedisError as error:
            _missed(error, None)

    def set_many(
        self,
        data: dict[Any, Any],
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> list[Any]:
        """The keys that could not be stored, as Django's."""
        try:
            return super().set_many(data, timeout, version)
        except RedisError as error:
            return _missed(error, list(data))

    def delete(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().delete(key, version)
        except RedisError as error:
            return _missed(error, False)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Raises ValueError if the key is not there, as Django's, or cannot be asked."""
        try:
            return super().incr(key, delta, version)
        except RedisError as error:
            raise ValueError(_missed(error, "the cache is away")) from error


def _missed(error: RedisError, answer: Answer) -> Answer:
    logger.warning("cache away: %s", error)
    return answer
