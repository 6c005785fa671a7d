"""The customer form (D 2.3), in its order: for both wizards and for editing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crispy_forms.layout import HTML, Div, Field, Layout
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billing.choices import AffiliateType, PaymentType
from billing.models import BillingAccount, Tax
from billing.services import accounts
from customers.choices import Lock, country_choices, time_zone_choices
from customers.models import Customer, DialPlan, Number, Region, Role
from customers.selectors import name_is_taken, username_is_taken
from customers.services import customers as customer_services
from customers.wizards.plan_values import plan_values
from portal.core.forms import (
    AmountField,
    Columns,
    EmailsField,
    LimitField,
    NumberField,
    PlanDefaultField,
    PortalForm,
    Section,
    plan_default_label,
)
from portal.core.money import currency_choices
from portal.core.validators import validate_digits, validate_name
from rateplans.choices import BillType, Contract, InvoiceDetail, InvoiceFormat
from rateplans.models import RatePlan

YES_NO = [("yes", _("Yes")), ("no", _("No"))]
AMOUNTS = ("credit_limit", "low_balance", "auto_topup")


@dataclass(frozen=True)
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


def _coerce_yes_no(value: str) -> bool | None:
    return {"yes": True, "no": False}.get(value)


class CustomerForm(PortalForm):
    """Every field of D 2.3 that both kinds have; `NormalForm` and the others add theirs."""

    def __init__(
        self,
        *args: Any,
        choices: Choices,
        account: BillingAccount | None = None,
        customer: Customer | None = None,
        **kwargs: Any,
    ) -> None:
        self.choices, self.customer, self.account = choices, customer, account
        self.plan = account.plan if account else next(iter(choices.plans), None)
        initial = self._initial() | dict(kwargs.pop("initial", None) or {})
        super().__init__(*args, initial=initial, **kwargs)
        self._build_fields()
        self.helper.layout = Layout(*self.sections())

    # --- Initial values ---------------------------------------------------------------

    def _initial(self) -> dict[str, Any]:
        if self.customer is None or self.account is None:
            return self._initial_of_new()
        customer, account = self.customer, self.account
        values = {name: getattr(customer, name) for name in customer_services.FIELDS}
        values |= {name: getattr(account, name) for name in accounts.FIELDS}
        for name in ("send_invoices", "callerid_in_external"):
            values[name] = {True: "yes", False: "no"}.get(values[name], "")
        affiliate = account.affiliate
        return values | {
            "affiliate": affiliate.account_number if affiliate else "",
            "taxes": list(account.liabilities.values_list("tax_id", flat=True)),
            "version": customer.version,
        }

    def _initial_of_new(self) -> dict[str, Any]:
        parent, plan = self.choices.parent, self.plan
        return {
            "lock": Lock.NONE,
            "time_zone": parent.time_zone,
            "country": parent.country,
            "plan": plan.pk if plan else None,
            "bill_type": plan.bill_type if plan else BillType.PREPAID,
            "currency": plan.currency if plan else "",
            "payment_type": PaymentType.MANUAL,
            "credit_limit": "0.00",
            "low_balance": "0.00",
            "auto_topup": "0.00",
            "affiliate_percentage": 0,
            "taxes": [
                tax.pk
                for tax in self.choices.taxes
                if tax.is_default and tax.owner_id == parent.pk
            ],
        }

    # --- Fields -----------------------------------------------------------------------

    def _build_fields(self) -> None:
        plan = plan_values(self.plan) if self.plan else {}
        self.fields |= self._customer_fields()
        self.fields |= self._telephony_fields(plan)
        self.fields |= self._billing_fields()
        self.fields |= self._invoice_fields(plan)
        self.fields |= self._balance_fields()
        self.fields |= self._address_fields()
        self.fields |= self._affiliate_fields()
        if not self.choices.has_prefixes:
            del self.fields["prefix"]
        if not self.choices.regions:
            del self.fields["region"]
        if not self.choices.dial_plans:
            del self.fields["dial_plan"]
        if not self.choices.taxes:
            del self.fields["taxes"]
        if self.customer is not None:
            self.fields["version"] = forms.IntegerField(widget=forms.HiddenInput)

    def _customer_fields(self) -> dict[str, forms.Field]:
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
                    "Your customer types it when topping up with vouchers. Empty: the next one."
                ),
                widget=forms.TextInput(
                    {
                        # Shown, not filled in: two who see the same proposal at once
                        # get two numbers.
                        "placeholder": customer_services.propose_account_number(
                            self.choices.parent
                        ),
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
            "lock": forms.ChoiceField(label=_("Locked"), choices=Lock.choices),
            "lock_reason": forms.CharField(
                label=_("Reason for the lock"), required=False, max_length=200
            ),
        }

    def _telephony_fields(self, plan: Mapping[str, str]) -> dict[str, forms.Field]:
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
                help_text=_("Empty: they are kept."),
            ),
            "voicemail_maximum": forms.IntegerField(
                label=_("Maximum voicemails per mailbox directory"),
                required=False,
                min_value=1,
                max_value=100_000,
                help_text=_("Empty: no maximum. Faxes are not counted."),
            ),
            "callerid_in_external": PlanDefaultField(
                label=_("Receive caller id from external sources"),
                choices=YES_NO,
                coerce=_coerce_yes_no,
                empty_value=None,
                plan_key="callerid_in_external",
                plan_value=plan.get("callerid_in_external", ""),
            ),
            "callerid": NumberField(
                label=_("Default caller id"),
                required=False,
                country=self.choices.parent.country,
                help_text=_("Used when a line has none, e.g. +49 30 901820."),
            ),
            "region": forms.ModelChoiceField(
                label=_("Region"), queryset=self.choices.regions, required=False
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
                queryset=self.choices.dial_plans,
                required=False,
                empty_label=plan_default_label(plan.get("dial_plan", "")),
                widget=forms.Select({"data-plan-default": "dial_plan"}),
            ),
        }

    def _billing_fields(self) -> dict[str, forms.Field]:
        return {
            "plan": forms.TypedChoiceField(
                label=_("Rate plan"),
                choices=self._plan_choices(),
                coerce=self._plan_of,
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
                help_text=_("The customer's VAT id, printed on invoices."),
            ),
            "payment_type": forms.ChoiceField(
                label=_("Payment type"), choices=PaymentType.choices
            ),
            "currency": forms.ChoiceField(
                label=_("Currency"), choices=currency_choices
            ),
            "credit_limit": AmountField(
                label=_("Credit limit"),
                min_value=0,
                error_messages={
                    "min_value": _(
                        "Enter 0.00 or more: a credit limit is never negative."
                    )
                },
                help_text=_(
                    "How far below zero the balance may go. Without enough of it, chargeable"
                    " features cannot be added."
                ),
            ),
        }

    def _invoice_fields(self, plan: Mapping[str, str]) -> dict[str, forms.Field]:
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
                coerce=_coerce_yes_no,
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
                queryset=self.choices.taxes,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            ),
        }

    def _balance_fields(self) -> dict[str, forms.Field]:
        return {
            "low_balance": AmountField(
                label=_("E-mail when balance is low"),
                min_value=0,
                help_text=_(
                    "Sent when the balance falls below this amount. 0.00: never."
                ),
            ),
            "auto_topup": AmountField(
                label=_("Automatic top-up"),
                min_value=0,
                help_text=_("Asks for a top-up below this amount. 0.00: never."),
            ),
        }

    def _address_fields(self) -> dict[str, forms.Field]:
        def text(label: Any, length: int) -> forms.CharField:
            return forms.CharField(label=label, required=False, max_length=length)

        country = self.choices.parent.country
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
            "telephone": NumberField(
                label=_("Telephone"), required=False, country=country
            ),
            "fax": NumberField(label=_("Fax"), required=False, country=country),
            "bank_name": text(_("Bank name"), 80),
            "bank_code": text(_("Bank code"), 20),
            "bank_account_name": text(_("Account holder"), 80),
            "bank_account_number": text(_("Bank account number"), 40),
        }

    def _affiliate_fields(self) -> dict[str, forms.Field]:
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

    def _plan_choices(self) -> list[Any]:
        """Own plans and shared ones in groups; the present plan stays even if un-shared."""
        own = [p for p in self.choices.plans if p.owner_id == self.choices.parent.pk]
        shared = [p for p in self.choices.plans if p.owner_id != self.choices.parent.pk]
        groups: list[Any] = []
        if own:
            groups.append((_("Your rate plans"), [(p.pk, p.name) for p in own]))
        if shared:
            groups.append((_("Shared with you"), [(p.pk, p.name) for p in shared]))
        if self.account and self.account.plan not in self.choices.plans:
            present = self.account.plan
            groups.append((_("Present plan"), [(present.pk, present.name)]))
        return groups

    def _plan_of(self, value: str) -> RatePlan:
        plans = [*self.choices.plans, *([self.account.plan] if self.account else [])]
        return next(plan for plan in plans if str(plan.pk) == value)

    # --- Layout -----------------------------------------------------------------------

    def sections(self) -> list[Any]:
        return [
            Section(
                _("Customer settings"),
                *self.name_fields(),
                "description",
                Columns("account_number", *self._present("prefix")),
                "is_in_directory",
                Columns("lock", "lock_reason"),
                id="customer",
                is_open=True,
            ),
            Section(
                _("Telephony"),
                "call_maximum",
                "concurrent_calls",
                "bulk_calls",
                Columns("voicemail_days", "voicemail_maximum"),
                Columns("callerid_in_external", "callerid"),
                *self._present("region"),
                Columns("time_zone", "language"),
                *self._present("dial_plan"),
                id="telephony",
            ),
            Section(
                _("Billing"),
                Columns("plan", "bill_type"),
                Columns("credit_limit", "currency"),
                Columns("payment_type", "contract"),
                Columns("bill_ref", "tax_reference"),
                Div(css_id="warnings", aria_live="polite"),
                id="billing",
                is_open=True,
            ),
            Section(
                _("Invoices"),
                Columns("due_days", "send_invoices"),
                Columns("invoice_format", "invoice_detail"),
                id="invoices",
            ),
            *self._tax_section(),
            Section(
                _("Low balance"), Columns("low_balance", "auto_topup"), id="low-balance"
            ),
            Section(
                _("Address"),
                "email",
                "address1",
                Columns("address2", "address3"),
                Columns("address_code", "address_city"),
                Columns("address_state", "country"),
                "address_other",
                Columns("telephone", "fax"),
                id="address",
                is_open=True,
            ),
            Section(
                _("Bank details"),
                Columns("bank_name", "bank_code"),
                Columns("bank_account_name", "bank_account_number"),
                id="bank",
            ),
            Section(
                _("Affiliate"),
                Columns("affiliate", "affiliate_type", "affiliate_percentage"),
                id="affiliate-share",
            ),
        ]

    def name_fields(self) -> list[Any]:
        """What stands at the top: how the customer gets its name."""
        return []

    def _present(self, *names: str) -> list[str]:
        return [name for name in names if name in self.fields]

    def _tax_section(self) -> list[Any]:
        if "taxes" not in self.fields:
            return []
        return [Section(_("Taxes"), "taxes", id="taxes")]

    # --- Cleaning ---------------------------------------------------------------------

    def clean_affiliate(self) -> Customer | None:
        number = self.cleaned_data["affiliate"].strip()
        if not number:
            return None
        affiliate = Customer.objects.filter(
            parent=self.choices.parent, account_number=number, deleted_at=None
        ).first()
        if affiliate is None:
            raise ValidationError(
                _("None of your customers has this account number."), code="unknown"
            )
        if self.customer is not None and affiliate.pk == self.customer.pk:
            raise ValidationError(
                _("A customer cannot be its own affiliate."), code="self"
            )
        return affiliate

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        data["affiliate_percentage"] = data.get("affiliate_percentage") or 0
        if data.get("affiliate") and not data.get("affiliate_type"):
            self.add_error("affiliate_type", _("Choose revenue or profit."))
        if not data.get("affiliate") and "affiliate" not in self.errors:
            data["affiliate"], data["affiliate_type"] = None, ""
            data["affiliate_percentage"] = 0
        return data

    # --- For the service --------------------------------------------------------------

    def customer_values(self) -> dict[str, Any]:
        return self._cleaned(customer_services.FIELDS)

    def account_values(self) -> dict[str, Any]:
        return self._cleaned(accounts.FIELDS)

    def tax_values(self) -> list[Tax] | None:
        return list(self.cleaned_data["taxes"]) if "taxes" in self.fields else None

    def _cleaned(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in names if name in self.fields}


def name_field() -> forms.CharField:
    return forms.CharField(
        label=_("Name"),
        max_length=120,
        validators=[validate_name],
        help_text=_("Unique in the whole system; printed on invoices."),
        error_messages={"required": _("Enter the customer's name.")},
        widget=forms.TextInput({"autocomplete": "off", "data-check": "name"}),
    )


class NormalForm(CustomerForm):
    """A normal customer with its first administrator."""

    name = name_field()
    has_administrator = forms.BooleanField(
        label=_("Make a first administrator and send login details"),
        required=False,
        initial=True,
        help_text=_("Without one, the account is reached by switching only."),
    )
    person_username = forms.CharField(
        label=_("User name"),
        required=False,
        max_length=150,
        help_text=_("Empty: the billing e-mail address."),
        widget=forms.TextInput({"autocomplete": "off", "data-check": "username"}),
    )
    person_first_name = forms.CharField(
        label=_("First name"), required=False, max_length=60
    )
    person_last_name = forms.CharField(
        label=_("Last name"), required=False, max_length=60
    )
    person_emails = EmailsField(
        label=_("E-mail"),
        required=False,
        max_length=500,
        help_text=_("Login details go here. Empty: the billing e-mail address."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = self.choices.roles
        self.fields["person_role"] = forms.ModelChoiceField(
            label=_("Role"),
            queryset=roles,
            required=False,
            empty_label=_("Administrator of the own account"),
            help_text=_("A reseller may have customers of its own."),
        )
        self.helper.layout.append(
            Section(
                _("First administrator"),
                "has_administrator",
                Columns("person_first_name", "person_last_name"),
                Columns("person_username", "person_emails"),
                "person_role",
                id="administrator",
                is_open=True,
            )
        )

    def name_fields(self) -> list[Any]:
        return [Field("name"), HTML('<div id="name-check" aria-live="polite"></div>')]

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if name_is_taken(name):
            raise name_taken()
        return name

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("has_administrator") and not data.get("person_username"):
            data["person_username"] = (data.get("email") or "").split(", ")[0]
        username = data.get("person_username")
        if data.get("has_administrator") and username and username_is_taken(username):
            self.add_error(
                "person_username",
                ValidationError(
                    _("The user name %(name)s is taken. Enter another."),
                    code="taken",
                    params={"name": username},
                ),
            )
        return data

    def administrator(self) -> customer_services.NewPerson | None:
        data = self.cleaned_data
        if not data["has_administrator"]:
            return None
        return customer_services.NewPerson(
            username=data["person_username"],
            first_name=data["person_first_name"],
            last_name=data["person_last_name"],
            emails=data["person_emails"],
            role=data["person_role"],
        )


class ResidentialForm(CustomerForm):
    """A residential customer: one free number and one person (D 2.2)."""

    person_first_name = forms.CharField(label=_("First name"), max_length=60)
    person_last_name = forms.CharField(label=_("Last name"), max_length=60)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"] = forms.ModelChoiceField(
            queryset=self.choices.free_numbers,
            widget=forms.HiddenInput,
            error_messages={
                "required": _("Choose a number."),
                "invalid_choice": _(
                    "This number is not free any more. Choose another; everything else"
                    " you typed is still here."
                ),
            },
        )

    def name_fields(self) -> list[Any]:
        return [
            HTML("{% include 'customers/_number_picker.html' %}"),
            Columns("person_first_name", "person_last_name"),
        ]

    def person(self) -> customer_services.NewPerson:
        data = self.cleaned_data
        return customer_services.NewPerson(
            username="",
            first_name=data["person_first_name"],
            last_name=data["person_last_name"],
            emails=data["email"],
        )


class EditForm(CustomerForm):
    """An existing customer. A residential one keeps its number as its name."""

    name = name_field()

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, customer=customer, **kwargs)
        if customer.is_residential:
            del self.fields["name"]

    def name_fields(self) -> list[Any]:
        assert self.customer is not None
        if self.customer.is_residential:
            return ["version"]
        return [
            "version",
            Field("name"),
            HTML('<div id="name-check" aria-live="polite"></div>'),
        ]

    def clean_name(self) -> str:
        assert self.customer is not None
        name = " ".join(self.cleaned_data["name"].split())
        if name_is_taken(name, except_id=self.customer.pk):
            raise name_taken()
        return name


def name_taken() -> ValidationError:
    constraint = next(
        c for c in Customer._meta.constraints if c.name == "customer_name_once"
    )
    return ValidationError(constraint.violation_error_message, code="taken")
