"""Every address inside an account, asked for by everybody: who gets in, and what others hear.

The addresses come from the URL map, so a new page is asked for without being named here.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from billing.models import (
    Charge,
    Invoice,
    LedgerEntry,
    Payment,
    PaymentImport,
    PaymentImportLine,
    PeriodRun,
    Product,
    RunFailure,
    Tax,
)
from customers.models import Customer, Mailbox, Note, Number, Person, TelephoneLine
from portal.core.models import EmailAttachment, OutgoingEmail
from portal.core.scope import scopes_disabled
from rateplans.models import CustomSetting, RatePlan
from tests.world import World

INSIDE = "a/<int:account>/"
# What the word before an id in an address names.
MODELS: dict[str, Any] = {
    "customers": Customer,
    "people": Person,
    "lines": TelephoneLine,
    "numbers": Number,
    "mailboxes": Mailbox,
    "emails": OutgoingEmail,
    "files": EmailAttachment,
    "notes": Note,
    "taxes": Tax,
    "charges": Charge,
    "products": Product,
    "plans": RatePlan,
    "customs": CustomSetting,
    "entries": LedgerEntry,
    "ledger": LedgerEntry,
    "runs": PeriodRun,
    "failures": RunFailure,
    "invoices": Invoice,
    "payments": Payment,
    "payment-imports": PaymentImport,
    "rows": PaymentImportLine,
    "receivables": Customer,  # who owes
}
# How a row, or the row behind a word (of one part of the site), tells whose it is, where
# not by its customer.
PLACES: dict[Any, str] = {
    "commerce/invoices": "issuer",
    "reports/invoices": "account__customer",
    "payments": "provider",
    "payment-imports": "owner",
    "rows": "owner",
    "entries": "account__customer",
    "ledger": "account__customer__parent",
    "files": "email__customer",
    Customer: "parent",
    Note: "customer__parent",
    Tax: "owner",
    Charge: "owner",
    Product: "owner",
    RatePlan: "owner",
    CustomSetting: "plan__owner",
    PeriodRun: "failures__account__provider",
    RunFailure: "account__provider",
}
# Ids that are no row of a tenant: one's own browser sessions, asked for in tests of theirs.
NO_ROWS = {"sessions"}


def _patterns(resolver: Any, path: str = "") -> Any:
    for entry in resolver.url_patterns:
        here = path + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield here, entry.callback
        else:
            yield from _patterns(entry, here)


ROUTES = [
    (path, view)
    for path, view in _patterns(get_resolver())
    if path.startswith(INSIDE) and not any(f"{word}/<" in path for word in NO_ROWS)
]


def _id_of(path: str) -> str:
    return path


def _method(view: Any) -> str:
    """GET where there is a page, POST where there is a button only."""
    view_class = view.view_class
    has_page = hasattr(view_class, "get") and "get" in view_class.http_method_names
    return "get" if has_page else "post"


def _address(path: str, account: Customer, owner: Customer) -> str:
    """``path`` in ``account`` with rows that belong to ``owner``, or are of its customers."""

    section = path.removeprefix(INSIDE).partition("/")[0]

    def value(match: re.Match[str]) -> str:
        word, name = match[1], match[2]
        if name == "account":
            return f"a/{account.pk}"
        model = MODELS[word]
        names = (f"{section}/{word}", word, model)
        place = next((PLACES[each] for each in names if each in PLACES), "customer")
        with scopes_disabled():
            row = model.objects.filter(**{place: owner}).earliest("pk")
        return f"{word}/{row.pk}"

    return "/" + re.sub(r"([\w-]+)/<\w+:(\w+)>", value, path)


def _ask(
    client: Client, path: str, view: Any, account: Customer, owner: Customer
) -> Any:
    return getattr(client, _method(view))(_address(path, account, owner))


@pytest.mark.parametrize(("path", "view"), ROUTES, ids=_id_of)
def test_everybody_hears_what_is_theirs(estate: World, path: str, view: Any) -> None:
    _strangers_are_led_to_the_login(estate, path, view)
    _rivals_find_nothing(estate, path, view)
    if path.count("<") > 1:
        _foreign_rows_are_not_found_in_the_own_account(estate, path, view)
    _a_role_opens_what_it_may_and_nothing_else(estate, path, view)
    _those_who_may_are_answered(estate, path, view)


def _strangers_are_led_to_the_login(estate: World, path: str, view: Any) -> None:
    response = _ask(Client(), path, view, estate.acme, estate.acme)
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


def _rivals_find_nothing(estate: World, path: str, view: Any) -> None:
    response = _ask(estate.client(estate.eve), path, view, estate.acme, estate.acme)
    assert response.status_code == 404


def _foreign_rows_are_not_found_in_the_own_account(
    estate: World, path: str, view: Any
) -> None:
    response = _ask(estate.client(estate.ann), path, view, estate.acme, estate.rival)
    may = view.view_class.permission in estate.ann.role.permissions
    assert response.status_code == (404 if may else 403)


def _a_role_opens_what_it_may_and_nothing_else(
    estate: World, path: str, view: Any
) -> None:
    """Uli is a plain user at Acme: 403 unless its role has the page's permission."""
    may = view.view_class.permission in estate.uli.role.permissions
    response = _ask(estate.client(estate.uli), path, view, estate.acme, estate.acme)
    assert (response.status_code == 403) is not may


def _those_who_may_are_answered(estate: World, path: str, view: Any) -> None:
    """Olga of the system owner acts in Acme; everything answers, nothing falls over."""
    client = estate.client(estate.olga)
    switched = client.post(f"/a/{estate.root.pk}/switch/", {"customer": estate.acme.pk})
    assert switched.status_code == 302
    permission = view.view_class.permission
    response = _ask(client, path, view, estate.acme, estate.acme)
    if permission == "system":  # switched, one has the rights of a reseller at most
        assert response.status_code == 403
    else:
        assert response.status_code in {200, 302, 404, 422}
        assert response.status_code != 404 or _is_about_oneself(view)


def _is_about_oneself(view: Any) -> bool:
    """Pages of the real person do not exist while switched; some buttons name a row."""
    needs_more = {"SwitchOpen", "LoginDetailsResend", "LineBulk"}
    return view.view_class.__module__.endswith(
        ("own", "profile", "second_factor", "sessions")
    ) or (view.view_class.__name__ in needs_more)
