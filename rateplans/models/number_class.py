from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class NumberClass(models.Model):
    """How desirable a number is (D 8): Normal, Bronze, Silver, Gold; plans price classes."""

    name = models.CharField(_("name"), max_length=40)
    description = models.TextField(_("description"), blank=True)
    rank = models.PositiveSmallIntegerField(
        _("rank"), default=0, help_text=_("Classes are listed from the lowest rank up.")
    )

    class Meta:
        ordering = ("rank", "name")
        verbose_name = _("number class")
        verbose_name_plural = _("number classes")
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                name="number_class_name_once",
                violation_error_message=_("There is a number class of this name."),
            ),
        )

    def __str__(self) -> str:
        return self.name
