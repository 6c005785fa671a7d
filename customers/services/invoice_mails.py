"""Mailing an invoice because somebody asks for it; `customers.jobs` mails the others."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.einvoice.rules import RulesError
from billing.invoice_statuses import SHOWN_TO_CUSTOMERS
from billing.models import Invoice
from customers import emails
from portal.core import audit
from portal.core.actor import Actor
from portal.core.models import EmailStatus, OutgoingEmail
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled

MAILED = "invoice.mailed"


@transaction.atomic
def mail_again(*, invoice: Invoice, by: Actor) -> OutgoingEmail:
    """Write the mail of an invoice now, whether it was mailed before or not.

    Raises ValidationError where the customer does not see the invoice yet, has no address,
    or a mail with it is still on its way: who clicks twice sends it once.
    """
    by.require(Permission.COMMERCE)
    if invoice.issuer_id != by.customer.pk:
        raise PermissionDenied
    with scopes_disabled():  # how a mail looks is told by accounts above, too
        row = (
            Invoice.objects.select_for_update(of=("self",), no_key=True)
            .select_related("account__customer", "issuer")
            .get(pk=invoice.pk)
        )
        if row.status not in SHOWN_TO_CUSTOMERS:
            raise ValidationError(_("It is not sent yet."), code="status")
        if not row.account.customer.email:
            raise ValidationError(
                _("The customer has no e-mail address for invoices."), code="no_address"
            )
        before = _mails_of(row)
        if any(email.status == EmailStatus.QUEUED for email in before):
            raise ValidationError(_("A mail with it is on its way."), code="queued")
        try:
            email = emails.send_invoice(row, again=len(before))
        except RulesError as error:
            said = _("Its file cannot be checked at present.")
            raise ValidationError(said, code="rules") from error
        if row.mailed_at is None:
            row.mailed_at = timezone.now()
            row.save(update_fields=["mailed_at"])
        audit.record(MAILED, row, by=by, customer=row.account.customer)
    return email


def _mails_of(invoice: Invoice) -> list[OutgoingEmail]:
    first = emails.invoice_key(invoice)
    again = OutgoingEmail.objects.filter(key__startswith=f"{first}:")
    return [*OutgoingEmail.objects.filter(key=first), *again]
