from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from portal.core.validators import validate_emails


class Mailbox(models.Model):
    """A place for voice messages, opened by its number and PIN."""

    customer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="mailboxes",
    )
    name = models.CharField(_("name"), max_length=80)
    box_number = models.CharField(
        _("mailbox number"),
        max_length=16,
        validators=[RegexValidator(r"^\+?[0-9]{2,15}$", _("Enter 2 to 15 digits."))],
    )
    # Hashed like a password: the PIN typed on the telephone is compared, never shown.
    pin = models.CharField(max_length=128, editable=False)
    emails = models.CharField(
        _("e-mail for new messages"),
        max_length=500,
        blank=True,
        validators=[validate_emails],
    )
    is_audio_attached = models.BooleanField(_("attach the recording"), default=True)
    is_deleted_after_mail = models.BooleanField(
        _("delete messages once mailed"), default=False
    )
    maximum = models.PositiveIntegerField(
        _("maximum messages"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text=_("Leave empty for the customer's maximum."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(
        _("created"), default=timezone.now, editable=False
    )

    objects: models.Manager[Mailbox] = ScopedManager(tree="customer__path__startswith")

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        constraints = (
            models.UniqueConstraint(
                fields=["customer", "box_number"],
                name="mailbox_number_once_per_customer",
                violation_error_message=_("Another mailbox has this number."),
            ),
        )
        indexes = (
            models.Index(fields=["customer", "name", "id"], name="mailbox_by_name"),
        )

    def __str__(self) -> str:
        return self.name
