from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from billing.choices import InvoiceType


class InvoiceSeries(models.Model):
    """How one seller numbers its invoices, or its credit notes: prefix, year, width."""

    issuer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("issued by"),
        on_delete=models.PROTECT,
        related_name="invoice_series",
        db_index=False,  # a longer one begins with it
    )
    type = models.CharField(_("type"), max_length=11, choices=InvoiceType.choices)
    prefix = models.CharField(
        _("prefix"),
        max_length=10,
        blank=True,
        validators=[
            RegexValidator(
                r"^[A-Za-z0-9/._-]*$",
                _("Use letters, digits and - / . _ only, without accents or spaces."),
            )
        ],
    )
    has_year = models.BooleanField(
        _("with the year"),
        default=True,
        help_text=_("Counting starts again at 1 each year."),
    )
    width = models.PositiveSmallIntegerField(
        _("digits"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text=_("Shorter numbers are padded with zeros."),
    )

    objects: models.Manager[InvoiceSeries] = ScopedManager(
        tree="issuer__path__startswith"
    )

    class Meta:
        verbose_name = _("number series")
        verbose_name_plural = _("number series")
        constraints = (
            models.UniqueConstraint(
                fields=["issuer", "type"], name="series_once_per_issuer"
            ),
            models.CheckConstraint(
                name="series_width_from_one_to_ten",
                condition=Q(width__gte=1, width__lte=10),
            ),
        )

    def __str__(self) -> str:
        return self.number(timezone.now().year, 1)

    def number(self, year: int, count: int) -> str:
        """The number of the ``count``-th document of ``year``: "INV-2026-00001"."""
        return (
            f"{self.prefix}{f'{year}-' if self.has_year else ''}{count:0{self.width}}"
        )


class SeriesCount(models.Model):
    """How far a series has counted, by year; year 0 for a series without years."""

    series = models.ForeignKey(
        InvoiceSeries,
        on_delete=models.PROTECT,
        related_name="counts",
        db_index=False,  # a longer one begins with it
    )
    year = models.PositiveSmallIntegerField(_("year"), default=0)
    last = models.PositiveIntegerField(_("last number"), default=0)

    objects: models.Manager[SeriesCount] = ScopedManager(
        tree="series__issuer__path__startswith"
    )

    class Meta:
        verbose_name = _("count of a series")
        verbose_name_plural = _("counts of series")
        constraints = (
            models.UniqueConstraint(
                fields=["series", "year"], name="count_once_a_year"
            ),
        )

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"
