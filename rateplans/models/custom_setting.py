from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from rateplans.choices import CustomName, CustomReach
from rateplans.models.plan import RatePlan
from rateplans.texts import LONGEST_TEXT


class CustomSetting(models.Model):
    """A text of a plan's own in place of the portal's: in the foot, or in a kind of mail (D 9).

    It holds for the customers on the plan and for those below them, as far as ``reach``
    goes, unless a plan nearer to the customer says something else. Which variables the
    value may name is told by rateplans.texts.
    """

    plan = models.ForeignKey(
        RatePlan,
        verbose_name=_("rate plan"),
        on_delete=models.CASCADE,
        related_name="customs",
    )
    name = models.CharField(_("what"), max_length=40, choices=CustomName.choices)
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        help_text=_("Of the mail. A text in its language goes before one for all."),
    )
    reach = models.CharField(
        _("for"),
        max_length=10,
        choices=CustomReach.choices,
        default=CustomReach.EVERYBODY,
    )
    value = models.TextField(_("text"), max_length=LONGEST_TEXT)
    created_at = models.DateTimeField(
        _("created"), default=timezone.now, editable=False
    )

    objects: models.Manager[CustomSetting] = ScopedManager(
        tree="plan__owner__path__startswith"
    )

    class Meta:
        ordering = ("plan", "name", "language", "reach")
        verbose_name = _("custom setting")
        verbose_name_plural = _("custom settings")
        constraints = (
            models.UniqueConstraint(
                fields=["plan", "name", "language", "reach"],
                name="custom_setting_once_per_plan",
                violation_error_message=_(
                    "The plan has this setting already, for the same language and the"
                    " same customers."
                ),
            ),
            models.CheckConstraint(
                name="custom_setting_is_not_empty", condition=~Q(value="")
            ),
        )

    def __str__(self) -> str:
        return str(self.get_name_display())

    @property
    def language_name(self) -> str:
        """In the active language; empty where it is for all."""
        return str(dict(settings.LANGUAGES).get(self.language, self.language))
