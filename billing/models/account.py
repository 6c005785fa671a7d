from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import AffiliateType, OverdueLock, PaymentType
from billing.models.tax import Tax, TaxLiability
from billing.parties import endpoint_errors, validate_iban, validate_mandate
from billing.party_choices import EndpointScheme, VatTreatment
from portal.core.money import ZERO, validate_currency
from portal.core.periods import local_date
from portal.core.validators import validate_name, validate_visible
from rateplans.choices import BillType, Contract, InvoiceDetail, InvoiceFormat
from rateplans.settings import NO_LIMIT


def money_field(label: Any, **options: Any) -> models.DecimalField[Decimal, Decimal]:
    """A balance or limit: numeric(20,6), design 4."""
    options = {"max_digits": 20, "decimal_places": 6, "default": ZERO, **options}
    return models.DecimalField(label, **options)


# Billing types of which nothing moves the balance (billing.types), so no credit runs out.
WITHOUT_BALANCE = (BillType.EXTERNAL, BillType.NONE)


def out_of_credit(prefix: str = "") -> Q:
    """Accounts that nothing may be charged to any more; ``prefix`` leads to the account."""
    limit = models.F(f"{prefix}credit_limit")
    return Q(**{f"{prefix}balance__lte": -limit}) & ~Q(
        **{f"{prefix}bill_type__in": WITHOUT_BALANCE}
    )


class BillingAccount(models.Model):
    """What a customer and its parent owe each other, and how they settle it (D 1.2, 2.3).

    One per customer except the system owner. The balance is what the parent owes the
    customer: positive is credit. Where a field may be empty, the rate plan decides.
    """

    customer = models.OneToOneField(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="account",
    )
    provider = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("provider"),
        on_delete=models.PROTECT,
        db_index=False,  # account_by_balance begins with it
        related_name="+",
        help_text=_("The customer's parent: the bank of this account."),
    )
    plan = models.ForeignKey(
        "rateplans.RatePlan",
        verbose_name=_("rate plan"),
        on_delete=models.PROTECT,
        related_name="accounts",
    )
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency]
    )
    balance = money_field(_("balance"), editable=False)
    credit_limit = money_field(_("credit limit"), validators=[MinValueValidator(0)])
    bill_type = models.CharField(
        _("billing type"), max_length=20, choices=BillType.choices
    )
    bill_ref = models.CharField(_("billing reference"), max_length=60, blank=True)
    tax_reference = models.CharField(_("tax reference"), max_length=40, blank=True)
    legal_name = models.CharField(
        _("legal name"),
        max_length=120,
        blank=True,
        validators=[validate_name],
        help_text=_("As registered. Leave empty if it is the customer's name."),
    )
    register_number = models.CharField(
        _("register number"),
        max_length=60,
        blank=True,
        validators=[validate_visible],
        help_text=_("In the company register, such as HRB 123456."),
    )
    endpoint_scheme = models.CharField(
        _("kind of electronic address"),
        max_length=4,
        choices=EndpointScheme.choices,
        blank=True,
        help_text=_("Whose numbers the customer's address for e-invoices is of."),
    )
    endpoint_id = models.CharField(
        _("electronic address"),
        max_length=135,
        blank=True,
        help_text=_("The number itself; the customer knows it."),
    )
    buyer_reference = models.CharField(
        _("customer's reference"),
        max_length=100,
        blank=True,
        validators=[validate_visible],
        help_text=_(
            "What the customer wants to read on invoices: a cost centre or person;"
            " of German authorities the Leitweg-ID."
        ),
    )
    order_reference = models.CharField(
        _("customer's order number"),
        max_length=100,
        blank=True,
        validators=[validate_visible],
        help_text=_("Of the order that all invoices belong to."),
    )
    vat_treatment = models.CharField(
        _("VAT treatment"),
        max_length=2,
        choices=VatTreatment.choices,
        default=VatTreatment.STANDARD,
        help_text=_(
            "What invoices say where no VAT is charged. The taxes to charge are ticked"
            " under Taxes."
        ),
    )
    vat_reason = models.CharField(
        _("reason of the treatment"),
        max_length=200,
        blank=True,
        validators=[validate_visible],
        help_text=_(
            "Printed on invoices; empty for the usual words. An exemption needs the"
            " law, such as “§ 4 No. 14 UStG”."
        ),
    )
    payment_type = models.CharField(
        _("payment type"),
        max_length=15,
        choices=PaymentType.choices,
        default=PaymentType.MANUAL,
    )
    mandate_reference = models.CharField(
        _("mandate reference"),
        max_length=35,
        blank=True,
        validators=[validate_mandate],
        help_text=_("Of the SEPA mandate that the customer has signed."),
    )
    mandate_signed_on = models.DateField(
        _("mandate signed on"),
        null=True,
        blank=True,
        help_text=_("Your bank wants it with each collection."),
    )
    debited_iban = models.CharField(
        _("debited IBAN"),
        max_length=34,
        blank=True,
        validators=[validate_iban],
        help_text=_("The customer's account that you collect from."),
    )
    due_days = models.PositiveSmallIntegerField(
        _("invoices due after"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(365)],
    )
    send_invoices = models.BooleanField(_("send invoices"), null=True, blank=True)
    invoice_format = models.CharField(
        _("invoice format"), max_length=3, choices=InvoiceFormat.choices, blank=True
    )
    invoice_detail = models.CharField(
        _("invoice detail"), max_length=12, choices=InvoiceDetail.choices, blank=True
    )
    contract = models.CharField(
        _("minimum contract"), max_length=10, choices=Contract.choices, blank=True
    )
    contract_ends_on = models.DateField(
        _("minimum contract ends"), null=True, blank=True, editable=False
    )
    call_maximum = models.DecimalField(
        _("maximum spend per day"),
        max_digits=20,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(NO_LIMIT)],
    )
    low_balance = money_field(
        _("e-mail when balance is low"), validators=[MinValueValidator(0)]
    )
    auto_topup = money_field(_("automatic top-up"), validators=[MinValueValidator(0)])
    bank_name = models.CharField(_("bank name"), max_length=80, blank=True)
    bank_code = models.CharField(_("bank code"), max_length=20, blank=True)
    bank_account_name = models.CharField(_("account holder"), max_length=80, blank=True)
    bank_account_number = models.CharField(
        _("bank account number"), max_length=40, blank=True
    )
    affiliate = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("affiliate"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="affiliated_accounts",
    )
    affiliate_type = models.CharField(
        _("affiliate is paid by"),
        max_length=8,
        choices=AffiliateType.choices,
        blank=True,
    )
    affiliate_percentage = models.PositiveSmallIntegerField(
        _("affiliate percentage"), default=0, validators=[MaxValueValidator(100)]
    )
    fees_from = models.DateField(
        _("fees are charged from"),
        default=date.today,
        editable=False,
        help_text=_("Later than its first day if the plan delays billing."),
    )
    billed_until = models.DateField(
        _("fees are charged until"),
        default=date.today,
        editable=False,
        help_text=_("The first day that no fee was charged for yet."),
    )
    billed_from = models.DateField(
        _("the last period charged begins"),
        default=date.today,
        editable=False,
        help_text=_("What was charged before this day is ready to be invoiced."),
    )
    invoiced_until = models.DateField(
        _("invoiced until"),
        default=date.today,
        editable=False,
        help_text=_("The first day that no invoice was made for yet."),
    )
    charges_from = models.DateField(
        _("the plan's charges are due from"),
        default=date.today,
        editable=False,
        help_text=_("The day the account was put on its plan."),
    )
    low_since = models.DateTimeField(
        _("balance low since"), null=True, blank=True, editable=False
    )
    overdue_lock = models.CharField(
        _("lock while overdue"),
        max_length=6,
        choices=OverdueLock.choices,
        default=OverdueLock.NONE,
        editable=False,
    )
    taxes: models.ManyToManyField[Tax, TaxLiability] = models.ManyToManyField(
        "billing.Tax", through="billing.TaxLiability", verbose_name=_("taxes liable")
    )

    objects: models.Manager[BillingAccount] = ScopedManager(
        tree="customer__path__startswith"
    )

    class Meta:
        verbose_name = _("billing account")
        verbose_name_plural = _("billing accounts")
        constraints = (
            models.CheckConstraint(
                name="account_amounts_not_negative",
                condition=Q(credit_limit__gte=0)
                & Q(low_balance__gte=0)
                & Q(auto_topup__gte=0),
                violation_error_message=_("Enter an amount of 0.00 or more."),
            ),
            models.CheckConstraint(
                name="account_call_maximum_from_minus_one",
                condition=Q(call_maximum=None) | Q(call_maximum__gte=NO_LIMIT),
            ),
            models.CheckConstraint(
                name="account_affiliate_is_whole",
                condition=Q(affiliate=None, affiliate_type="", affiliate_percentage=0)
                | Q(affiliate__isnull=False, affiliate_percentage__range=(0, 100))
                & ~Q(affiliate_type=""),
                violation_error_message=_(
                    "Choose what the affiliate is paid by, or remove the affiliate."
                ),
            ),
            models.CheckConstraint(
                name="account_is_not_its_own_affiliate",
                condition=Q(affiliate=None) | ~Q(affiliate=models.F("customer")),
                violation_error_message=_("A customer cannot be its own affiliate."),
            ),
            models.CheckConstraint(
                name="account_is_not_its_own_provider",
                condition=~Q(provider=models.F("customer")),
            ),
            models.CheckConstraint(
                name="account_endpoint_is_whole",
                condition=Q(endpoint_scheme="", endpoint_id="")
                | ~Q(endpoint_scheme="") & ~Q(endpoint_id=""),
            ),
            models.CheckConstraint(
                name="account_exemption_has_a_reason",
                condition=~Q(vat_treatment=VatTreatment.EXEMPT) | ~Q(vat_reason=""),
            ),
        )
        # A reseller's list sorts its customers by these without reading them all.
        indexes = (
            models.Index(
                fields=["provider", "balance", "customer"], name="account_by_balance"
            ),
            models.Index(
                fields=["provider", "credit_limit", "customer"],
                name="account_by_credit",
            ),
            models.Index(fields=["provider", "plan"], name="account_by_plan"),
            models.Index(fields=["billed_until", "id"], name="account_by_billing_day"),
            models.Index(
                fields=["id"],
                name="account_invoice_due",
                condition=Q(invoiced_until__lt=models.F("billed_from")),
            ),
            models.Index(
                fields=["provider", "low_since"],
                name="account_low",
                condition=Q(low_since__isnull=False),
            ),
            models.Index(
                fields=["id"],
                name="account_lock_while_overdue",
                condition=~Q(overdue_lock=OverdueLock.NONE),
            ),
            models.Index(
                fields=["provider", "customer"],
                name="account_out_of_credit",
                condition=out_of_credit(),
            ),
        )

    def __str__(self) -> str:
        return f"{self.customer_id} {self.currency}"

    def clean(self) -> None:
        """What the fields about the buyer must be together."""
        errors = endpoint_errors(self.endpoint_scheme, self.endpoint_id)
        if self.vat_treatment == VatTreatment.EXEMPT and not self.vat_reason:
            errors["vat_reason"] = ValidationError(
                _("Say by which law it is exempt."), code="required"
            )
        signed = self.mandate_signed_on
        if signed is not None and signed > local_date(self.customer.time_zone):
            errors["mandate_signed_on"] = ValidationError(
                _("This day is in the future."), code="future"
            )
        if errors:
            raise ValidationError(errors)

    @property
    def available(self) -> Decimal:
        """What may still be spent; below 0 where more is owed than the limit allows."""
        return self.balance + self.credit_limit

    def missing_for(self, cost: Decimal) -> Decimal:
        """By how much the credit falls short of ``cost``; 0 if it reaches, or costs nothing."""
        return max(ZERO, cost - self.available) if cost else ZERO

    @property
    def is_out_of_credit(self) -> bool:
        """Whether nothing may be charged any more: no call starts (design 4)."""
        has_balance = self.bill_type not in WITHOUT_BALANCE
        return has_balance and self.available <= 0

    @property
    def is_low(self) -> bool:
        """Whether the balance is below the customer's own threshold."""
        return self.low_since is not None
