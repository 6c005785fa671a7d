from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager


class Note(models.Model):
    """What a reseller writes down about a customer; the customer never sees it (D 2.5)."""

    customer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="notes",
        help_text=_("Whom the note is about."),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    author_name = models.CharField(_("author's name"), max_length=150)
    subject = models.CharField(_("subject"), max_length=120)
    body = models.TextField(_("note"), blank=True, max_length=10_000)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: models.Manager[Note] = ScopedManager(tree="customer__path__startswith")

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("note")
        verbose_name_plural = _("notes")

    def __str__(self) -> str:
        return self.subject
