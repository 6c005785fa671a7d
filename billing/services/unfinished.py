"""What an account's present provider or billing type has still to put on an invoice."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import keys
from billing.choices import InvoiceOccasion, InvoiceStatus
from billing.models import BillingAccount, Invoice
from billing.services import invoices
from billing.services.invoice_drafts import entries_of
from billing.services.settlements import open_invoices
from billing.types import rules_of
from portal.core.actor import Actor
from portal.core.money import ZERO, format_money


def leave_provider(account: BillingAccount, *, by: Actor) -> None:
    """Issue the provider's last invoice, so that the next one has nothing of it to invoice.

    Raises ValidationError where something of an invoice, that one or an earlier, is to be
    paid, or where one is held back; ``account`` is locked, so none is issued meanwhile.
    """
    if open_invoices(account).exists():
        raise ValidationError(
            _(
                "Invoices are open: they are to be paid to the present parent, or"
                " credited."
            ),
            code="open_invoices",
        )
    if Invoice.objects.filter(account=account, status=InvoiceStatus.PENDING).exists():
        raise ValidationError(
            _("An invoice is held back: it is the present parent's to issue."),
            code="held_back",
        )
    if not rules_of(account.bill_type).has_invoices_on_request:
        return
    last = invoices.issue(
        account.pk,
        occasion=InvoiceOccasion.REQUEST,
        key=keys.requested_invoice(f"leaving:{timezone.now().isoformat()}"),
        by=by,
    )
    if last is not None and not last.is_issued:
        reasons = " ".join(gap["text"] for gap in last.gaps)
        raise ValidationError(
            _("The present parent's last invoice cannot be issued: %(reasons)s")
            % {"reasons": reasons},
            code="held_back",
        )
    if last is not None and last.payable:
        raise ValidationError(
            _(
                "%(amount)s is on no invoice yet: the present parent has to invoice it,"
                " and it is to be paid."
            )
            % {"amount": format_money(last.payable, account.currency)},
            code="not_invoiced",
        )


def refuse_to_leave_bill_type(account: BillingAccount) -> None:
    """What is kept off the balance is only ever asked for by an invoice (D 1.5).

    Raises ValidationError where such charges are on none yet; ``account`` has the billing
    type that it is about to leave. More given back than charged holds nothing up.
    """
    if rules_of(account.bill_type).transactions_move_balance:
        return
    waiting = entries_of(account.pk).filter(invoice=None, is_on_balance=False)
    charged = -sum(waiting.values_list("amount", flat=True), ZERO)
    if charged > 0:
        raise ValidationError(
            _("%(amount)s is charged and on no invoice yet. Make that invoice first.")
            % {"amount": format_money(charged, account.currency)},
            code="not_invoiced",
        )
