from __future__ import annotations

from django.conf import settings
from django.db import models


class Submission(models.Model):
    """A form that was saved, by the one-time token it carried: a double click saves once."""

    token = models.UUIDField(primary_key=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.token} → {self.url}"
