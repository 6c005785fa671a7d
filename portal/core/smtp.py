"""Sending by SMTP so that no refusal goes unnoticed.

Python's client is content when at least one recipient was accepted; the others would then
wait for a mail that nobody knows they never got.
"""

from __future__ import annotations

import smtplib
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as DjangoBackend


class PartlyRefusedError(smtplib.SMTPException):
    """Delivered to some recipients; ``recipients`` are the others, with the reasons."""

    def __init__(self, recipients: dict[str, tuple[int, bytes]]) -> None:
        super().__init__(recipients)
        self.recipients = recipients


class _Telling(smtplib.SMTP):
    def sendmail(self, *args: Any, **kwargs: Any) -> dict[str, tuple[int, bytes]]:
        refused = super().sendmail(*args, **kwargs)
        if refused:
            raise PartlyRefusedError(refused)
        return refused


class _TellingSecurely(_Telling, smtplib.SMTP_SSL):
    pass


class EmailBackend(DjangoBackend):
    """Django's, but raises PartlyRefusedError when some recipients were refused."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _TellingSecurely if self.use_ssl else _Telling
