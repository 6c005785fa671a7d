from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager


class Switch(models.Model):
    """A person inside a customer's account, for a while (design 3, D 7.5).

    Belongs to one browser session: signing out or signing in elsewhere does not carry it.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        related_name="switches",
    )
    session_key = models.CharField(max_length=40, editable=False)
    customer = models.ForeignKey(
        "customers.Customer",
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="switches",
    )
    acting_as = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("acting as"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True)
    expires_at = models.DateTimeField(_("ends at the latest"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects: models.Manager[Switch] = ScopedManager(tree="customer__path__startswith")

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("switch")
        verbose_name_plural = _("switches")
        constraints = (
            models.UniqueConstraint(
                fields=["session_key", "customer"],
                name="switch_open_once_per_session",
                condition=models.Q(ended_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} → {self.acting_as}"
