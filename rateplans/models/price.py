from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from rateplans.choices import Feature, MarkupKind, Occurs
from rateplans.models.number_class import NumberClass
from rateplans.models.plan import RatePlan
from rateplans.settings import NO_LIMIT


class PlanPrice(models.Model):
    """What a plan charges for a feature, from one day to another (D 3.3, 3.5).

    Numbers are priced by their class. No row for a day means inherited, and if no plan of
    the chain has one, the price of the account above is passed through (D 1.3). Recurring
    prices are per month, whatever the billing period (docs/adr/0012).
    """

    plan = models.ForeignKey(
        RatePlan,
        verbose_name=_("rate plan"),
        on_delete=models.CASCADE,
        related_name="prices",
    )
    feature = models.CharField(_("feature"), max_length=10, choices=Feature.choices)
    number_class = models.ForeignKey(
        NumberClass,
        verbose_name=_("number class"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    occurs = models.CharField(_("due"), max_length=10, choices=Occurs.choices)
    amount = models.DecimalField(
        _("price"),
        max_digits=18,
        decimal_places=9,
        validators=[MinValueValidator(0)],
        help_text=_("Net, in the plan's currency."),
    )
    valid = DateRangeField(_("valid"), help_text=_("Half open: without the last day."))

    objects: models.Manager[PlanPrice] = ScopedManager(
        tree="plan__owner__path__startswith"
    )

    class Meta:
        ordering = ("plan", "feature", "number_class", "occurs", "valid")
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        constraints = (
            models.CheckConstraint(
                name="price_is_not_negative", condition=Q(amount__gte=0)
            ),
            models.CheckConstraint(
                name="price_of_numbers_is_by_class",
                condition=Q(feature=Feature.NUMBER, number_class__isnull=False)
                | ~Q(feature=Feature.NUMBER) & Q(number_class=None),
            ),
            models.CheckConstraint(
                name="price_is_valid_for_a_day", condition=Q(valid__isempty=False)
            ),
            ExclusionConstraint(
                name="one_price_at_a_time",
                expressions=[
                    ("plan", RangeOperators.EQUAL),
                    ("feature", RangeOperators.EQUAL),
                    (Coalesce(F("number_class_id"), Value(0)), RangeOperators.EQUAL),
                    ("occurs", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_feature_display()}, {self.get_occurs_display()}"


class PlanMarkup(models.Model):
    """What a plan adds to a cost, from one day to another: cost * (1 + markup/100) + margin.

    The percentage comes first, the amount after it (D 1.3).
    """

    plan = models.ForeignKey(
        RatePlan,
        verbose_name=_("rate plan"),
        on_delete=models.CASCADE,
        related_name="markups",
    )
    kind = models.CharField(_("of"), max_length=12, choices=MarkupKind.choices)
    markup = models.DecimalField(
        _("mark-up"),
        max_digits=9,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(-100), MaxValueValidator(10_000)],
        help_text=_("Percent of the cost."),
    )
    margin = models.DecimalField(
        _("margin"),
        max_digits=18,
        decimal_places=9,
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("Added after the percentage, in the plan's currency."),
    )
    valid = DateRangeField(_("valid"), help_text=_("Half open: without the last day."))

    objects: models.Manager[PlanMarkup] = ScopedManager(
        tree="plan__owner__path__startswith"
    )

    class Meta:
        ordering = ("plan", "kind", "valid")
        verbose_name = _("mark-up")
        verbose_name_plural = _("mark-ups")
        constraints = (
            models.CheckConstraint(
                name="markup_makes_no_negative_price",
                condition=Q(markup__gte=-100) & Q(margin__gte=0),
            ),
            models.CheckConstraint(
                name="markup_is_valid_for_a_day", condition=Q(valid__isempty=False)
            ),
            ExclusionConstraint(
                name="one_markup_at_a_time",
                expressions=[
                    ("plan", RangeOperators.EQUAL),
                    ("kind", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            ),
        )

    def __str__(self) -> str:
        return str(self.get_kind_display())


class PlanFeature(models.Model):
    """How many of a feature a plan allows and includes free of charge (D 3.4).

    Both count the customer's own and those of everybody below it. Empty is inherited; at
    the end of the chain stand no limit and nothing included.
    """

    plan = models.ForeignKey(
        RatePlan,
        verbose_name=_("rate plan"),
        on_delete=models.CASCADE,
        related_name="features",
    )
    feature = models.CharField(_("feature"), max_length=10, choices=Feature.choices)
    maximum = models.IntegerField(
        _("maximum"),
        null=True,
        blank=True,
        validators=[MinValueValidator(NO_LIMIT)],
        help_text=_("-1: no limit. 0: forbidden."),
    )
    included = models.PositiveIntegerField(_("included"), null=True, blank=True)

    objects: models.Manager[PlanFeature] = ScopedManager(
        tree="plan__owner__path__startswith"
    )

    class Meta:
        ordering = ("plan", "feature")
        verbose_name = _("feature permission")
        verbose_name_plural = _("feature permissions")
        constraints = (
            models.UniqueConstraint(
                fields=["plan", "feature"], name="feature_permission_once_per_plan"
            ),
            models.CheckConstraint(
                name="feature_maximum_from_minus_one",
                condition=Q(maximum=None) | Q(maximum__gte=NO_LIMIT),
            ),
        )

    def __str__(self) -> str:
        return str(self.get_feature_display())
