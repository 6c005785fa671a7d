from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import CALL_TYPES, ProductType


class ExtraCalls(models.Model):
    """Calls at once that an account bought beyond its limit (D 5.2, docs/adr/0019).

    What a recurring charge pays for is had until that ends; what was paid once, until its
    entry is taken back. billing.calls_at_once knows which still counts.
    """

    account = models.ForeignKey(
        "billing.BillingAccount",
        verbose_name=_("billing account"),
        on_delete=models.CASCADE,
        related_name="extra_calls",
    )
    type = models.CharField(
        _("type"),
        max_length=20,
        choices=[(kind.value, kind.label) for kind in CALL_TYPES],
    )
    calls = models.PositiveIntegerField(_("number of calls"))
    entry = models.OneToOneField(
        "billing.LedgerEntry",
        verbose_name=_("ledger entry"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty if nothing was paid on the day of purchase."),
    )
    charge = models.OneToOneField(
        "billing.Charge",
        verbose_name=_("charge"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="extra_calls",
        help_text=_("The recurring charge that pays for them."),
    )

    objects: models.Manager[ExtraCalls] = ScopedManager(
        tree="account__customer__path__startswith"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("bought calls at once")
        verbose_name_plural = _("bought calls at once")
        constraints = (
            models.CheckConstraint(
                name="extra_calls_are_some",
                condition=Q(calls__gt=0, type__in=CALL_TYPES),
            ),
        )

    def __str__(self) -> str:
        return f"{self.calls} × {ProductType(self.type).label}"
