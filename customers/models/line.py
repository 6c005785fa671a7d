from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from portal.core.validators import validate_number

validate_sip_username = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9_.+-]{2,39}$|^\+[0-9]{3,15}$",
    _("Use 3 to 40 letters, digits, dots, dashes or underscores."),
)


class TelephoneLine(models.Model):
    """A SIP account: what a telephone registers with, and what calls ring at."""

    customer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="lines",
    )
    name = models.CharField(_("name"), max_length=80)
    username = models.CharField(
        _("SIP user name"),
        max_length=40,
        validators=[validate_sip_username],
        help_text=_("The telephone registers with it. Unique in the system."),
    )
    # Encrypted (portal.core.secrets): SIP digest authentication needs the clear text.
    password = models.TextField(editable=False)
    extension = models.CharField(
        _("extension"),
        max_length=10,
        blank=True,
        validators=[RegexValidator(r"^[0-9]*$", _("Enter digits only."))],
        help_text=_("Short number that colleagues dial."),
    )
    callerid = models.CharField(
        _("caller id"),
        max_length=16,
        blank=True,
        validators=[validate_number],
        help_text=_("Leave empty for the customer's default caller id."),
    )
    dial_plan = models.ForeignKey(
        "customers.DialPlan",
        verbose_name=_("dial plan"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    mailbox = models.ForeignKey(
        "customers.Mailbox",
        verbose_name=_("mailbox"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="lines",
    )
    is_external_allowed = models.BooleanField(_("external calls allowed"), default=True)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(
        _("created"), default=timezone.now, editable=False
    )

    objects: models.Manager[TelephoneLine] = ScopedManager(
        tree="customer__path__startswith"
    )

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("telephone line")
        verbose_name_plural = _("telephone lines")
        constraints = (
            models.UniqueConstraint(
                Lower("username"),
                name="line_username_once",
                violation_error_message=_("This SIP user name is taken."),
            ),
            models.UniqueConstraint(
                fields=["customer", "extension"],
                name="line_extension_once_per_customer",
                condition=~models.Q(extension=""),
                violation_error_message=_("Another line has this extension."),
            ),
        )
        indexes = (
            models.Index(fields=["customer", "name", "id"], name="line_by_name"),
        )

    def __str__(self) -> str:
        return self.name
