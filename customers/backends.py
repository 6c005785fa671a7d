"""Who may sign in (D 7.4): the person, its role, where from, and its customer's lock."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from customers.choices import Lock
from customers.models import Person
from portal.core.scope import scopes_disabled


class PersonBackend(BaseBackend):
    """User name and password. Every refusal looks the same from outside."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> Person | None:
        if not username or password is None:
            return None
        with scopes_disabled():  # nobody is signed in yet
            person = _people().filter(is_pseudo=False)
            try:
                found = person.get(
                    pk=Person.objects.get_by_natural_key(username[:150]).pk
                )
            except Person.DoesNotExist:
                make_password(password)  # takes as long as a check, so names stay secret
                return None
        address = getattr(request, "source_ip", None)
        if found.check_password(password) and may_sign_in(found, address):
            return found
        return None

    def get_user(self, user_id: int) -> Person | None:
        with scopes_disabled():  # the account is not resolved yet
            return _people().filter(pk=user_id, is_pseudo=False).first()


def may_sign_in(person: Person, address: str | None) -> bool:
    """Whether nothing but the password stands between ``person`` and the portal."""
    return (
        person.is_active
        and person.role.may_login
        and not person.customer.is_deleted
        and not Lock(person.customer.lock).blocks_web
        and person.may_come_from(address)
    )


def axes_username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The user name as failed sign-ins are counted: without regard to case and spacing."""
    name = (credentials or {}).get("username") or request.POST.get("username") or ""
    return "".join(str(name).split()).casefold()[:150]


def _people() -> Any:
    return Person.objects.select_related("customer", "role")
