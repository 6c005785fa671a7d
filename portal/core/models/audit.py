from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager


class AuditEvent(models.Model):
    """Something a person did, once and for all: rows are written by portal.core.audit only.

    Names are copied, because what they name may be renamed or purged later. ``path`` is the
    place of the account in the tree at that time: it decides who may read the row.
    """

    at = models.DateTimeField(_("time"), auto_now_add=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text=_("Who logged in, whoever they were acting as."),
    )
    person_name = models.CharField(_("person's name"), max_length=150, blank=True)
    acting_as = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("acting as"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    acting_as_name = models.CharField(_("acting as, name"), max_length=150, blank=True)
    customer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text=_("The account it happened in."),
    )
    customer_name = models.CharField(_("customer's name"), max_length=120)
    path = models.CharField(max_length=1000, db_collation="C")
    source_ip = models.GenericIPAddressField(_("source address"), null=True, blank=True)
    action = models.CharField(_("action"), max_length=60)
    object_type = models.CharField(_("object type"), max_length=60)
    object_id = models.BigIntegerField(_("object id"), null=True)
    object_name = models.CharField(_("object"), max_length=200)

    objects: models.Manager[AuditEvent] = ScopedManager(tree="path__startswith")

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = (
            models.Index(
                fields=["object_type", "object_id", "-id"], name="audit_object_newest"
            ),
            models.Index(fields=["path", "-id"], name="audit_path_newest"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.object_name}"


class AuditChange(models.Model):
    """One field an event changed: what it was and what it became, as shown to people."""

    event = models.ForeignKey(
        AuditEvent,
        on_delete=models.CASCADE,
        related_name="changes",
        verbose_name=_("event"),
    )
    field = models.CharField(_("field"), max_length=60)
    old = models.TextField(_("old value"), blank=True)
    new = models.TextField(_("new value"), blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("change")
        verbose_name_plural = _("changes")

    def __str__(self) -> str:
        return f"{self.field}: {self.old} → {self.new}"
