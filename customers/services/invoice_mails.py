"""Mailing invoices: new ones by themselves, any because somebody asks for it."""

from __future__ import annotations

import logging

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.einvoice.rules import RulesError
from billing.invoice_statuses import MAILED_BY_ITSELF, MAILED_WITHIN
from billing.models import Invoice
from billing.services import invoice_files
from customers import emails_of_invoices as emails
from customers.sender_book import SenderBook
from portal.core import audit
from portal.core.actor import Actor
from portal.core.models import EmailStatus, OutgoingEmail
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled

logger = logging.getLogger(__name__)

MAILED = "invoice.mailed"


def waiting(limit: int) -> list[int]:
    """Invoices that are to be mailed by themselves now, the oldest first."""
    with scopes_disabled():  # the worker serves every tenant
        rows = _to_mail().order_by("sent_at", "pk")
        return list(rows.values_list("pk", flat=True)[:limit])


def _to_mail() -> QuerySet[Invoice]:
    """Sent lately, drawn, not mailed yet, with somebody to mail them to."""
    return Invoice.objects.filter(
        is_sent_to_customer=True,
        mailed_at=None,
        sent_at__gte=timezone.now() - MAILED_WITHIN,
        drawn_at__isnull=False,
        status__in=MAILED_BY_ITSELF,
    ).exclude(account__customer__email="")


@transaction.atomic
def mail(invoice_id: int, book: SenderBook) -> OutgoingEmail | None:
    """Write the mail of one invoice, unless it is not to be or somebody did meanwhile."""
    with scopes_disabled():  # how a mail looks is told by accounts above, too
        rows = _to_mail().select_for_update(of=("self",), no_key=True, skip_locked=True)
        rows = rows.select_related(*emails.MAILED_WITH)
        invoice = rows.filter(pk=invoice_id).first()
        if invoice is None:
            return None
        email = emails.send_invoice(invoice, book)
        invoice.mailed_at = timezone.now()
        invoice.save(update_fields=["mailed_at"])
    return email


def mail_again(*, invoice: Invoice, by: Actor) -> OutgoingEmail:
    """Write the mail of an invoice now, whether it was mailed before or not.

    Raises ValidationError where the customer does not see the invoice yet, has no address,
    its file cannot be made, or a mail with it is still on its way: who clicks twice sends
    it once.
    """
    by.require(Permission.COMMERCE)
    if invoice.issuer_id != by.customer.pk:
        raise PermissionDenied
    with scopes_disabled():  # how a mail looks is told by accounts above, too
        if invoice.is_sent:
            _draw(invoice)
        return _mail_again(invoice, by)


def _draw(invoice: Invoice) -> None:
    """Before the row is held: it takes a while, and payments of it must not wait."""
    try:
        invoice_files.file_of(invoice, invoice_files.SENT[invoice.format])
    except RulesError as error:
        said = _("Its file cannot be checked at present.")
        raise ValidationError(said, code="rules") from error
    except ValidationError:
        raise
    except Exception as error:
        # As for the worker that tries it: its page says so and offers to try again.
        logger.exception("invoice %s could not be drawn to be mailed", invoice.pk)
        said = _("Its file could not be created.")
        raise ValidationError(said, code="undrawn") from error


@transaction.atomic
def _mail_again(invoice: Invoice, by: Actor) -> OutgoingEmail:
    row = (
        Invoice.objects.select_for_update(of=("self",), no_key=True)
        .select_related(*emails.MAILED_WITH)
        .get(pk=invoice.pk)
    )
    if not row.is_sent:
        raise ValidationError(_("It is not sent yet."), code="status")
    if not row.account.customer.email:
        raise ValidationError(
            _("The customer has no e-mail address for invoices."), code="no_address"
        )
    before = _mails_of(row)
    if any(email.status == EmailStatus.QUEUED for email in before):
        raise ValidationError(_("A mail with it is on its way."), code="queued")
    email = emails.send_invoice(row, SenderBook(), again=len(before))
    if row.mailed_at is None:
        row.mailed_at = timezone.now()
        row.save(update_fields=["mailed_at"])
    audit.record(MAILED, row, by=by, customer=row.account.customer)
    return email


def _mails_of(invoice: Invoice) -> list[OutgoingEmail]:
    first = emails.invoice_key(invoice)
    again = OutgoingEmail.objects.filter(key__startswith=f"{first}:")
    return [*OutgoingEmail.objects.filter(key=first), *again]
