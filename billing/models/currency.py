from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from portal.core.money import validate_currency


class ExchangeRate(models.Model):
    """How much of a currency one euro bought on a day: the form of the ECB's rates.

    The same for the whole system; the system owner enters or imports them.
    """

    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency]
    )
    on = models.DateField(_("day"))
    rate = models.DecimalField(
        pgettext_lazy("exchange", "rate"),
        max_digits=18,
        decimal_places=9,
        validators=[MinValueValidator(0)],
        help_text=_("Units of this currency for 1 EUR."),
    )

    class Meta:
        ordering = ("currency", "-on")
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = (
            models.UniqueConstraint(
                fields=["currency", "on"],
                name="rate_once_per_day",
                violation_error_message=_("There is a rate for that day."),
            ),
            models.CheckConstraint(
                name="rate_is_positive",
                condition=Q(rate__gt=0),
                violation_error_message=_("Enter a rate above 0."),
            ),
            models.CheckConstraint(
                name="rate_is_not_of_the_euro", condition=~Q(currency="EUR")
            ),
        )

    def __str__(self) -> str:
        return f"1 EUR = {self.rate.normalize():f} {self.currency} ({self.on})"
