from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import EntryKind
from portal.core.money import plain_amount
from rateplans.choices import Feature


class LedgerEntry(models.Model):
    """One movement of an account, once and for all; written by billing.ledger only.

    ``amount`` is signed and never 0: positive raises the balance, what the parent owes the
    customer (D 1.2). It includes the taxes that stand in `EntryTax`. Entries that the billing
    type keeps off the balance (D 1.5) say so and leave it as it was. A database trigger
    refuses to change or delete a row; only ``invoice`` may be set, once.
    """

    account = models.ForeignKey(
        "billing.BillingAccount",
        verbose_name=_("billing account"),
        on_delete=models.PROTECT,
        db_index=False,  # entry_account_newest begins with it
        related_name="entries",
    )
    key = models.CharField(
        _("key"),
        max_length=100,
        help_text=_("Names the business event; the same one is posted once."),
    )
    kind = models.CharField(_("kind"), max_length=12, choices=EntryKind.choices)
    amount = models.DecimalField(_("amount"), max_digits=20, decimal_places=6)
    net = models.DecimalField(
        _("net"),
        max_digits=20,
        decimal_places=6,
        help_text=_("The amount without its taxes, with the same sign."),
    )
    is_on_balance = models.BooleanField(_("moves the balance"), default=True)
    balance_after = models.DecimalField(
        _("balance after"), max_digits=20, decimal_places=6
    )
    description = models.CharField(_("description"), max_length=200)
    reference = models.CharField(_("reference"), max_length=100, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    original_amount = models.DecimalField(
        _("original amount"), max_digits=20, decimal_places=6, null=True, blank=True
    )
    original_currency = models.CharField(
        _("original currency"), max_length=3, blank=True
    )
    exchange_rate = models.DecimalField(
        _("exchange rate"), max_digits=20, decimal_places=10, null=True, blank=True
    )
    feature = models.CharField(
        _("feature"), max_length=10, choices=Feature.choices, blank=True
    )
    object_id = models.BigIntegerField(_("object id"), null=True, blank=True)
    charge = models.ForeignKey(
        "billing.Charge",
        verbose_name=_("charge"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="entries",
    )
    product = models.ForeignKey(
        "billing.Product",
        verbose_name=_("product"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="entries",
    )
    reverses = models.OneToOneField(
        "self",
        verbose_name=_("reverses"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversed_by",
    )
    period_start = models.DateField(_("period begins"), null=True, blank=True)
    period_end = models.DateField(
        _("period ends"), null=True, blank=True, help_text=_("The day after the last.")
    )
    invoice = models.ForeignKey(
        "billing.Invoice",
        verbose_name=_("invoice"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="entries",
        help_text=_("The one it stands on; set once, when that is issued."),
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        # People come and go, entries stay as they are: with the name below.
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,  # nothing asks for the entries of a person
        null=True,
        blank=True,
        related_name="+",
    )
    person_name = models.CharField(_("person's name"), max_length=150, blank=True)
    acting_as_name = models.CharField(_("acting as, name"), max_length=150, blank=True)
    at = models.DateTimeField(_("time"), default=timezone.now)
    created_at = models.DateTimeField(_("booked"), default=timezone.now)

    objects: models.Manager[LedgerEntry] = ScopedManager(
        tree="account__customer__path__startswith"
    )

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        constraints = (
            models.UniqueConstraint(
                fields=["account", "key"], name="entry_key_once_per_account"
            ),
            models.CheckConstraint(
                name="entry_moves_something", condition=~Q(amount=0)
            ),
            models.CheckConstraint(
                name="entry_net_has_the_sign_of_the_amount",
                condition=Q(amount__gt=0, net__gte=0) | Q(amount__lt=0, net__lte=0),
            ),
            models.CheckConstraint(
                name="entry_conversion_is_whole",
                condition=Q(
                    original_amount=None, original_currency="", exchange_rate=None
                )
                | Q(original_amount__isnull=False, exchange_rate__gt=0)
                & ~Q(original_currency=""),
            ),
            models.CheckConstraint(
                name="entry_period_is_whole",
                condition=Q(period_start=None, period_end=None)
                | Q(period_end__gt=models.F("period_start")),
            ),
        )
        indexes = (
            models.Index(fields=["account", "-id"], name="entry_account_newest"),
            models.Index(fields=["account", "at"], name="entry_account_time"),
            # What the next invoice takes up.
            models.Index(
                fields=["account", "at"],
                name="entry_not_invoiced",
                condition=Q(invoice=None),
            ),
            # Top-ups that wait for an invoice of their own (D 1.5).
            models.Index(
                fields=["id"],
                name="entry_topup_not_invoiced",
                condition=Q(kind=EntryKind.TOPUP, invoice=None),
            ),
            # What was paid for days that are given back, under the locks of the accounts.
            models.Index(
                fields=["account", "period_end", "feature"],
                name="entry_of_period",
                condition=Q(kind__in=[EntryKind.RECURRING, EntryKind.REFUND]),
            ),
        )

    def __str__(self) -> str:
        return f"{self.description} {plain_amount(self.amount)}"

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("ledger entries stay; post a reversal")

    @property
    def tax(self) -> Decimal:
        """All taxes in the amount, with its sign."""
        return self.amount - self.net


class EntryTax(models.Model):
    """A tax within an entry, as it was then (D 4).

    All that documents say of it is copied: whoever edits the tax changes no invoice, and no
    credit note, over what was booked before.
    """

    entry = models.ForeignKey(
        LedgerEntry,
        verbose_name=_("ledger entry"),
        on_delete=models.PROTECT,
        db_index=False,  # tax_once_per_entry begins with it
        related_name="taxes",
    )
    tax = models.ForeignKey(
        "billing.Tax",
        verbose_name=_("tax"),
        on_delete=models.PROTECT,
        related_name="entry_taxes",
    )
    name = models.CharField(_("name"), max_length=60)
    rate = models.DecimalField(_("rate"), max_digits=9, decimal_places=6)
    amount = models.DecimalField(
        _("amount"),
        max_digits=20,
        decimal_places=6,
        help_text=_("With the sign of the entry."),
    )
    is_vat = models.BooleanField(_("is VAT"))

    objects: models.Manager[EntryTax] = ScopedManager(
        tree="entry__account__customer__path__startswith"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("tax of an entry")
        verbose_name_plural = _("taxes of entries")
        constraints = (
            models.UniqueConstraint(fields=["entry", "tax"], name="tax_once_per_entry"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.amount}"
