"""What stands on the start page: of who runs customers, and of a customer's own people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import BillingAccount, LedgerEntry
from billing.services.forecast import forecast
from billing.statement import entries_of, newest_entries, told_to_customer
from billing.types import rules_of
from billing.views.account_parts import (
    account_tiles,
    amount_cell,
    balance_plot,
    credit_tiles,
)
from customers.audit_labels import describe
from customers.filters.customers import LOCKED, LOW, OUT
from customers.models import Customer
from customers.selectors import has_children, with_residents
from customers.views.attention import count_text
from customers.views.parts import status_pill
from customers.visibility import visible_events
from portal.core.actor import Actor
from portal.core.display import format_day, format_moment
from portal.core.money import format_money
from portal.core.permissions import Permission
from portal.core.views import PortalView
from portal.dashboard import owed
from portal.dashboard.figures import (
    Counts,
    Year,
    counts_for,
    new_plot,
    revenue_plot,
    year_of,
)

NEWEST = 6
# With less left than this part of the credit limit, credit is nearly used up.
NEARLY = 10
_WORST_FIRST = ("danger", "warning", "info")


def is_provider(actor: Actor) -> bool:
    """Whether the page is about customers: not inside an account that has none."""
    if not actor.can(Permission.COMMERCE):
        return False
    return not actor.is_switched or has_children(actor.customer)


def own_account(actor: Actor) -> BillingAccount | None:
    """The account of whoever may read about its money; the system owner has none."""
    if not actor.can(Permission.REPORTS):
        return None
    accounts = BillingAccount.objects.select_related("customer", "plan")
    return accounts.filter(customer=actor.customer.pk).first()


def providers_part(view: PortalView, account: BillingAccount | None) -> dict[str, Any]:
    """Of who runs customers; only invites where there are none yet."""
    actor = view.actor
    if not has_children(actor.customer):
        return {"steps": first_steps(view)}
    currency = account.currency if account else "EUR"
    year = year_of(actor, currency=currency)
    return {
        "attention": attention(view, counts_for(actor), account),
        "tiles": providers_tiles(view, year, currency, account),
        "plots": [revenue_plot(year, currency), new_plot(year)],
        "left_out": ", ".join(year.left_out),
        "newest_customers": newest_customers(view),
        "newest_entries": [
            entry_line(
                entry,
                view.url(
                    "customers:customer-entry",
                    pk=entry.account.customer_id,
                    entry=entry.pk,
                ),
                place=entry.account.customer.name,
            )
            for entry in newest_entries(actor.customer, count=NEWEST)
        ],
    }


def first_steps(view: PortalView) -> list[dict[str, str]]:
    """For a new reseller: what to do first, in this order (D 2.1)."""
    invoicing = {
        "title": _("Prepare your invoices"),
        "text": _("Who sells, where customers pay to, your taxes, and your numbers."),
        "icon": "receipt-text",
        "url": view.url("billing:seller"),
        "label": _("Invoicing"),
    }
    return [
        {
            "title": _("Read how billing works"),
            "text": _("Five minutes on balances, credit and who pays whom."),
            "icon": "book-open",
            "url": view.url("billing:help"),
            "label": _("Read"),
        },
        {
            "title": _("Make a rate plan"),
            "text": _(
                "Say what your customers pay: by your own prices or your provider's."
            ),
            "icon": "tags",
            "url": view.url("rateplans:plan-list"),
            "label": _("Rate plans"),
        },
        *([invoicing] if view.actor.can(Permission.SETTINGS) else []),
        {
            "title": _("Create your first customer"),
            "text": _("It gets an account with you, people and telephones."),
            "icon": "user-plus",
            "url": view.url("customers:customer-new"),
            "label": _("New customer"),
        },
    ]


def attention(
    view: PortalView, counts: Counts, account: BillingAccount | None
) -> list[dict[str, str]]:
    """What needs somebody, the worst first, each with the way there.

    ``account`` is the own one with the provider, if the reader may know of it.
    """
    customers = view.url("customers:customer-list")
    emails = view.url("customers:email-list")
    runs = view.url("billing:run-list")
    lines = (
        (
            counts.ledger_faults,
            "danger",
            "octagon-alert",
            _("Faults found by the check of the ledger: %(count)s"),
            "",
        ),
        (
            int(counts.is_run_stuck),
            "danger",
            "octagon-alert",
            _("The billing run has not finished for hours"),
            runs,
        ),
        (
            counts.failed_fees,
            "danger",
            "receipt-text",
            _("Accounts that the billing run could not charge: %(count)s"),
            view.url("billing:run-detail", pk=counts.last_run)
            if counts.last_run
            else "",
        ),
        (
            int(account is not None and account.is_out_of_credit),
            "danger",
            "wallet",
            _("Your own credit is used up: nothing that costs something can be added"),
            view.url("billing:account"),
        ),
        (
            counts.out,
            "danger",
            "circle-alert",
            _("Customers out of credit: %(count)s"),
            f"{customers}?status={OUT}",
        ),
        (
            int(account is not None and is_nearly_used_up(account)),
            "warning",
            "wallet",
            _("Your own credit is nearly used up"),
            view.url("billing:account"),
        ),
        (
            counts.low,
            "warning",
            "trending-down",
            _("Customers with a low balance: %(count)s"),
            f"{customers}?status={LOW}",
        ),
        (
            counts.locked,
            "warning",
            "lock",
            _("Locked customers: %(count)s"),
            f"{customers}?status={LOCKED}",
        ),
        (
            counts.failed_mails,
            "warning",
            "mail-x",
            _("E-mails that failed in the last 30 days: %(count)s"),
            f"{emails}?status=failed" if view.actor.can(Permission.REPORTS) else "",
        ),
    )
    found = [
        {
            "kind": kind,
            "icon": icon,
            "text": text % {"count": count_text(count)} if "%" in text else text,
            "url": url,
        }
        for count, kind, icon, text, url in lines
        if count
    ]
    found += [*owed.buyers_lines(view), *owed.sellers_lines(view)]
    return sorted(found, key=lambda line: _WORST_FIRST.index(line["kind"]))


def is_nearly_used_up(account: BillingAccount) -> bool:
    """Whether what is left will not last, but some is: what customers get is charged too."""
    if account.is_out_of_credit or not rules_of(account.bill_type).uses_balance:
        return False
    return account.is_low or account.available * NEARLY < account.credit_limit


def providers_tiles(
    view: PortalView, year: Year, currency: str, account: BillingAccount | None
) -> list[dict[str, Any]]:
    """This month's figures, and the own balance with the account above."""
    new = year.new[-1]
    tiles: list[dict[str, Any]] = [
        {
            "label": _("Revenue this month"),
            "value": format_money(year.revenue[-1], currency),
            "icon": "trending-up",
            "detail": _("%(amount)s last month")
            % {"amount": format_money(year.revenue[-2], currency)},
        },
        {
            "label": _("New customers this month"),
            "value": str(new),
            "icon": "user-plus",
            "detail": ngettext(
                "%(count)d in the last year",
                "%(count)d in the last year",
                sum(year.new),
            )
            % {"count": sum(year.new)},
            "url": view.url("customers:customer-list") + "?sort=-created",
        },
    ]
    if account is not None and rules_of(account.bill_type).uses_balance:
        url = view.url("billing:account")
        tiles += [tile | {"url": url} for tile in credit_tiles(account)]
    return tiles


def newest_customers(view: PortalView) -> list[dict[str, Any]]:
    rows: QuerySet[Customer] = Customer.objects.filter(
        parent=view.actor.customer.pk, deleted_at=None
    ).select_related("account")
    found = with_residents(rows.order_by("-created_at", "-pk")[:NEWEST])
    return [
        {
            "pk": row.pk,
            "name": row.name,
            "detail": row.resident,  # type: ignore[attr-defined]
            "url": view.url("customers:customer-detail", pk=row.pk),
            "when": format_day(row.created_at),
            "pill": status_pill(row),
        }
        for row in found
    ]


def entry_line(entry: LedgerEntry, url: str, *, place: str = "") -> dict[str, Any]:
    currency = entry.account.currency
    return {
        "text": entry.description,
        "place": place,
        "when": format_moment(entry.at),
        "amount": amount_cell(entry.amount, currency),
        "url": url,
    }


def own_part(
    view: PortalView, account: BillingAccount | None, features: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Of a customer's own people: balance and credit, what there is, what changed."""
    context: dict[str, Any] = {"features": features}
    if account is not None:
        entries = entries_of(account).select_related("account").order_by("-pk")
        uses_balance = rules_of(account.bill_type).uses_balance
        url = view.url("billing:account")
        context |= {
            "tiles": [
                tile | {"url": url}
                for tile in account_tiles(account, forecast(account))
            ],
            **owed.to_pay(view),
            "plot": balance_plot(account) if uses_balance else None,
            "own_entries": [
                entry_line(entry, view.url("billing:entry-detail", pk=entry.pk))
                | {"text": told_to_customer(entry)}
                for entry in entries[:NEWEST]
            ],
            "account_url": url,
        }
    if view.actor.can(Permission.AUDIT):
        reader = view.request.reach.own
        events = (
            visible_events(view.actor, reader=reader)
            .filter(customer=view.actor.customer.pk)
            .select_related("person__customer")
            .prefetch_related("changes")
            .order_by("-pk")[:NEWEST]
        )
        context["events"] = [
            describe(event, reader=reader) | {"changes": []} for event in events
        ]
        context["events_url"] = view.url("customers:audit-list")
    return context


def greeting() -> str:
    """By the clock where the reader is."""
    hour = timezone.localtime().hour
    if hour < 5 or hour >= 18:
        return _("Good evening")
    return _("Good morning") if hour < 12 else _("Good afternoon")
