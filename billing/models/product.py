from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import CALL_TYPES, ProductPeriod, ProductReach, ProductType
from billing.models.charge import price_field
from billing.models.tax import Tax
from portal.core.money import validate_currency


class Product(models.Model):
    """Goods, services, minutes or calls at once, bought at Actions » Purchase (D 5.2)."""

    owner = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        db_index=False,  # product_name_once_per_owner begins with it
        related_name="products",
    )
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    type = models.CharField(
        _("type"),
        max_length=20,
        choices=ProductType.choices,
        default=ProductType.PRODUCT,
    )
    amount = models.PositiveIntegerField(
        _("amount"),
        default=0,
        help_text=_("Seconds of call time, or number of calls at once."),
    )
    information = models.TextField(
        _("information before purchase"), blank=True, max_length=2000
    )
    create_fee = price_field(_("price"), help_text=_("Once, without taxes."))
    create_buy = price_field(_("cost to you"), help_text=_("Once, without taxes."))
    period = models.CharField(
        _("recurring"), max_length=10, choices=ProductPeriod.choices, blank=True
    )
    period_fee = price_field(_("recurring price"), help_text=_("Without taxes."))
    period_buy = price_field(_("recurring cost to you"))
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency]
    )
    reach = models.CharField(
        _("offered to"),
        max_length=10,
        choices=ProductReach.choices,
        default=ProductReach.DIRECT,
    )
    taxes: models.ManyToManyField[Tax, Any] = models.ManyToManyField(
        Tax, verbose_name=_("taxes"), blank=True, related_name="products"
    )
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects: models.Manager[Product] = ScopedManager(tree="owner__path__startswith")

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = (
            models.UniqueConstraint(
                "owner",
                Lower("name"),
                name="product_name_once_per_owner",
                violation_error_message=_("You have a product of this name."),
            ),
            models.CheckConstraint(
                name="product_is_not_negative",
                condition=Q(create_fee__gte=0)
                & Q(create_buy__gte=0)
                & Q(period_fee__gte=0)
                & Q(period_buy__gte=0),
            ),
            models.CheckConstraint(
                name="product_recurs_with_a_period",
                condition=~Q(period="") | Q(period_fee=0, period_buy=0),
                violation_error_message=_(
                    "Choose how often the recurring price is due."
                ),
            ),
            models.CheckConstraint(
                name="call_time_does_not_recur",
                condition=~Q(type="call_time") | Q(period=""),
                violation_error_message=_("Call time has no recurring price."),
            ),
            models.CheckConstraint(
                name="product_gives_some_calls",
                condition=~Q(type__in=CALL_TYPES) | Q(amount__gt=0),
                violation_error_message=_("Enter how many calls at once it gives."),
            ),
        )

    def __str__(self) -> str:
        return self.name


class ProductException(models.Model):
    """A plan's own price of a product: fixed, or the product's with mark-ups (D 3.5)."""

    plan = models.ForeignKey(
        "rateplans.RatePlan",
        verbose_name=_("rate plan"),
        on_delete=models.CASCADE,
        db_index=False,  # product_exception_once_per_plan begins with it
        related_name="product_exceptions",
    )
    product = models.ForeignKey(
        Product,
        verbose_name=_("product"),
        on_delete=models.CASCADE,
        related_name="exceptions",
    )
    uses_markups = models.BooleanField(_("mark-ups instead of prices"), default=False)
    create_fee = price_field(_("price"), help_text=_("In the plan's currency."))
    period_fee = price_field(_("recurring price"))
    create_markup = models.DecimalField(
        _("mark-up"),
        max_digits=9,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(-100), MaxValueValidator(10_000)],
    )
    create_margin = price_field(_("margin"))
    period_markup = models.DecimalField(
        _("recurring mark-up"),
        max_digits=9,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(-100), MaxValueValidator(10_000)],
    )
    period_margin = price_field(_("recurring margin"))

    objects: models.Manager[ProductException] = ScopedManager(
        tree="plan__owner__path__startswith"
    )

    class Meta:
        ordering = ("plan", "product")
        verbose_name = _("product cost exception")
        verbose_name_plural = _("product cost exceptions")
        constraints = (
            models.UniqueConstraint(
                fields=["plan", "product"],
                name="product_exception_once_per_plan",
                violation_error_message=_("The plan has a price for this product."),
            ),
            models.CheckConstraint(
                name="product_exception_makes_no_negative_price",
                condition=Q(create_fee__gte=0)
                & Q(period_fee__gte=0)
                & Q(create_markup__gte=-100)
                & Q(period_markup__gte=-100)
                & Q(create_margin__gte=0)
                & Q(period_margin__gte=0),
            ),
        )

    def __str__(self) -> str:
        return f"{self.product} ({self.plan})"


class CallTime(models.Model):
    """Seconds an account bought, to be used up before other calls cost (D 3.6, 5.2)."""

    account = models.ForeignKey(
        "billing.BillingAccount",
        verbose_name=_("billing account"),
        on_delete=models.CASCADE,
        related_name="call_times",
    )
    entry = models.OneToOneField(
        "billing.LedgerEntry",
        verbose_name=_("ledger entry"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    seconds = models.PositiveIntegerField(_("seconds"))
    remaining = models.PositiveIntegerField(_("remaining seconds"))
    expires_on = models.DateField(_("expires"))

    objects: models.Manager[CallTime] = ScopedManager(
        tree="account__customer__path__startswith"
    )

    class Meta:
        ordering = ("expires_on", "pk")
        verbose_name = _("call time")
        verbose_name_plural = _("call times")
        constraints = (
            models.CheckConstraint(
                name="call_time_is_not_overused",
                condition=Q(remaining__lte=models.F("seconds")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.remaining} s"
