"""Sessions that belong to a person and can be listed and ended (Settings » Sessions).

Cached in Redis, kept in PostgreSQL: losing the cache signs nobody out.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY as PERSON_ID
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware as DjangoMiddleware
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from portal.core.models.session import Session

SOURCE_IP = "source_ip"
USER_AGENT = "user_agent"
SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
# Seconds between two notes that a session is in use: a row is written that often.
SEEN_EVERY = 5 * 60

__all__ = ["SessionMiddleware", "SessionStore"]


class SessionStore(CachedStore):
    cache_key_prefix = "session:"

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row as it is written: whole, at every save, also when it is there already."""
        row = super().create_model_instance(data)
        assert isinstance(row, Session)
        row.person_id = int(data[PERSON_ID]) if PERSON_ID in data else None
        row.source_ip = data.get(SOURCE_IP)
        row.user_agent = data.get(USER_AGENT, "")
        signed_in_at = data.get(SIGNED_IN_AT)
        row.created_at = (
            datetime.fromtimestamp(signed_in_at, UTC)
            if signed_in_at
            else timezone.now()
        )
        return row

    def save(self, must_create: bool = False) -> None:
        try:
            super().save(must_create)
        except UpdateError:
            # Ended from elsewhere while this request ran, which may have cached it again.
            cache.delete(self.cache_key)
            raise


class SessionMiddleware(DjangoMiddleware):
    """Django's, with our store passed by class: the engine setting names a module.

    Notes every few minutes that a session is in use, which also prolongs it.
    """

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self.SessionStore = SessionStore

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        session = request.session
        if session.accessed and PERSON_ID in session:
            now = int(time.time())
            if now - session.get(SEEN_AT, 0) >= SEEN_EVERY:
                session[SEEN_AT] = now
        try:
            return super().process_response(request, response)
        except SessionInterrupted:  # ended from elsewhere while this request ran
            signed_out = redirect(settings.LOGIN_URL)
            signed_out.delete_cookie(settings.SESSION_COOKIE_NAME)
            return signed_out


def remember_browser(request: HttpRequest) -> None:
    """Note at sign-in when, from where and with what the session is used."""
    now = int(time.time())
    request.session[SOURCE_IP] = request.source_ip  # type: ignore[attr-defined]
    request.session[USER_AGENT] = request.headers.get("User-Agent", "")[:300]
    request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = now


def end_session(session_key: str) -> None:
    """Sign a browser out, wherever it is."""
    SessionStore(session_key).delete()
