"""What every customer form has (D 2.3): fields, sections, cleaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crispy_forms.layout import HTML, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from billing.choices import PaymentType
from billing.forms.parties import clean_endpoint_fields
from billing.models import BillingAccount, Tax
from billing.parties import clean_tax_reference
from billing.party_choices import VatTreatment
from billing.services import accounts
from customers.choices import Lock
from customers.models import Customer
from customers.services import customers as customer_services
from customers.wizards import fields
from customers.wizards.fields import Choices
from customers.wizards.plan_values import plan_values
from portal.core.forms import Columns, PortalForm, Section
from portal.core.money import ZERO
from rateplans.choices import BillType
from rateplans.models import RatePlan


class CustomerForm(PortalForm):
    """Every field of D 2.3 that both kinds have; subclasses add how it gets its name."""

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
            "plan": account.plan_id,
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
            "bill_type": self._bill_type_of(plan) if plan else BillType.PREPAID,
            "currency": plan.currency if plan else "",
            "payment_type": PaymentType.MANUAL,
            "vat_treatment": VatTreatment.STANDARD,
            "credit_limit": ZERO,
            "low_balance": ZERO,
            "auto_topup": ZERO,
            "affiliate_percentage": 0,
            "taxes": [
                tax.pk
                for tax in self.choices.taxes
                if tax.is_default and tax.owner_id == parent.pk
            ],
        }

    def _bill_type_of(self, plan: RatePlan) -> str:
        return str(self.choices.effective[plan.pk].value("bill_type"))

    # --- Fields -----------------------------------------------------------------------

    def _build_fields(self) -> None:
        plan = plan_values(self.choices.effective[self.plan.pk]) if self.plan else {}
        choices = self.choices
        self.fields |= fields.customer_fields(choices.parent)
        self.fields |= fields.telephony_fields(choices, plan)
        self.fields |= fields.billing_fields(self._plan_choices(), self._plan_of)
        self.fields |= fields.invoice_fields(choices, plan)
        self.fields |= fields.debit_fields()
        self.fields |= fields.buyer_fields()
        self.fields |= fields.balance_fields()
        self.fields |= fields.address_fields(choices.parent.country)
        self.fields |= fields.affiliate_fields()
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

    def _plan_choices(self) -> list[Any]:
        """Own and shared plans in groups; the present one stays even if un-shared."""
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
                HTML(
                    '<div id="warnings" aria-live="polite">'
                    "{% include 'customers/_warnings.html' %}</div>"
                ),
                id="billing",
                is_open=True,
            ),
            Section(
                _("Invoices"),
                Columns("due_days", "send_invoices"),
                Columns("invoice_format", "invoice_detail"),
                id="invoices",
            ),
            Section(
                _("SEPA direct debit"),
                Columns("mandate_reference", "mandate_signed_on"),
                "debited_iban",
                id="sepa",
                description=_(
                    "For customers who pay by direct debit in euros: invoices then say"
                    " from which account you collect, and by which mandate."
                ),
            ),
            *self._tax_section(),
            Section(
                _("On invoices"),
                Columns("legal_name", "register_number"),
                Columns("vat_treatment", "vat_reason"),
                Columns("buyer_reference", "order_reference"),
                Columns("endpoint_scheme", "endpoint_id"),
                id="on-invoices",
                description=_("What the customer's accounting wants to read there."),
            ),
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
        clean_endpoint_fields(self)
        self._check_tax_reference(data)
        data["affiliate_percentage"] = data.get("affiliate_percentage") or 0
        if data.get("affiliate") and not data.get("affiliate_type"):
            self.add_error("affiliate_type", _("Choose revenue or profit."))
        if not data.get("affiliate") and "affiliate" not in self.errors:
            data["affiliate"], data["affiliate_type"] = None, ""
            data["affiliate_percentage"] = 0
        return data

    def _check_tax_reference(self, data: dict[str, Any]) -> None:
        """As the service does, so that it is said together with all else."""
        typed = data.get("tax_reference", "")
        if typed == self.initial.get("tax_reference", ""):
            return
        try:
            clean_tax_reference(typed, country=data.get("country", ""))
        except ValidationError as error:
            self.add_error("tax_reference", error)

    # --- For the service --------------------------------------------------------------

    def customer_values(self) -> dict[str, Any]:
        return self._cleaned(customer_services.FIELDS)

    def account_values(self) -> dict[str, Any]:
        return self._cleaned(accounts.FIELDS)

    def tax_values(self) -> list[Tax] | None:
        return list(self.cleaned_data["taxes"]) if "taxes" in self.fields else None

    def _cleaned(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in names if name in self.fields}
