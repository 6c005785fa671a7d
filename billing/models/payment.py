from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import PaymentMethod
from billing.models.account import money_field
from portal.core.money import plain_amount
from portal.core.validators import validate_visible


class Payment(models.Model):
    """Money that a customer paid to its provider, once and for all.

    What of it settles invoices stands in `Settlement`; all the rest is on the balance. One
    that came back is not deleted but ``reversed_at`` some time; a trigger refuses all other
    changes.
    """

    account = models.ForeignKey(
        "billing.BillingAccount",
        verbose_name=_("billing account"),
        on_delete=models.PROTECT,
        related_name="payments",
        db_index=False,  # a longer one begins with it
    )
    provider = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("paid to"),
        on_delete=models.PROTECT,
        related_name="payments_received",
        help_text=_("The customer's parent at that time."),
        db_index=False,  # a longer one begins with it
    )
    key = models.CharField(
        _("key"),
        max_length=100,
        help_text=_("Names the business event; the same one is booked once."),
    )
    received_on = models.DateField(_("received on"))
    amount = money_field(_("amount"), default=None)
    currency = models.CharField(_("currency"), max_length=3)
    method = models.CharField(_("method"), max_length=13, choices=PaymentMethod.choices)
    reference = models.CharField(
        _("reference"), max_length=140, blank=True, validators=[validate_visible]
    )
    note = models.CharField(
        _("note"),
        max_length=200,
        blank=True,
        validators=[validate_visible],
        help_text=_("For your own staff; customers cannot see it."),
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.DO_NOTHING,  # as in the ledger: people go, names stay
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )
    person_name = models.CharField(_("person's name"), max_length=150, blank=True)
    acting_as_name = models.CharField(_("acting as, name"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("booked"), default=timezone.now)
    reversed_at = models.DateTimeField(_("came back"), null=True, blank=True)
    reversed_by_name = models.CharField(_("taken back by"), max_length=150, blank=True)
    reversal_reason = models.CharField(_("reason"), max_length=120, blank=True)

    objects: models.Manager[Payment] = ScopedManager(
        tree="account__customer__path__startswith"
    )

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = (
            models.UniqueConstraint(
                fields=["account", "key"], name="payment_key_once_per_account"
            ),
            models.CheckConstraint(
                name="payment_is_above_zero", condition=Q(amount__gt=0)
            ),
            models.CheckConstraint(
                name="payment_reversal_is_whole",
                condition=Q(reversed_at=None, reversed_by_name="", reversal_reason="")
                | Q(reversed_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=["provider", "-id"], name="payment_newest"),
            models.Index(
                fields=["provider", "received_on", "id"], name="payment_by_day"
            ),
            models.Index(fields=["provider", "amount", "id"], name="payment_by_amount"),
        )

    def __str__(self) -> str:
        return f"{self.currency} {plain_amount(self.amount)}"

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("payments stay; reverse them")

    @property
    def is_reversed(self) -> bool:
        return self.reversed_at is not None

    @property
    def is_write_off(self) -> bool:
        """Whether no money came: what it settles will never be paid."""
        return self.method == PaymentMethod.WRITE_OFF


class Settlement(models.Model):
    """What a payment, or a credit note, takes off what is to be paid of an invoice.

    `Invoice.settled` is the sum of those that were not undone: a trigger that looks at the
    end of each transaction sees to it. Undoing is for good: what settles again is a new row.
    """

    invoice = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("invoice"),
        on_delete=models.PROTECT,
        related_name="settlements",
    )
    payment = models.ForeignKey(
        Payment,
        verbose_name=_("payment"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="settlements",
    )
    credit_note = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("credit note"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="settles",
    )
    amount = money_field(_("amount"), default=None)
    created_at = models.DateTimeField(_("booked"), default=timezone.now)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    objects: models.Manager[Settlement] = ScopedManager(
        tree="invoice__account__customer__path__startswith"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("settlement")
        verbose_name_plural = _("settlements")
        constraints = (
            models.CheckConstraint(
                name="settlement_is_above_zero", condition=Q(amount__gt=0)
            ),
            models.CheckConstraint(
                name="settlement_has_one_source",
                condition=Q(payment=None, credit_note__isnull=False)
                | Q(payment__isnull=False, credit_note=None),
            ),
            models.UniqueConstraint(
                fields=["invoice", "payment"],
                name="payment_settles_an_invoice_once",
                condition=Q(undone_at=None, payment__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["invoice", "credit_note"],
                name="credit_note_settles_an_invoice_once",
                condition=Q(undone_at=None, credit_note__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.invoice} {plain_amount(self.amount)}"

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("settlements stay; undo them")
