from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from portal.core.money import validate_currency
from rateplans.choices import (
    BillingPeriod,
    BillType,
    Contract,
    InvoiceDetail,
    InvoiceFormat,
    Sharing,
)

NO_LIMIT = -1


class RatePlan(models.Model):
    """A price list with its permissions and defaults (D 3), made for the customers below.

    Limits are -1 for none. What a billing account or customer leaves open is taken from here.
    """

    owner = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        related_name="rate_plans",
        help_text=_("Whose customers it was made for."),
    )
    name = models.CharField(_("name"), max_length=80)
    description = models.TextField(_("description"), blank=True)
    share = models.CharField(
        _("share with resellers"),
        max_length=10,
        choices=Sharing.choices,
        default=Sharing.NO,
    )
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency]
    )
    bill_type = models.CharField(
        _("billing type"),
        max_length=20,
        choices=BillType.choices,
        default=BillType.PREPAID,
    )
    billing_period = models.CharField(
        _("billing period"),
        max_length=12,
        choices=BillingPeriod.choices,
        default=BillingPeriod.MONTHLY,
    )
    bill_defer = models.BooleanField(
        _("delay billing"),
        default=False,
        help_text=_(
            "Begin with the next period instead of charging a part of this one."
        ),
    )
    due_days = models.PositiveSmallIntegerField(_("invoices due after"), default=14)
    overdue_days = models.PositiveSmallIntegerField(_("overdue after"), default=14)
    send_invoices = models.BooleanField(_("send invoices"), default=True)
    invoice_format = models.CharField(
        _("invoice format"),
        max_length=3,
        choices=InvoiceFormat.choices,
        default=InvoiceFormat.PDF,
    )
    invoice_detail = models.CharField(
        _("invoice detail"),
        max_length=12,
        choices=InvoiceDetail.choices,
        default=InvoiceDetail.SUMMARY,
    )
    contract = models.CharField(
        _("minimum contract"),
        max_length=10,
        choices=Contract.choices,
        default=Contract.NONE,
    )
    call_maximum = models.DecimalField(
        _("maximum spend per day"),
        max_digits=20,
        decimal_places=6,
        default=NO_LIMIT,
        validators=[MinValueValidator(NO_LIMIT)],
        help_text=_("-1: no limit."),
    )
    concurrent_calls = models.IntegerField(
        _("maximum concurrent calls"),
        default=NO_LIMIT,
        validators=[MinValueValidator(NO_LIMIT)],
        help_text=_("-1: no limit."),
    )
    bulk_calls = models.IntegerField(
        _("maximum bulk-dialler calls"),
        default=NO_LIMIT,
        validators=[MinValueValidator(NO_LIMIT)],
        help_text=_("-1: no limit."),
    )
    callerid_in_external = models.BooleanField(
        _("receive caller id from external sources"), default=True
    )
    dial_plan = models.ForeignKey(
        "customers.DialPlan",
        verbose_name=_("dial plan"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: models.Manager[RatePlan] = ScopedManager(tree="owner__path__startswith")

    class Meta:
        ordering = ("name",)
        verbose_name = _("rate plan")
        verbose_name_plural = _("rate plans")
        constraints = (
            models.UniqueConstraint(
                "owner",
                Lower("name"),
                name="rate_plan_name_once_per_owner",
                violation_error_message=_("You have a rate plan of this name."),
            ),
            models.CheckConstraint(
                name="rate_plan_limits_from_minus_one",
                condition=Q(call_maximum__gte=NO_LIMIT)
                & Q(concurrent_calls__gte=NO_LIMIT)
                & Q(bulk_calls__gte=NO_LIMIT),
            ),
        )

    def __str__(self) -> str:
        return self.name
