from __future__ import annotations

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import ChargePeriod
from billing.models.tax import Tax
from portal.core.money import validate_currency


def price_field(label: Any, **options: Any) -> models.DecimalField[Any, Any]:
    """A net price: numeric(18,9), design 4."""
    options = {
        "max_digits": 18,
        "decimal_places": 9,
        "default": 0,
        "validators": [MinValueValidator(0)],
        **options,
    }
    return models.DecimalField(label, **options)


class Charge(models.Model):
    """An extra item on one customer, or on a rate plan and so on all its customers (D 5.1).

    Due on ``starts_on`` and then every period on that day of the month, for ``number``
    times or until ``ends_on``. Making one bills nothing: the run does, or "charge now".
    One with a charge ``below`` lasts no longer than that (billing.services.charge_chains).
    """

    owner = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("Who gets the money: the customer's provider, the plan's owner."),
    )
    account = models.ForeignKey(
        "billing.BillingAccount",
        verbose_name=_("billing account"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="charges",
    )
    plan = models.ForeignKey(
        "rateplans.RatePlan",
        verbose_name=_("rate plan"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="charges",
    )
    product = models.ForeignKey(
        "billing.Product",
        verbose_name=_("product"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="charges",
        help_text=_("Whose recurring price this is."),
    )
    below = models.ForeignKey(
        "self",
        verbose_name=_("charge below"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="above",
        help_text=_("What the level below pays for the same purchase."),
    )
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    amount = price_field(_("price"), help_text=_("Without taxes."))
    buy = price_field(
        _("cost to you"),
        help_text=_("Without taxes; only for figures of profit."),
    )
    quantity = models.PositiveIntegerField(
        _("quantity"), default=1, validators=[MinValueValidator(1)]
    )
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency]
    )
    period = models.CharField(
        _("due"),
        max_length=10,
        choices=ChargePeriod.choices,
        default=ChargePeriod.ONCE,
    )
    number = models.PositiveSmallIntegerField(
        _("number of times"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Leave empty for no end."),
    )
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(
        _("until"),
        null=True,
        blank=True,
        help_text=_("Not charged on this day any more. Leave empty for no end."),
    )
    next_on = models.DateField(_("next due"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)
    taxes: models.ManyToManyField[Tax, Any] = models.ManyToManyField(
        Tax, verbose_name=_("taxes"), blank=True, related_name="charges"
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects: models.Manager[Charge] = ScopedManager(tree="owner__path__startswith")

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("charge")
        verbose_name_plural = _("charges")
        constraints = (
            models.CheckConstraint(
                name="charge_is_on_a_customer_or_a_plan",
                condition=Q(account=None, plan__isnull=False)
                | Q(account__isnull=False, plan=None),
            ),
            models.CheckConstraint(
                name="charge_is_not_negative",
                condition=Q(amount__gte=0) & Q(buy__gte=0) & Q(quantity__gte=1),
            ),
            models.CheckConstraint(
                name="charge_ends_after_it_starts",
                condition=Q(ends_on=None) | Q(ends_on__gt=models.F("starts_on")),
                violation_error_message=_("The end must be after the beginning."),
            ),
            models.CheckConstraint(
                name="charge_number_is_positive",
                condition=Q(number=None) | Q(number__gte=1),
            ),
        )
        indexes = (
            models.Index(
                fields=["next_on"],
                name="charge_due",
                condition=Q(ended_at=None, next_on__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name
