"""Secrets that are shown once, on the page after the one that made them."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest

from portal.core import secrets

SESSION_KEY = "shown_once"


def show_once(request: HttpRequest, target: str, values: dict[str, str]) -> None:
    """Keep ``values`` (label to secret), encrypted, for the next page about ``target``."""
    request.session[SESSION_KEY] = {
        "target": target,
        "values": secrets.encrypt(json.dumps(values)),
    }


def take_shown_once(request: HttpRequest, target: str) -> dict[str, str]:
    """The secrets kept for ``target``; asking again gives nothing."""
    kept: Any = request.session.get(SESSION_KEY)
    if not kept or kept["target"] != target:
        return {}
    del request.session[SESSION_KEY]
    values: dict[str, str] = json.loads(secrets.decrypt(kept["values"]))
    return values
