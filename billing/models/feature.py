from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from rateplans.choices import Feature
from rateplans.models import NumberClass


class BilledFeature(models.Model):
    """Something a customer has that fees are charged for, from when to when (D 3.3).

    It counts at every level of the tree: for the customer, whose plan prices it, and for
    each account above, which owes its own parent for it. Ended rows stay, so that a period
    charged late still counts what there was at its start.
    """

    customer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        db_index=False,  # feature_by_customer begins with it
        related_name="billed_features",
    )
    feature = models.CharField(_("feature"), max_length=10, choices=Feature.choices)
    object_id = models.BigIntegerField(_("object id"))
    number_class = models.ForeignKey(
        NumberClass,
        verbose_name=_("number class"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    label = models.CharField(_("label"), max_length=150)
    started_at = models.DateTimeField(_("since"), default=timezone.now)
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects: models.Manager[BilledFeature] = ScopedManager(
        tree="customer__path__startswith"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("billed feature")
        verbose_name_plural = _("billed features")
        constraints = (
            models.UniqueConstraint(
                fields=["feature", "object_id"],
                name="feature_is_billed_once",
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(
                name="feature_ends_after_it_started",
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("started_at")),
            ),
            models.CheckConstraint(
                name="billed_number_has_a_class",
                condition=Q(feature=Feature.NUMBER, number_class__isnull=False)
                | ~Q(feature=Feature.NUMBER) & Q(number_class=None),
            ),
        )
        indexes = (
            models.Index(fields=["customer", "feature"], name="feature_by_customer"),
            models.Index(fields=["object_id", "feature"], name="feature_by_object"),
        )

    def __str__(self) -> str:
        return f"{self.get_feature_display()} {self.label}"
