"""Who may sign in (D 7.4): the person, its role, where from, and its customer's lock."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet, Value
from django.http import HttpRequest

from customers.choices import Lock
from customers.models import NameKey, Person
from customers.services.sign_in import counted_name
from portal.core.scope import scopes_disabled


class PersonBackend(BaseBackend):
    """User name and password. Every refusal looks the same from outside.

    To whoever knows the right password of a locked customer, the view may say so: the
    person is left at the request as ``locked_person``.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> Person | None:
        if not username or password is None:
            return None
        person = _person_named(username)
        if person is None:
            make_password(password)  # takes as long as a check, so names stay secret
            return None
        if not person.check_password(password):
            return None
        address = getattr(request, "source_ip", None)
        if may_sign_in(person, address):
            return person
        if request is not None and may_sign_in(person, address, but_for_lock=True):
            request.locked_person = person  # type: ignore[attr-defined]
        return None

    def get_user(self, user_id: int) -> Person | None:
        with scopes_disabled():  # the account is not resolved yet
            return _people().filter(pk=user_id).first()


def may_sign_in(
    person: Person, address: str | None, *, but_for_lock: bool = False
) -> bool:
    """Whether nothing but the password stands between ``person`` and the portal.

    ``but_for_lock``: leaving aside whether its customer is locked.
    """
    return (
        person.is_active
        and person.role.may_login
        and not person.customer.is_deleted
        and (but_for_lock or not Lock(person.customer.lock).blocks_web)
        and person.may_come_from(address)
    )


def axes_username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Whose failures are counted together, for django-axes."""
    name = (credentials or {}).get("username") or request.POST.get("username") or ""
    return counted_name(str(name))


def _person_named(username: str) -> Person | None:
    key = NameKey(Value(username[:150].replace("\0", "")))
    with scopes_disabled():  # nobody is signed in yet
        return _people().filter(username_key=key).first()


def _people() -> QuerySet[Person]:
    """Those who can sign in at all, with what every request asks of them."""
    people = Person.objects.filter(is_pseudo=False)
    related = people.select_related("customer__company", "role")
    return related.defer("customer__company__logo")
