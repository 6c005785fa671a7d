from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import CardOutcome
from billing.models.account import money_field
from billing.models.invoice import Invoice


class CardOrder(models.Model):
    """What a gateway was asked to take from a card, kept before it is asked.

    What it took is what stands here, whatever was paid otherwise since: the gateway knows
    the order by its ``key`` and answers the same for it, for good.
    """

    invoice = models.ForeignKey(
        Invoice,
        verbose_name=_("invoice"),
        on_delete=models.PROTECT,
        related_name="card_charges",
        db_index=False,  # a longer one begins with it
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"))
    key = models.CharField(_("key"), max_length=60)
    amount = money_field(_("amount"), default=None)
    currency = models.CharField(_("currency"), max_length=3)
    asked_at = models.DateTimeField(_("last asked"), default=timezone.now)
    outcome = models.CharField(
        _("outcome"),
        max_length=7,
        choices=CardOutcome.choices,
        default=CardOutcome.PENDING,
    )
    reference = models.CharField(_("reference"), max_length=140, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects: models.Manager[CardOrder] = ScopedManager(
        tree="invoice__account__customer__path__startswith"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("charge of a card")
        verbose_name_plural = _("charges of cards")
        constraints = (
            models.UniqueConstraint(fields=["key"], name="card_order_key"),
            models.UniqueConstraint(
                fields=["invoice", "attempt"], name="card_attempt_once_per_invoice"
            ),
            models.UniqueConstraint(
                fields=["invoice"],
                name="card_order_undecided_once_per_invoice",
                condition=Q(outcome=CardOutcome.PENDING),
            ),
            models.CheckConstraint(
                name="card_order_is_above_zero", condition=Q(amount__gt=0)
            ),
        )
        indexes = (
            models.Index(
                fields=["asked_at"],
                name="card_order_undecided",
                condition=Q(outcome=CardOutcome.PENDING),
            ),
        )

    def __str__(self) -> str:
        return self.key

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("what a gateway was asked stays")
