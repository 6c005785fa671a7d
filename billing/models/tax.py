from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import TaxDefault
from portal.core.money import validate_currency


class Tax(models.Model):
    """A percentage, a flat amount, or both (D 4): tax = net * rate / 100 + amount."""

    owner = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        db_index=False,  # tax_name_once_per_owner begins with it
        related_name="taxes",
    )
    name = models.CharField(_("name"), max_length=60)
    description = models.TextField(_("description"), blank=True)
    rate = models.DecimalField(
        _("rate"),
        max_digits=9,
        decimal_places=6,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Percent of the net price."),
    )
    amount = models.DecimalField(
        _("amount"),
        max_digits=20,
        decimal_places=6,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
        help_text=_("Added after the rate."),
    )
    currency = models.CharField(
        _("currency of the amount"),
        max_length=3,
        default="EUR",
        validators=[validate_currency],
    )
    is_vat = models.BooleanField(
        _("is VAT or GST"),
        default=True,
        help_text=_(
            "Listed in the VAT breakdown of invoices. If unticked, it is another"
            " kind of levy, such as a sales tax or an emergency call fund, and"
            " appears as a surcharge."
        ),
    )
    applies_accounts = models.BooleanField(_("customer account fees"), default=True)
    applies_features = models.BooleanField(
        _("telephone lines, mailboxes, people"), default=True
    )
    applies_numbers = models.BooleanField(_("numbers"), default=True)
    applies_calls = models.BooleanField(_("calls"), default=True)
    applies_messages = models.BooleanField(_("messages"), default=True)
    applies_products = models.BooleanField(
        _("products"),
        default=True,
        help_text=_("The starting value for new ones; each can be set differently."),
    )
    applies_charges = models.BooleanField(
        _("charges"),
        default=True,
        help_text=_("The starting value for new ones; each can be set differently."),
    )
    liable = models.CharField(
        _("liable by default"),
        max_length=10,
        choices=TaxDefault.choices,
        default=TaxDefault.ALL,
    )
    is_shared = models.BooleanField(
        _("shared with everybody"),
        default=False,
        help_text=_("Resellers below may make their customers liable too."),
    )

    objects: models.Manager[Tax] = ScopedManager(tree="owner__path__startswith")

    class Meta:
        ordering = ("name",)
        verbose_name = _("tax")
        verbose_name_plural = _("taxes")
        constraints = (
            models.UniqueConstraint(
                "owner",
                Lower("name"),
                name="tax_name_once_per_owner",
                violation_error_message=_("You have a tax of this name."),
            ),
            models.CheckConstraint(
                name="tax_is_not_negative",
                condition=Q(rate__gte=0) & Q(rate__lte=100) & Q(amount__gte=0),
            ),
            models.CheckConstraint(
                name="tax_vat_is_a_percentage",
                condition=Q(is_vat=False) | Q(amount=0),
                violation_error_message=_(
                    "VAT is a percentage: untick it, or leave the amount empty."
                ),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_default(self) -> bool:
        """Whether a new customer is liable without being ticked."""
        return self.liable in {TaxDefault.NEW, TaxDefault.ALL}


class TaxLiability(models.Model):
    """An account that a tax applies to."""

    account = models.ForeignKey(
        "billing.BillingAccount",
        on_delete=models.CASCADE,
        db_index=False,  # liability_once begins with it
        related_name="liabilities",
    )
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT, related_name="liabilities")

    objects: models.Manager[TaxLiability] = ScopedManager(
        tree="account__customer__path__startswith"
    )

    class Meta:
        verbose_name = _("tax liability")
        verbose_name_plural = _("tax liabilities")
        constraints = (
            models.UniqueConstraint(fields=["account", "tax"], name="liability_once"),
        )

    def __str__(self) -> str:
        return f"{self.tax} – {self.account}"
