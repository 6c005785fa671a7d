from __future__ import annotations

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from portal.core.validators import validate_colour, validate_name


class Company(models.Model):
    """How an account presents itself to its customers: Settings » Company.

    The logo is kept in the row, re-encoded as PNG: every web host, worker and document has
    it at once, and nothing that was uploaded is ever served as it came (docs/adr/0006).
    """

    customer = models.OneToOneField(
        "customers.Customer", on_delete=models.CASCADE, related_name="company"
    )
    display_name = models.CharField(
        _("name shown to customers"),
        max_length=80,
        blank=True,
        validators=[validate_name],
        help_text=_("Leave empty for the account's name."),
    )
    colour = models.CharField(
        _("colour"), max_length=7, blank=True, validators=[validate_colour]
    )
    logo = models.BinaryField(
        _("logo"), null=True, blank=True, validators=[MaxLengthValidator(300_000)]
    )
    logo_hash = models.CharField(max_length=16, blank=True, editable=False)
    sender_name = models.CharField(_("sender's name"), max_length=80, blank=True)
    sender_email = models.EmailField(_("sender's e-mail"), blank=True)
    service_email = models.EmailField(
        _("customer service e-mail"),
        blank=True,
        help_text=_("Customers' answers to our mails go here."),
    )
    service_telephone = models.CharField(
        _("customer service telephone"), max_length=40, blank=True
    )
    website = models.URLField(_("web site"), blank=True)
    requires_second_factor = models.BooleanField(
        _("staff must use a second factor"),
        default=False,
        help_text=_("People of this account set one up at their next login."),
    )

    objects: models.Manager[Company] = ScopedManager(tree="customer__path__startswith")

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")

    def __str__(self) -> str:
        return self.display_name or self.customer.name
