"""Sessions that belong to a person and can be listed and ended (Settings » Sessions).

Cached in Redis, kept in PostgreSQL: losing the cache signs nobody out.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.contrib.sessions.middleware import SessionMiddleware as DjangoMiddleware
from django.http import HttpRequest

from portal.core.models.session import Session

SOURCE_IP = "source_ip"
USER_AGENT = "user_agent"

__all__ = ["SessionMiddleware", "SessionStore"]


class SessionStore(CachedStore):
    cache_key_prefix = "session:"

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Session = super().create_model_instance(data)
        row.person_id = int(data["_auth_user_id"]) if "_auth_user_id" in data else None
        row.source_ip = data.get(SOURCE_IP)
        row.user_agent = data.get(USER_AGENT, "")
        return row


class SessionMiddleware(DjangoMiddleware):
    """Django's, with our store passed by class: the engine setting names a module."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self.SessionStore = SessionStore


def remember_browser(request: HttpRequest) -> None:
    """Note at sign-in from where and with what the session is used."""
    request.session[SOURCE_IP] = request.source_ip  # type: ignore[attr-defined]
    request.session[USER_AGENT] = request.headers.get("User-Agent", "")[:300]


def end_session(session_key: str) -> None:
    """Sign a browser out, wherever it is."""
    SessionStore(session_key).delete()
