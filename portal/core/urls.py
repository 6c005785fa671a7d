"""Addresses inside an account: every tenant page begins with /a/<account id>/ (design 3)."""

from datetime import date
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.dateparse import parse_date

_LONGEST_ID = 18  # digits that a 64-bit integer surely holds


def account_url(account_id: int, name: str, **kwargs: Any) -> str:
    return reverse(name, kwargs={"account": account_id, **kwargs})


def with_query(url: str, query: QueryDict) -> str:
    """``url`` with the filters, order and place of the list one comes from."""
    return f"{url}?{query.urlencode()}" if query else url


def row_id(text: str) -> int | None:
    """The id that ``text``, from an address or a form, stands for; None if it is none."""
    is_id = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID
    return int(text) if is_id else None


def day_of(text: str) -> date | None:
    """The day that ``text`` of an address names; None if it is none."""
    try:
        return parse_date(text)
    except ValueError:
        return None
