from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StoredFile(models.Model):
    """A file that was made once and stays as it is: kept where every host has it.

    Who may read it is said by the rows that refer to it; it has no tenant of its own.
    """

    content_type = models.CharField(_("content type"), max_length=80)
    data = models.BinaryField(_("file"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")

    def __str__(self) -> str:
        return f"{self.content_type} {self.pk}"
