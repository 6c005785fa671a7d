"""The demo's small world, laid once for all tests that only look at it."""

from __future__ import annotations

from django.test import override_settings

from portal.demo import building


def build_demo() -> bool:
    """As with a mail server set up, which must not hear of anything in it."""
    with override_settings(EMAIL_IS_KEPT=False):
        return building.build_world()
