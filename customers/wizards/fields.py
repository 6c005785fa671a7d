"""The fields of the customer form, group by group, in the order of D 2.3."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.choices import AffiliateType, PaymentType
from billing.forms.parties import IbanField
from billing.models import BillingAccount, Tax
from billing.party_choices import EndpointScheme, VatTreatment
from customers.choices import Lock, country_choices, time_zone_choices
from customers.models import Customer, DialPlan, Number, Region, Role
from customers.services.account_numbers import propose_account_number
from portal.core.forms import (
    AmountField,
    EmailsField,
    LimitField,
    NumberField,
    PlanDefaultField,
    plan_default_label,
)
from portal.core.money import currency_choices
from portal.core.periods import local_date
from portal.core.row_forms import model_field
from portal.core.validators import validate_digits, validate_name
from rateplans.choices import BillType, Contract, InvoiceDetail, InvoiceFormat
from rateplans.models import RatePlan
from rateplans.pricing import EffectivePlan
from rateplans.selectors import effective_plans

YES_NO = [("yes", _("Yes")), ("no", _("No"))]
Fields = dict[str, forms.Field]


@dataclass
class Choices:
    """What the reseller may choose from; every row in it is within its reach."""

    parent: Customer
    plans: Sequence[RatePlan]
    taxes: QuerySet[Tax]
    regions: QuerySet[Region]
    dial_plans: QuerySet[DialPlan]
    has_prefixes: bool
    roles: QuerySet[Role]
    free_numbers: QuerySet[Number]
    present_plan: RatePlan | None = None  # may not be shared any more

    @cached_property
    def effective(self) -> dict[int, EffectivePlan]:
        """The plans with all they inherit, as they are today where the reseller is."""
        today = local_date(self.parent.time_zone)
        present = [self.present_plan] if self.present_plan else []
        return effective_plans([plan.pk for plan in [*self.plans, *present]], on=today)


def coerce_yes_no(value: str) -> bool | None:
    return {"yes": True, "no": False}.get(value)


def name_field() -> forms.CharField:
    return forms.CharField(
        label=_("Name"),
        max_length=120,
        validators=[validate_name],
        help_text=_("Unique in the whole system; printed on invoices."),
        error_messages={"required": _("Enter the customer's name.")},
        widget=forms.TextInput({"autocomplete": "off", "data-check": "name"}),
    )


def customer_fields(parent: Customer) -> Fields:
    return {
        "description": forms.CharField(
            label=_("Description"),
            required=False,
            max_length=2000,
            widget=forms.Textarea({"rows": 2}),
        ),
        "account_number": forms.CharField(
            label=_("Account number for vouchers"),
            required=False,
            max_length=20,
            help_text=_(
                "Your customer types it when topping up with vouchers."
                " Leave empty for the next one."
            ),
            widget=forms.TextInput(
                {
                    # Shown, not filled in: two who see the same proposal at once
                    # get two numbers.
                    "placeholder": propose_account_number(parent),
                    "autocomplete": "off",
                }
            ),
        ),
        "is_in_directory": forms.BooleanField(
            label=_("Include numbers in a directory"),
            required=False,
            help_text=_("Each number can overrule this."),
        ),
        "prefix": forms.CharField(
            label=_("Customer prefix"),
            required=False,
            max_length=10,
            validators=[validate_digits],
        ),
        "lock": forms.ChoiceField(
            label=pgettext_lazy("noun", "Lock"), choices=Lock.choices
        ),
        "lock_reason": forms.CharField(
            label=_("Reason for the lock"), required=False, max_length=200
        ),
    }


def telephony_fields(choices: Choices, plan: Mapping[str, str]) -> Fields:
    return {
        "call_maximum": LimitField(
            label=_("Maximum spend per day"),
            plan_key="call_maximum",
            plan_value=plan.get("call_maximum", ""),
            number_field=AmountField(required=False, min_value=0),
            help_text=_("More than this in a day locks the customer's calls."),
        ),
        "concurrent_calls": LimitField(
            label=_("Maximum concurrent calls"),
            plan_key="concurrent_calls",
            plan_value=plan.get("concurrent_calls", ""),
        ),
        "bulk_calls": LimitField(
            label=_("Maximum bulk-dialler calls"),
            plan_key="bulk_calls",
            plan_value=plan.get("bulk_calls", ""),
        ),
        "voicemail_days": forms.IntegerField(
            label=_("Purge voicemails after (days)"),
            required=False,
            min_value=1,
            max_value=3650,
            help_text=_("Leave empty to keep them."),
        ),
        "voicemail_maximum": forms.IntegerField(
            label=_("Maximum voicemails per mailbox directory"),
            required=False,
            min_value=1,
            max_value=100_000,
            help_text=_("Leave empty for no maximum. Faxes are not counted."),
        ),
        "callerid_in_external": PlanDefaultField(
            label=_("Receive caller id from external sources"),
            choices=YES_NO,
            coerce=coerce_yes_no,
            empty_value=None,
            plan_key="callerid_in_external",
            plan_value=plan.get("callerid_in_external", ""),
        ),
        "callerid": NumberField(
            label=_("Default caller id"),
            required=False,
            country=choices.parent.country,
            help_text=_("Used when a line has none, e.g. +49 30 901820."),
        ),
        "region": forms.ModelChoiceField(
            label=_("Region"), queryset=choices.regions, required=False
        ),
        "time_zone": forms.ChoiceField(
            label=_("Time zone"),
            choices=time_zone_choices,
            help_text=_(
                "Of every date and time this customer sees, invoices included."
            ),
        ),
        "language": forms.ChoiceField(
            label=_("Language"),
            required=False,
            choices=[("", _("As the account above")), *settings.LANGUAGES],
            help_text=_("Of mails and invoices."),
        ),
        "dial_plan": forms.ModelChoiceField(
            label=_("Default dial plan"),
            queryset=choices.dial_plans,
            required=False,
            empty_label=plan_default_label(plan.get("dial_plan", "")),
            widget=forms.Select({"data-plan-default": "dial_plan"}),
        ),
    }


def billing_fields(
    plan_choices: list[Any], plan_of: Callable[[str], RatePlan]
) -> Fields:
    return {
        "plan": forms.TypedChoiceField(
            label=_("Rate plan"),
            choices=plan_choices,
            coerce=plan_of,
            widget=forms.Select({"data-plan": ""}),
            error_messages={
                "required": _("Choose a rate plan for this customer."),
                "invalid_choice": _(
                    "Choose one of your rate plans or one shared with you."
                ),
            },
            help_text=_("Prices and permissions. A change counts from now on."),
        ),
        "bill_type": forms.ChoiceField(
            label=_("Billing type"), choices=BillType.choices
        ),
        "bill_ref": forms.CharField(
            label=_("Billing reference"),
            required=False,
            max_length=60,
            help_text=_("Printed on call-history reports."),
        ),
        "tax_reference": forms.CharField(
            label=_("Tax reference"),
            required=False,
            max_length=40,
            help_text=_(
                "The customer's VAT ID with the country's letters in front, such as"
                " DE123456788; or another number. Printed on invoices."
            ),
        ),
        "payment_type": forms.ChoiceField(
            label=_("Payment type"), choices=PaymentType.choices
        ),
        "currency": forms.ChoiceField(label=_("Currency"), choices=currency_choices),
        "credit_limit": AmountField(
            label=_("Credit limit"),
            min_value=0,
            error_messages={
                "min_value": _("Enter 0.00 or more: a credit limit is never negative.")
            },
            help_text=_(
                "How far below zero the balance may go. Without enough of it,"
                " chargeable features cannot be added."
            ),
        ),
    }


def invoice_fields(choices: Choices, plan: Mapping[str, str]) -> Fields:
    return {
        "due_days": forms.IntegerField(
            label=_("Invoices due after (days)"),
            required=False,
            min_value=0,
            max_value=365,
            widget=forms.NumberInput(
                {
                    "placeholder": plan_default_label(plan.get("due_days", "")),
                    "data-plan-default": "due_days",
                }
            ),
        ),
        "send_invoices": PlanDefaultField(
            label=_("Send invoices"),
            choices=YES_NO,
            coerce=coerce_yes_no,
            empty_value=None,
            plan_key="send_invoices",
            plan_value=plan.get("send_invoices", ""),
        ),
        "invoice_format": PlanDefaultField(
            label=_("Invoice format"),
            choices=InvoiceFormat.choices,
            plan_key="invoice_format",
            plan_value=plan.get("invoice_format", ""),
        ),
        "invoice_detail": PlanDefaultField(
            label=_("Invoice detail"),
            choices=InvoiceDetail.choices,
            plan_key="invoice_detail",
            plan_value=plan.get("invoice_detail", ""),
        ),
        "contract": PlanDefaultField(
            label=_("Minimum contract"),
            choices=Contract.choices,
            plan_key="contract",
            plan_value=plan.get("contract", ""),
        ),
        "taxes": forms.ModelMultipleChoiceField(
            label=_("Taxes liable"),
            queryset=choices.taxes,
            required=False,
            widget=forms.CheckboxSelectMultiple,
        ),
    }


def buyer_fields() -> Fields:
    """What invoices say of the customer beside name and address."""
    names = (
        *("legal_name", "register_number", "vat_reason"),
        *("buyer_reference", "order_reference", "endpoint_id"),
    )
    treatment = VatTreatment.STANDARD
    return {
        **{name: model_field(BillingAccount, name) for name in names},
        "vat_treatment": model_field(
            BillingAccount, "vat_treatment", required=False, empty_value=treatment
        ),
        "endpoint_scheme": forms.ChoiceField(
            label=_("Kind of electronic address"),
            choices=[("", ""), *EndpointScheme.choices],
            required=False,
            help_text=_("Whose numbers the customer's address for e-invoices is of."),
        ),
    }


def debit_fields() -> Fields:
    """The SEPA mandate of who pays by direct debit."""
    return {
        "mandate_reference": model_field(BillingAccount, "mandate_reference"),
        "mandate_signed_on": forms.DateField(
            label=_("Mandate signed on"),
            required=False,
            widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            help_text=_("Your bank wants it with each collection."),
        ),
        "debited_iban": model_field(
            BillingAccount, "debited_iban", form_class=IbanField
        ),
    }


def balance_fields() -> Fields:
    return {
        "low_balance": AmountField(
            label=_("E-mail when balance is low"),
            min_value=0,
            help_text=_("Sent when the balance falls below this amount. 0.00: never."),
        ),
        "auto_topup": AmountField(
            label=_("Automatic top-up"),
            min_value=0,
            help_text=_("Asks for a top-up below this amount. 0.00: never."),
        ),
    }


def address_fields(country: str) -> Fields:
    def text(label: Any, length: int) -> forms.CharField:
        return forms.CharField(label=label, required=False, max_length=length)

    return {
        "email": EmailsField(
            label=_("Billing e-mail"),
            max_length=500,
            help_text=_(
                "Invoices and notices go here: the customer's address, or that of your"
                " accounts department. Separate several by commas."
            ),
        ),
        "address1": text(_("Address"), 100),
        "address2": text(_("Address, line 2"), 100),
        "address3": text(_("Address, line 3"), 100),
        "address_code": text(_("Post code"), 20),
        "address_city": text(_("City"), 80),
        "address_state": text(_("State or county"), 80),
        "address_other": text(_("Other address details"), 100),
        "country": forms.ChoiceField(
            label=_("Country"),
            required=False,
            choices=lambda: [("", ""), *country_choices()],
        ),
        "telephone": NumberField(label=_("Telephone"), required=False, country=country),
        "fax": NumberField(label=_("Fax"), required=False, country=country),
        "bank_name": text(_("Bank name"), 80),
        "bank_code": text(_("Bank code"), 20),
        "bank_account_name": text(_("Account holder"), 80),
        "bank_account_number": text(_("Bank account number"), 40),
    }


def affiliate_fields() -> Fields:
    return {
        "affiliate": forms.CharField(
            label=_("Affiliate's account number"),
            required=False,
            max_length=20,
            help_text=_("Another of your customers, who gets a share of this one."),
        ),
        "affiliate_type": forms.ChoiceField(
            label=_("A share of"),
            required=False,
            choices=[("", ""), *AffiliateType.choices],
        ),
        "affiliate_percentage": forms.IntegerField(
            label=_("Percent"), required=False, min_value=0, max_value=100
        ),
    }
