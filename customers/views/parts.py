"""What the pages about a customer show: pills, figures, facts, the login mail's state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

from billing.calls_at_once import calls_at_once
from billing.choices import AffiliateType, PaymentType
from billing.models import BillingAccount
from billing.parties import format_iban
from billing.party_choices import VatTreatment
from billing.selectors import has_customers
from billing.types import rules_of
from billing.views.call_parts import call_items
from customers.choices import Lock, country_choices
from customers.models import Customer
from customers.wizards.plan_values import plan_values
from portal.core.display import format_day, format_moment
from portal.core.models import EmailStatus, OutgoingEmail
from portal.core.money import format_money
from portal.core.periods import local_date
from portal.core.pills import pill as pill
from portal.core.views import PortalView
from rateplans.selectors import effective_plan
from rateplans.settings import NO_LIMIT


def status_pill(customer: Customer) -> SafeString:
    """Deleted, locked and from what, out of credit, or active: in a word and a colour."""
    if customer.is_deleted:
        return pill("neutral", _("Deleted"), "trash-2")
    if customer.lock == Lock.NONE:
        return _credit_pill(customer.account)
    labels = {
        Lock.WEB: _("Web locked"),
        Lock.CALLS: _("Calls locked"),
        Lock.BOTH: _("Locked"),
    }
    return pill("warning", labels[Lock(customer.lock)], "lock")


def _credit_pill(account: BillingAccount) -> SafeString:
    if account.is_out_of_credit:
        return pill("danger", _("Out of credit"), "circle-alert")
    if account.is_low:
        return pill("warning", _("Low balance"), "trending-down")
    return pill("success", _("Active"))


def balance_tiles(
    customer: Customer, *, account_url: str, plan_url: str
) -> list[dict[str, Any]]:
    """Balance, what may still be spent, and the plan, at a glance, with the ways there."""
    account = customer.account
    if not rules_of(account.bill_type).uses_balance:
        return [
            {
                "label": _("Billing type"),
                "value": account.get_bill_type_display(),
                "icon": "receipt-text",
                "detail": _("No balance is kept here."),
            },
            _plan_tile(account, plan_url),
        ]
    return [
        {
            "label": _("Balance"),
            "value": format_money(account.balance, account.currency),
            "icon": "wallet",
            "detail": account.get_bill_type_display(),
            "url": account_url,
            "kind": "danger" if account.balance < 0 and account.available <= 0 else "",
        },
        {
            "label": _("Available"),
            "value": format_money(account.available, account.currency),
            "icon": "piggy-bank",
            "detail": _("Credit limit %(limit)s")
            % {"limit": format_money(account.credit_limit, account.currency)},
            "url": account_url,
            "kind": "warning" if account.available <= 0 else "",
        },
        _plan_tile(account, plan_url),
    ]


def _plan_tile(account: BillingAccount, url: str) -> dict[str, Any]:
    return {
        "label": _("Rate plan"),
        "value": account.plan.name,
        "icon": "tags",
        "detail": account.plan.currency,
        "url": url,
    }


def plan_reader(account: BillingAccount) -> Callable[[str, str], str]:
    """Reads a setting of the customer, or else what its rate plan says for it."""
    today = local_date(account.customer.time_zone)
    plan = plan_values(effective_plan(account.plan, on=today))

    def or_plan(name: str, value: str) -> str:
        return value or _("%(value)s (rate plan)") % {"value": capfirst(plan[name])}

    return or_plan


def account_items(account: BillingAccount) -> list[dict[str, Any]]:
    or_plan = plan_reader(account)
    yes_no = {True: _("Yes"), False: _("No"), None: ""}
    currency = account.currency
    return [
        _item(account, "bill_type", account.get_bill_type_display()),
        _item(account, "payment_type", account.get_payment_type_display()),
        *_mandate_items(account),
        _item(account, "currency", currency),
        _item(account, "bill_ref", account.bill_ref),
        _item(
            account,
            "call_maximum",
            or_plan("call_maximum", _limit(account.call_maximum, currency)),
        ),
        _item(account, "due_days", or_plan("due_days", _days(account.due_days))),
        _item(
            account,
            "send_invoices",
            or_plan("send_invoices", yes_no[account.send_invoices]),
        ),
        _item(
            account,
            "invoice_format",
            or_plan("invoice_format", account.get_invoice_format_display()),
        ),
        _item(
            account,
            "invoice_detail",
            or_plan("invoice_detail", account.get_invoice_detail_display()),
        ),
        _item(account, "contract", or_plan("contract", account.get_contract_display())),
        _item(
            account,
            "contract_ends_on",
            format_day(account.contract_ends_on) if account.contract_ends_on else "",
        ),
        {
            "label": _("Taxes liable"),
            "value": ", ".join(liable.tax.name for liable in account.liabilities.all()),
        },
        _item(account, "low_balance", _amount_or_never(account.low_balance, currency)),
        _item(account, "auto_topup", _amount_or_never(account.auto_topup, currency)),
        {
            "label": _("Affiliate"),
            "value": _affiliate(account),
        },
    ]


def _mandate_items(account: BillingAccount) -> list[dict[str, Any]]:
    """The SEPA mandate, of who pays by direct debit."""
    if account.payment_type != PaymentType.DIRECT_DEBIT:
        return []
    signed = account.mandate_signed_on
    return [
        _item(account, "mandate_reference", account.mandate_reference),
        _item(account, "mandate_signed_on", format_day(signed) if signed else ""),
        _item(account, "debited_iban", format_iban(account.debited_iban)),
    ]


def buyer_items(account: BillingAccount) -> list[dict[str, Any]]:
    """What invoices say of the customer."""
    treatment = VatTreatment(account.vat_treatment)
    items = [
        _item(account, "legal_name", account.legal_name or account.customer.name),
        _item(account, "register_number", account.register_number),
        _item(account, "tax_reference", account.tax_reference),
        _item(account, "vat_treatment", treatment.label),
        _item(account, "buyer_reference", account.buyer_reference),
        _item(account, "order_reference", account.order_reference),
        _item(account, "endpoint_id", account.endpoint_id),
    ]
    items[3]["help"] = account.vat_reason
    items[6]["help"] = account.get_endpoint_scheme_display()
    return items


def _affiliate(account: BillingAccount) -> str:
    if account.affiliate is None:
        return ""
    texts = {
        AffiliateType.REVENUE: _("%(name)s: %(percent)d%% of the revenue"),
        AffiliateType.PROFIT: _("%(name)s: %(percent)d%% of the profit"),
    }
    return texts[AffiliateType(account.affiliate_type)] % {
        "name": account.affiliate.name,
        "percent": account.affiliate_percentage,
    }


def settings_items(customer: Customer) -> list[dict[str, Any]]:
    language = (
        get_language_info(customer.language)["name_translated"]
        if customer.language
        else _("As the account above")
    )
    return [
        _item(customer, "description", customer.description),
        _item(customer, "account_number", customer.account_number),
        _item(
            customer,
            "is_in_directory",
            _("Yes") if customer.is_in_directory else _("No"),
        ),
        _item(customer, "lock", customer.get_lock_display()),
        _item(customer, "lock_reason", customer.lock_reason),
        _item(customer, "time_zone", customer.time_zone.replace("_", " ")),
        _item(customer, "language", language),
        _item(customer, "created_at", format_moment(customer.created_at)),
    ]


def telephony_items(customer: Customer) -> list[dict[str, Any]]:
    or_plan = plan_reader(customer.account)
    yes_no = {True: _("Yes"), False: _("No"), None: ""}
    external = yes_no[customer.callerid_in_external]
    items = [
        _item(
            customer,
            "concurrent_calls",
            or_plan("concurrent_calls", _count(customer.concurrent_calls)),
        ),
        *_bought_calls(customer.account),
        _item(
            customer, "bulk_calls", or_plan("bulk_calls", _count(customer.bulk_calls))
        ),
        _item(customer, "voicemail_days", _days(customer.voicemail_days)),
        _item(customer, "voicemail_maximum", customer.voicemail_maximum),
        _item(
            customer, "callerid_in_external", or_plan("callerid_in_external", external)
        ),
        _item(customer, "callerid", customer.callerid),
        _item(
            customer,
            "dial_plan",
            or_plan("dial_plan", customer.dial_plan.name if customer.dial_plan else ""),
        ),
    ]
    if customer.prefix:
        items.append(_item(customer, "prefix", customer.prefix))
    if customer.region:
        items.append(_item(customer, "region", customer.region.name))
    return items


def _bought_calls(account: BillingAccount) -> list[dict[str, Any]]:
    """What the limit comes to with what was bought beyond it, if anything was."""
    if not account.extra_calls.exists():
        return []
    calls = calls_at_once(account)
    return (
        call_items(calls, has_customers=has_customers(account)) if calls.bought else []
    )


def address_items(customer: Customer) -> list[dict[str, Any]]:
    countries = dict(country_choices())
    lines = [*customer.postal_lines, countries.get(customer.country, "")]
    return [
        _item(customer, "email", customer.email),
        {"label": _("Address"), "value": ", ".join(line for line in lines if line)},
        _item(customer, "telephone", customer.telephone),
        _item(customer, "fax", customer.fax),
    ]


def mail_state(
    view: PortalView, customer: Customer, email: OutgoingEmail | None
) -> dict[str, Any] | None:
    """The newest login mail: to whom, how far, and what can be done."""
    if email is None:
        return None
    to = ", ".join(email.to)
    resend = {
        "action_url": view.url("customers:login-details-resend", pk=customer.pk),
        "action_label": _("Send again"),
        "action_icon": "send",
    }
    if email.status == EmailStatus.SENT:
        assert email.sent_at is not None
        return {
            "kind": "success",
            "title": _("Login details were mailed to %(to)s") % {"to": to},
            "detail": format_moment(email.sent_at),
            "pill": _("Sent"),
            "is_final": True,
            **resend,
        }
    if email.status == EmailStatus.FAILED:
        return {
            "kind": "danger",
            "title": _("Login details did not reach %(to)s") % {"to": to},
            "detail": email.error,
            "pill": _("Failed"),
            "is_final": True,
            **resend,
        }
    if email.status == EmailStatus.KEPT:
        return {
            "kind": "neutral",
            "title": _("Login details for %(to)s are kept here") % {"to": to},
            "detail": _("No mail server is set up: open the mail and hand it over."),
            "pill": _("Kept"),
            "is_final": True,
            "url": view.url("customers:email-detail", pk=email.pk),
            **resend,
        }
    waits = email.attempts > 0 and bool(email.error)
    return {
        "kind": "info",
        "title": _("Login details are on their way to %(to)s") % {"to": to},
        "detail": _("Attempt %(number)d did not get through: %(error)s. Trying again.")
        % {"number": email.attempts, "error": email.error}
        if waits
        else "",
        "pill": _("Queued"),
        "is_final": False,
    }


def _item(row: Any, name: str, value: Any) -> dict[str, Any]:
    label = str(row._meta.get_field(name).verbose_name)
    return {"label": capfirst(label), "value": value}


def _limit(value: Any, currency: str) -> str:
    if value is None:
        return ""
    return _("No limit") if value == NO_LIMIT else format_money(value, currency)


def _count(value: int | None) -> str:
    if value is None:
        return ""
    return _("No limit") if value == NO_LIMIT else str(value)


def _days(value: int | None) -> str:
    if value is None:
        return ""
    return ngettext("%(count)d day", "%(count)d days", value) % {"count": value}


def _amount_or_never(value: Any, currency: str) -> str:
    return format_money(value, currency) if value else _("Never")
