"""What frames every page: menu, identities, the banner while switched, the brand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from customers.branding import page_brand
from customers.services.switching import Reach
from portal.core.permissions import Menu, Permission
from portal.core.urls import account_url


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the menu. ``own``: about the real person, so hidden while switched.

    ``also``: another permission that the page asks for beside ``permission``.
    """

    menu: Menu
    label: Any
    url_name: str
    icon: str
    permission: Permission
    own: bool = False
    shortcut: str = ""
    also: Permission | None = None


SECTION_ICONS = {
    Menu.ACTIONS: "zap",
    Menu.FEATURES: "phone",
    Menu.REPORTS: "chart-no-axes-column",
    Menu.COMMERCE: "briefcase-business",
    Menu.SETTINGS: "settings",
    Menu.SYSTEM: "server",
}

ENTRIES = (
    Entry(
        Menu.ACTIONS,
        _("Purchase"),
        "billing:purchase",
        "shopping-cart",
        Permission.ADMINISTRATOR,
    ),
    Entry(
        Menu.FEATURES,
        _("People"),
        "customers:person-list",
        "users",
        Permission.ADMINISTRATOR,
    ),
    Entry(
        Menu.FEATURES,
        _("Telephone lines"),
        "customers:line-list",
        "phone",
        Permission.USER,
    ),
    Entry(
        Menu.FEATURES,
        _("Numbers"),
        "customers:number-list",
        "hash",
        Permission.USER,
    ),
    Entry(
        Menu.FEATURES,
        _("Mailboxes"),
        "customers:mailbox-list",
        "voicemail",
        Permission.USER,
    ),
    Entry(
        Menu.REPORTS,
        _("Account"),
        "billing:account",
        "wallet",
        Permission.REPORTS,
    ),
    Entry(
        Menu.REPORTS,
        _("Invoices"),
        "billing:own-invoice-list",
        "receipt-text",
        Permission.REPORTS,
    ),
    Entry(
        Menu.REPORTS,
        _("Open items"),
        "billing:own-open-items",
        "scale",
        Permission.REPORTS,
    ),
    Entry(
        Menu.REPORTS,
        _("E-mails"),
        "customers:email-list",
        "mails",
        Permission.REPORTS,
    ),
    Entry(
        Menu.REPORTS,
        _("Audit log"),
        "customers:audit-list",
        "scroll-text",
        Permission.AUDIT,
    ),
    Entry(
        Menu.COMMERCE,
        _("Customers"),
        "customers:customer-list",
        "users",
        Permission.COMMERCE,
        shortcut="g c",
    ),
    Entry(
        Menu.COMMERCE,
        _("Rate plans"),
        "rateplans:plan-list",
        "tags",
        Permission.COMMERCE,
        shortcut="g r",
    ),
    Entry(
        Menu.COMMERCE,
        _("Products"),
        "billing:product-list",
        "package",
        Permission.COMMERCE,
    ),
    Entry(
        Menu.COMMERCE,
        _("Taxes"),
        "billing:tax-list",
        "percent",
        Permission.COMMERCE,
    ),
    Entry(
        Menu.COMMERCE,
        _("Exchange rates"),
        "billing:rate-list",
        "coins",
        Permission.COMMERCE,
    ),
    Entry(
        Menu.COMMERCE,
        _("Invoices"),
        "billing:invoice-list",
        "receipt-text",
        Permission.COMMERCE,
        shortcut="g i",
    ),
    Entry(
        Menu.COMMERCE,
        _("Payments"),
        "billing:payment-list",
        "hand-coins",
        Permission.COMMERCE,
    ),
    Entry(
        Menu.COMMERCE,
        _("Receivables"),
        "billing:receivables",
        "scale",
        Permission.COMMERCE,
    ),
    Entry(
        Menu.COMMERCE,
        _("Billing runs"),
        "billing:run-list",
        "calendar-sync",
        Permission.COMMERCE,
    ),
    Entry(
        Menu.SETTINGS,
        _("Company"),
        "customers:company",
        "building-2",
        Permission.SETTINGS,
    ),
    Entry(
        Menu.SETTINGS,
        _("Invoicing"),
        "billing:seller",
        "receipt",
        Permission.SETTINGS,
        also=Permission.COMMERCE,
    ),
    Entry(
        Menu.SETTINGS,
        _("Number series"),
        "billing:number-series",
        "list-ordered",
        Permission.SETTINGS,
        also=Permission.COMMERCE,
    ),
    Entry(
        Menu.SETTINGS,
        _("Profile"),
        "customers:profile",
        "circle-user-round",
        Permission.USER,
        own=True,
    ),
    Entry(
        Menu.SETTINGS,
        _("Password"),
        "customers:password",
        "key-round",
        Permission.USER,
        own=True,
    ),
    Entry(
        Menu.SETTINGS,
        _("Second factor"),
        "customers:second-factor",
        "shield-check",
        Permission.USER,
        own=True,
    ),
    Entry(
        Menu.SETTINGS,
        _("Sessions"),
        "customers:session-list",
        "monitor-smartphone",
        Permission.USER,
        own=True,
    ),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor; worked out only for templates that show the frame."""
    return {"shell": SimpleLazyObject(lambda: _shell(request))}


def _shell(request: Any) -> dict[str, Any]:
    reach: Reach | None = getattr(request, "reach", None)
    if reach is None or reach.needs_switch:
        return {"menu": [], "brand": None, "identities": [], "acting": None}
    account_id = reach.account.pk
    return {
        "menu": list(_menu(request, reach)),
        "home_url": account_url(account_id, "start"),
        "identities": _identities(reach),
        "acting": _acting(reach),
        "search_url": account_url(account_id, "search")
        if reach.actor.can(Permission.COMMERCE)
        else "",
        "account": reach.account,
        "brand": page_brand(reach.account),
        "profile_url": account_url(reach.own.pk, "customers:profile"),
        "help_url": account_url(account_id, "billing:help"),
    }


def _menu(request: HttpRequest, reach: Reach) -> Iterator[dict[str, Any]]:
    """The sections the role ticks, with the pages it may open; longest match is active."""
    shown = [
        (entry, account_url(reach.account.pk, entry.url_name))
        for entry in ENTRIES
        if entry.menu in reach.actor.menus
        and reach.actor.can(entry.permission)
        and (entry.also is None or reach.actor.can(entry.also))
        and not (entry.own and reach.actor.is_switched)
    ]
    matching = [url for _entry, url in shown if request.path.startswith(url)]
    active = max(matching, key=len, default="")
    for menu in Menu:
        entries = [
            {
                "label": entry.label,
                "url": url,
                "icon": entry.icon,
                "active": url == active,
                "shortcut": entry.shortcut,
            }
            for entry, url in shown
            if entry.menu == menu
        ]
        if menu == Menu.SYSTEM and menu in reach.actor.menus and reach.person.is_staff:
            entries.append(
                {
                    "label": _("Administration"),
                    "url": reverse("admin:index"),
                    "icon": "database",
                    "active": False,
                }
            )
        if entries:
            yield {"label": menu.label, "icon": SECTION_ICONS[menu], "entries": entries}


def _identities(reach: Reach) -> list[dict[str, Any]]:
    """Who one is on the way down: oneself, then everybody switched into."""
    own = {
        "label": reach.person.display_name,
        "detail": reach.own.name,
        "url": account_url(reach.own.pk, "start"),
        "current": reach.switch is None,
    }
    return [
        own,
        *(
            {
                "label": switch.acting_as.display_name,
                # "[Beta Voice]" has said it already; of a person it tells the account.
                "detail": "" if switch.acting_as.is_pseudo else switch.customer.name,
                "url": account_url(switch.customer_id, "start"),
                "current": switch.customer_id == reach.account.pk,
            }
            for switch in reach.open_switches
        ),
    ]


def _acting(reach: Reach) -> dict[str, Any] | None:
    if reach.switch is None:
        return None
    left = reach.switch.expires_at - timezone.now()
    back = _account_above(reach)
    return {
        "name": reach.switch.acting_as.display_name,
        "person": reach.person.display_name,
        "back_url": account_url(reach.account.pk, "customers:switch-close"),
        "back_label": back,
        "minutes_left": max(0, int(left.total_seconds() // 60)),
        "limit_minutes": settings.SWITCH_TIMEOUT // 60,
    }


def _account_above(reach: Reach) -> str:
    """Where "Back" leads: the nearest account above that one is in."""
    above = [
        switch.customer
        for switch in reach.open_switches
        if reach.account.is_below(switch.customer)
    ]
    return above[-1].name if above else reach.own.name
