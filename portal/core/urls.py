"""Addresses inside an account: every tenant page begins with /a/<account id>/ (design 3)."""

from typing import Any

from django.urls import reverse


def account_url(account_id: int, name: str, **kwargs: Any) -> str:
    return reverse(name, kwargs={"account": account_id, **kwargs})
