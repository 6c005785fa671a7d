"""What the system owner sets up once for everybody (D 8), in the Django admin."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Region(models.Model):
    """A group of telephony machines near some customers; has no effect on billing."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("region")
        verbose_name_plural = _("regions")

    def __str__(self) -> str:
        return self.name


class DialPlan(models.Model):
    """How dialled numbers are read: which digits mean outside, which country is home."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("dial plan")
        verbose_name_plural = _("dial plans")

    def __str__(self) -> str:
        return self.name


class SystemOptions(models.Model):
    """Options of the whole system: one row, made by the first migration."""

    customer_prefixes = models.BooleanField(
        _("customers have prefixes"),
        default=False,
        help_text=_("Show the customer prefix on the customer form."),
    )
    person_email_required = models.BooleanField(
        _("people need an e-mail address"), default=True
    )
    person_email_unique = models.BooleanField(
        _("an e-mail address belongs to one person"),
        default=False,
        help_text=_("Refuse a person whose e-mail address another person has."),
    )

    class Meta:
        verbose_name = _("system options")
        verbose_name_plural = _("system options")
        constraints = (
            models.CheckConstraint(
                name="system_options_are_one_row", condition=Q(pk=1)
            ),
        )

    def __str__(self) -> str:
        return str(_("System options"))

    @classmethod
    def current(cls) -> SystemOptions:
        return cls.objects.get_or_create(pk=1)[0]
