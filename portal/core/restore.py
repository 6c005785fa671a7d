"""What was typed into a form survives the end of the session (or of a switch)."""

from __future__ import annotations

import re

from django.http import HttpRequest, QueryDict

SESSION_KEY = "kept_entries"
MAX_LENGTH = 100_000
# Passwords and codes are typed again; tokens of the old page are of no use. A post code
# (address_code) is no secret.
NEVER_KEPT = re.compile(
    r"password|(^|-)(code|pin)$|^csrfmiddlewaretoken$", re.IGNORECASE
)


def keep_entries(request: HttpRequest) -> None:
    """Keep a refused POST's fields, but no files, until its page is opened again.

    What a page's script asks beside it is no form of its own, and must not take the place
    of the one that is being saved.
    """
    if request.method != "POST" or request.headers.get("HX-Request"):
        return
    entries = request.POST.copy()
    for name in list(entries):
        if NEVER_KEPT.search(name):
            del entries[name]
    encoded = entries.urlencode()
    if entries and len(encoded) <= MAX_LENGTH:
        request.session[SESSION_KEY] = {"path": request.path, "entries": encoded}


def take_entries(request: HttpRequest) -> QueryDict | None:
    """The entries kept for this page, once; None if there are none."""
    kept = request.session.get(SESSION_KEY)
    if not kept or kept["path"] != request.path:
        return None
    del request.session[SESSION_KEY]
    return QueryDict(kept["entries"])
