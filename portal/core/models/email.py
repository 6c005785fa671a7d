from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager


class EmailStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    KEPT = "kept", _("Kept")


class OutgoingEmail(models.Model):
    """A mail that must go out. The row is the truth; the queue only says "look now".

    ``text`` and ``html`` are final, except that a one-time link stands in them as a marker:
    the link itself is encrypted in ``secret`` and forgotten once the mail is sent, so nobody
    reading old rows can sign in with it.
    """

    key = models.CharField(
        max_length=120,
        unique=True,
        help_text=_("Names the event told; telling it twice makes one mail."),
    )
    kind = models.CharField(_("kind"), max_length=40)
    customer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="emails",
        help_text=_("Whom the mail is about."),
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    to = ArrayField(models.EmailField(max_length=254), verbose_name=_("to"))
    copy_to = ArrayField(
        models.EmailField(max_length=254),
        verbose_name=_("copy to"),
        default=list,
        blank=True,
    )
    sender = models.CharField(_("from"), max_length=320)
    reply_to = models.EmailField(_("reply to"), blank=True)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    logo = models.BinaryField(null=True, blank=True, editable=False)
    secret = models.TextField(blank=True, editable=False)
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=EmailStatus.choices,
        default=EmailStatus.QUEUED,
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    error = models.CharField(_("error"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    objects: models.Manager[OutgoingEmail] = ScopedManager(
        tree="customer__path__startswith"
    )

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        constraints = (
            models.CheckConstraint(
                name="email_sent_has_time",
                condition=~Q(status="sent") | Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="email_sent_holds_no_secret",
                condition=~Q(status="sent") | Q(secret=""),
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at"], name="email_due", condition=Q(status="queued")
            ),
            models.Index(fields=["customer", "-id"], name="email_customer_newest"),
        )

    def __str__(self) -> str:
        return f"{self.subject} ({self.get_status_display()})"


class EmailAttachment(models.Model):
    """A file that goes with a mail."""

    email = models.ForeignKey(
        OutgoingEmail,
        verbose_name=_("e-mail"),
        on_delete=models.CASCADE,
        related_name="attachments",
    )
    name = models.CharField(_("name"), max_length=120)
    file = models.ForeignKey(
        "core.StoredFile",
        verbose_name=_("file"),
        on_delete=models.PROTECT,
        related_name="+",
    )

    objects: models.Manager[EmailAttachment] = ScopedManager(
        tree="email__customer__path__startswith"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return self.name
