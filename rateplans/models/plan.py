from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from portal.core.money import validate_currency
from portal.core.validators import validate_emails, validate_number
from rateplans.choices import (
    BillingPeriod,
    BillType,
    Contract,
    InvoiceDetail,
    InvoiceFormat,
    LockWhenOverdue,
    Sharing,
)
from rateplans.reminders import validate_days
from rateplans.settings import NO_LIMIT


def limit_field(label: object) -> models.IntegerField[int | None, int | None]:
    """A number the plan allows at most, -1 for no limit; empty is inherited."""
    return models.IntegerField(
        label,  # type: ignore[arg-type]
        null=True,
        blank=True,
        validators=[MinValueValidator(NO_LIMIT), MaxValueValidator(100_000)],
        help_text=_("-1: no limit."),
    )


def _from_minus_one(name: str) -> Q:
    return Q(**{name: None}) | Q(**{f"{name}__gte": NO_LIMIT})


class RatePlan(models.Model):
    """A price list with its permissions and defaults (D 3), made for the customers below.

    A setting that is empty is inherited: from ``base``, or from whichever plan the owner
    itself is on at that moment (``inherits_own``); see rateplans.selectors. Limits are -1
    for none. What a billing account or customer leaves open is taken from its plan.
    """

    owner = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        related_name="rate_plans",
        help_text=_("Whose customers it was made for."),
    )
    name = models.CharField(_("name"), max_length=80)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    base = models.ForeignKey(
        "self",
        verbose_name=_("inherits from"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="heirs",
    )
    inherits_own = models.BooleanField(
        _("inherits from your own rate plan"),
        default=False,
        help_text=_("The one that the account above put the owner on."),
    )
    may_be_inherited = models.BooleanField(
        _("may be inherited"),
        default=False,
        help_text=_("Resellers it is shared with may base their own plans on it."),
    )
    share = models.CharField(
        _("share with resellers"),
        max_length=10,
        choices=Sharing.choices,
        default=Sharing.NO,
    )
    offered_at_signup = models.BooleanField(
        _("offered at sign-up"),
        default=False,
        help_text=_(
            "New customers may choose it when they sign up online. Kept for later:"
            " there is no online sign-up yet."
        ),
    )
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency]
    )
    bill_type = models.CharField(
        _("billing type"), max_length=20, choices=BillType.choices, blank=True
    )
    billing_period = models.CharField(
        _("billing period"), max_length=12, choices=BillingPeriod.choices, blank=True
    )
    bill_defer = models.BooleanField(
        _("delay billing"),
        null=True,
        blank=True,
        help_text=_(
            "New customers pay nothing until the next period begins, instead of a part"
            " of this one."
        ),
    )
    refund_on_removal = models.BooleanField(
        _("refund on removal"),
        null=True,
        blank=True,
        help_text=_(
            "The rest of the period is given back when a feature is removed, and for"
            " everything when the customer is deleted."
        ),
    )
    due_days = models.PositiveSmallIntegerField(
        _("invoices due after"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(365)],
    )
    overdue_days = models.PositiveSmallIntegerField(
        _("overdue after"), null=True, blank=True, validators=[MaxValueValidator(365)]
    )
    reminder_days = models.CharField(
        _("reminders of open invoices"),
        max_length=40,
        blank=True,
        validators=[validate_days],
        help_text=_(
            "Days after the due day, such as 7, 14, 21: each sends one mail. 0 for none."
        ),
    )
    overdue_lock = models.CharField(
        _("lock while overdue"),
        max_length=5,
        choices=LockWhenOverdue.choices,
        blank=True,
        help_text=_(
            "As long as an invoice is overdue; ends by itself when that is paid."
        ),
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
    service_email = models.CharField(
        _("customer-service e-mail"),
        max_length=500,
        blank=True,
        validators=[validate_emails],
    )
    copy_service_email = models.BooleanField(
        _("copy it on e-mails to customers"), null=True, blank=True
    )
    service_telephone = models.CharField(
        _("customer-service telephone"),
        max_length=16,
        blank=True,
        validators=[validate_number],
    )
    divert_when_stopped = models.BooleanField(
        _("divert calls to it"),
        null=True,
        blank=True,
        help_text=_("Outbound calls of customers that are locked or out of credit."),
    )
    call_precision = models.PositiveSmallIntegerField(
        _("decimal places of call costs"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(6)],
        help_text=_("Call costs are rounded to the nearest."),
    )
    auto_topup_target = models.DecimalField(
        _("automatic top-up fills up to"),
        max_digits=20,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    call_maximum = models.DecimalField(
        _("maximum spend per day"),
        max_digits=20,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(NO_LIMIT)],
        help_text=_("-1: no limit."),
    )
    concurrent_calls = limit_field(_("maximum concurrent calls"))
    bulk_calls = limit_field(_("maximum bulk-dialler calls"))
    conference_calls = limit_field(_("maximum conference calls"))
    huntgroup_dests = limit_field(_("maximum hunt-group destinations"))
    callerid_in_external = models.BooleanField(
        _("receive caller id from external sources"), null=True, blank=True
    )
    external_out = models.BooleanField(
        _("external calls allowed"),
        null=True,
        blank=True,
        help_text=_("The starting value for new telephone lines."),
    )
    dial_plan = models.ForeignKey(
        "customers.DialPlan",
        verbose_name=_("dial plan"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    cos_timegroup = models.ForeignKey(
        "customers.TimeGroup",
        verbose_name=_("class-of-service times"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_(
            "When the plan's class-of-service exceptions hold: the numbers its customers"
            " may or may not call, by the customer's own clock. It is kept and inherited"
            " already; calls will ask for it."
        ),
    )
    included_seconds = models.PositiveIntegerField(
        _("included call seconds per period"), null=True, blank=True
    )
    carry_forward_seconds = models.BooleanField(
        _("carry unused seconds over once"), null=True, blank=True
    )
    included_messages = models.PositiveIntegerField(
        _("included messages per period"), null=True, blank=True
    )
    carry_forward_messages = models.BooleanField(
        _("carry unused messages over once"), null=True, blank=True
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
                condition=_from_minus_one("call_maximum")
                & _from_minus_one("concurrent_calls")
                & _from_minus_one("bulk_calls")
                & _from_minus_one("conference_calls")
                & _from_minus_one("huntgroup_dests"),
            ),
            models.CheckConstraint(
                name="rate_plan_inherits_from_one_place",
                condition=Q(base=None) | Q(inherits_own=False),
                violation_error_message=_("A plan inherits from one place only."),
            ),
            models.CheckConstraint(
                name="rate_plan_is_not_its_own_base",
                condition=Q(base=None) | ~Q(base=models.F("pk")),
                violation_error_message=_("A plan cannot inherit from itself."),
            ),
            models.CheckConstraint(
                name="rate_plan_archived_is_not_offered",
                condition=Q(archived_at=None) | Q(offered_at_signup=False),
                violation_error_message=_(
                    "An archived plan is offered to nobody: bring it back first."
                ),
            ),
        )

    def __str__(self) -> str:
        return self.name
