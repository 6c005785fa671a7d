"""States in one word, for cells of tables and heads of pages."""

from __future__ import annotations

from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe


@lru_cache(maxsize=256)
def pill(kind: str, label: str, icon: str = "") -> SafeString:
    """A state in one word; there are few of them, and a list shows one in each row."""
    return mark_safe(
        render_to_string(
            "_components/pill.html", {"kind": kind, "label": label, "icon": icon}
        ).strip()
    )
