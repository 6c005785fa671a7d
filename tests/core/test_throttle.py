"""Counting tries."""

from __future__ import annotations

from django.core.cache import cache

from portal.core.throttle import Throttle

TWICE = Throttle("test", limit=2, seconds=90)


def test_third_try_is_refused() -> None:
    assert [TWICE.allows("a") for _time in range(4)] == [True, True, False, False]


def test_keys_and_names_are_counted_apart() -> None:
    for _time in range(3):
        TWICE.allows("a")
    assert TWICE.allows("b")
    assert Throttle("other", limit=1, seconds=60).allows("a")


def test_looking_counts_nothing() -> None:
    assert not TWICE.is_used_up("a")
    TWICE.allows("a")
    assert not TWICE.is_used_up("a")
    TWICE.allows("a")
    assert TWICE.is_used_up("a")


def test_forgotten_key_begins_anew() -> None:
    for _time in range(3):
        TWICE.allows("a")
    TWICE.forget("a")
    assert TWICE.allows("a")


def test_time_runs_from_the_first_try() -> None:
    TWICE.allows("a")
    client = cache._cache.get_client()
    key = cache.make_key(TWICE._where("a"))
    first = client.pttl(key)
    assert 0 < first <= 90_000
    TWICE.allows("a")
    assert client.pttl(key) <= first


def test_keys_may_be_anything() -> None:
    for key in ("", None, "x" * 10_000, "a b\n\0", "‮", 5):
        assert TWICE.allows(key)


def test_waiting_time_is_told_in_whole_minutes() -> None:
    assert TWICE.minutes == 2
    assert Throttle("test", limit=1, seconds=60).minutes == 1
