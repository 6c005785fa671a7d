"""Lucide's tag, which draws each icon once: a list has dozens of the same."""

from __future__ import annotations

from functools import lru_cache

from django import template
from lucide.templatetags.lucide import lucide

register = template.Library()
register.simple_tag(lru_cache(maxsize=1000)(lucide), name="lucide")
