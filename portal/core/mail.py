"""The only writer of outgoing mail: rows first, sending later (design 5)."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.mime.application import MIMEApplication
from email.mime.image import MIMEImage
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, SafeMIMEMultipart
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.html import escape

from portal.core import secrets
from portal.core.actor import PersonRow, TenantRow
from portal.core.models import (
    EmailAttachment,
    EmailStatus,
    OutgoingEmail,
    StoredFile,
)
from portal.core.scope import scopes_disabled
from portal.core.smtp import PartlyRefusedError

logger = logging.getLogger(__name__)

# Stands in the stored text where the one-time link goes; the link itself is encrypted.
LINK_MARKER = "https://one-time-link.invalid/"
LOGO_ID = "logo"
# Waits after a failed attempt; after the last one the mail has failed (some 8 hours).
RETRY_AFTER = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 120, 240))
# A worker that was killed while sending holds a mail no longer than this.
LEASE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Brand:
    """How the sender looks in a mail and on signed-out pages."""

    name: str
    colour: str
    contrast: str
    sender: str
    reply_to: str = ""
    copies: tuple[str, ...] = ()  # where mails to customers go as well
    telephone: str = ""
    website: str = ""
    footer: str = ""  # in place of the name and the telephone number below a mail
    logo: bytes | None = None

    @property
    def logo_cid(self) -> str:
        return f"cid:{LOGO_ID}" if self.logo else ""


@dataclass(frozen=True, slots=True)
class OwnTexts:
    """What a sender says in its own words; the mail's templates say what is empty here.

    ``paragraphs`` are the text as safe HTML: objects with ``html`` and ``is_button``.
    ``button`` is what such a button is called.
    """

    subject: str = ""
    text: str = ""
    paragraphs: Sequence[Any] = ()
    button: str = ""


def queue_email(
    *,
    key: str,
    kind: str,
    customer: TenantRow,
    to: list[str],
    brand: Brand,
    language: str,
    context: Mapping[str, Any],
    person: PersonRow | None = None,
    one_time_link: str = "",
    own: OwnTexts | None = None,
    files: Mapping[str, StoredFile] | None = None,
) -> OutgoingEmail:
    """Write the mail `emails/<kind>/` in ``language``; it leaves after the commit.

    Telling the same ``key`` twice returns the first mail. ``files`` by name go with it.
    Templates see ``link`` where
    ``one_time_link`` will stand: such a mail opens an account, so that nobody gets a copy.
    Without a mail server the mail is kept, not sent.
    """
    from portal.core.tasks import send_email

    own = own or OwnTexts()
    rendered = {"brand": brand, "link": LINK_MARKER, "own": own, **context}
    with translation.override(language):
        subject = own.subject or render_to_string(
            f"emails/{kind}/subject.txt", rendered
        )
        rendered["subject"] = " ".join(subject.split())
        body = "emails/_own" if own.text else f"emails/{kind}/body"
        text = render_to_string(f"{body}.txt", rendered)
        html = render_to_string(f"{body}.html", rendered)
    with scopes_disabled():  # a key is told once, by whichever tenant
        email, created = OutgoingEmail.objects.get_or_create(
            key=key,
            defaults={
                "kind": kind,
                "customer_id": customer.pk,
                "person_id": person.pk if person else None,
                "to": to,
                "copy_to": []
                if one_time_link
                else [address for address in brand.copies if address not in to],
                "sender": brand.sender,
                "reply_to": brand.reply_to,
                "subject": rendered["subject"][:200],
                "text": text.strip() + "\n",
                "html": html,
                "logo": brand.logo,
                "secret": secrets.encrypt(one_time_link) if one_time_link else "",
                "status": EmailStatus.KEPT
                if settings.EMAIL_IS_KEPT
                else EmailStatus.QUEUED,
            },
        )
    if created:
        EmailAttachment.objects.bulk_create(
            EmailAttachment(email=email, name=name, file=file)
            for name, file in (files or {}).items()
        )
    if created and email.status == EmailStatus.QUEUED:
        transaction.on_commit(lambda: send_email.notify(email.pk))
    return email


def requeue(email: OutgoingEmail) -> OutgoingEmail:
    """Try a failed mail again from now; others are left as they are."""
    from portal.core.tasks import send_email

    updated = OutgoingEmail.objects.filter(
        pk=email.pk, status__in=[EmailStatus.FAILED, EmailStatus.KEPT]
    ).update(
        status=EmailStatus.KEPT if settings.EMAIL_IS_KEPT else EmailStatus.QUEUED,
        attempts=0,
        error="",
        due_at=timezone.now(),
    )
    email.refresh_from_db()
    if updated and email.status == EmailStatus.QUEUED:
        transaction.on_commit(lambda: send_email.notify(email.pk))
    return email


def with_link(text: str, email: OutgoingEmail, *, is_html: bool = False) -> str:
    """The stored text with the one-time link in its place; unchanged if it is gone."""
    if not email.secret:
        return text
    link = secrets.decrypt(email.secret)
    return text.replace(LINK_MARKER, escape(link) if is_html else link)


def send_due(email_id: int) -> EmailStatus | None:
    """Send one queued mail now if it is due; the status it then has, None if not due.

    The row is claimed first, by moving its next attempt ahead, and settled afterwards:
    two workers never send it at once, and a killed one's mail is tried again after the
    lease.
    """
    with scopes_disabled():  # the worker serves every tenant
        now = timezone.now()
        claimed = OutgoingEmail.objects.filter(
            pk=email_id, status=EmailStatus.QUEUED, due_at__lte=now
        ).update(due_at=now + LEASE, attempts=F("attempts") + 1)
        if not claimed:
            return None
        email = OutgoingEmail.objects.get(pk=email_id)
        refused = ""
        try:
            _message(email).send()
        except PartlyRefusedError as error:
            refused = _refusals(error.recipients)  # the others have it: no second time
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return _settle_failure(email, error)
        OutgoingEmail.objects.filter(pk=email.pk).update(
            status=EmailStatus.SENT, sent_at=timezone.now(), secret="", error=refused
        )
        return EmailStatus.SENT


def due_email_ids(limit: int = 500) -> list[int]:
    """Mails whose time has come, oldest first: what a lost message left behind."""
    with scopes_disabled():  # the sweep serves every tenant
        return list(
            OutgoingEmail.objects.filter(
                status=EmailStatus.QUEUED, due_at__lte=timezone.now()
            )
            .order_by("due_at")
            .values_list("pk", flat=True)[:limit]
        )


class _Mail(EmailMultiAlternatives):
    """A mail with files beside a body that has its logo in itself (RFC 2387)."""

    files: Sequence[EmailAttachment] = ()

    def message(self, *, policy: Any = None) -> Any:
        body: Any = super().message()
        if not self.files:
            return body
        whole = SafeMIMEMultipart("mixed", encoding="utf-8")
        for name, value in body.items():
            if not name.lower().startswith(("content-", "mime-")):
                whole[name] = value
                del body[name]
        whole.attach(body)
        for attachment in self.files:
            kind = attachment.file.content_type.partition("/")[2]
            part = MIMEApplication(bytes(attachment.file.data), kind)
            part.add_header(
                "Content-Disposition", "attachment", filename=attachment.name
            )
            whole.attach(part)
        return whole


def _message(email: OutgoingEmail) -> EmailMultiAlternatives:
    message = _Mail(
        subject=email.subject,
        body=with_link(email.text, email),
        from_email=email.sender,
        to=email.to,
        cc=email.copy_to,
        reply_to=[email.reply_to] if email.reply_to else None,
        # The same at every attempt, so a mail accepted twice is shown once.
        headers={
            "Message-ID": f"<trunkline-{email.pk}@{_domain(email.sender)}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    if email.html:
        message.attach_alternative(
            with_link(email.html, email, is_html=True), "text/html"
        )
    if email.logo:
        message.mixed_subtype = "related"  # type: ignore[attr-defined]
        image = MIMEImage(bytes(email.logo), "png")
        image.add_header("Content-ID", f"<{LOGO_ID}>")
        image.add_header("Content-Disposition", "inline", filename="logo.png")
        message.attach(image)
    message.files = list(email.attachments.select_related("file"))
    return message


def _domain(sender: str) -> str:
    return sender.rstrip(">").rpartition("@")[2] or "localhost"


def _settle_failure(email: OutgoingEmail, error: Exception) -> EmailStatus:
    """Try again later, or give up: at once when the server said that it is final."""
    is_final = email.attempts > len(RETRY_AFTER) or _is_final(error)
    status = EmailStatus.FAILED if is_final else EmailStatus.QUEUED
    logger.warning("mail %s not sent (attempt %s): %s", email.pk, email.attempts, error)
    values: dict[str, Any] = {"status": status, "error": _reason(error)}
    if not is_final:
        values["due_at"] = timezone.now() + RETRY_AFTER[email.attempts - 1]
    OutgoingEmail.objects.filter(pk=email.pk).update(**values)
    return status


def _is_final(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _text in error.recipients.values())
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return False  # the operator will mend the password; the mail is not at fault
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, ValueError)


def _reason(error: Exception) -> str:
    """What the mail server said, or why it could not be asked; for people."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _refusals(error.recipients)
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decode(error.smtp_error)}"[:500]
    return (str(error) or type(error).__name__)[:500]


def _refusals(recipients: Mapping[str, tuple[int, bytes]]) -> str:
    parts = [
        f"{address}: {code} {_decode(text)}"
        for address, (code, text) in recipients.items()
    ]
    return "; ".join(parts)[:500]


def _decode(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text
