"""What the pages of bank statements have in common."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.choices import ImportLineState
from billing.models import PaymentImport, PaymentImportLine
from billing.views.account_parts import amount_cell
from billing.views.run_control import pace_text
from portal.core.money import plain_amount
from portal.core.permissions import Permission
from portal.core.urls import account_url
from portal.core.views import Crumb, PortalView

LIST = "billing:import-list"


class ImportPage(PortalView):
    permission = Permission.COMMERCE

    def breadcrumbs(self) -> list[Crumb]:
        return [
            Crumb(_("Payments"), self.url("billing:payment-list")),
            Crumb(_("Bank statements"), self.url(LIST)),
        ]

    def imports(self) -> QuerySet[PaymentImport]:
        return PaymentImport.objects.filter(owner=self.actor.customer.pk)

    @cached_property
    def source(self) -> PaymentImport:
        return get_object_or_404(
            self.imports().select_related("owner"), pk=self.kwargs["pk"]
        )

    def source_url(self) -> str:
        return self.url("billing:import-detail", pk=self.source.pk)


def line_amount(line: PaymentImportLine) -> SafeString | str:
    """The amount of a line, in its invoice's currency where it names none."""
    if line.amount is None:
        return "–"
    currency = line.currency or (line.invoice.currency if line.invoice else "")
    if not currency:
        return format_html('<span class="amount">{}</span>', plain_amount(line.amount))
    return amount_cell(line.amount, currency)


def progress_of(source: PaymentImport) -> dict[str, Any]:
    """What `billing/payment_imports/_progress.html` shows."""
    assert source.booking_since is not None
    left = source.lines.filter(state=ImportLineState.EXACT).count()
    done = max(0, source.to_book - left)
    text = ngettext(
        "%(done)s of %(total)s line", "%(done)s of %(total)s lines", source.to_book
    )
    owner = source.owner_id
    return {
        "url": account_url(owner, "billing:import-progress", pk=source.pk),
        "stop_url": account_url(owner, "billing:import-stop", pk=source.pk),
        "line": {
            "id": "import-booking",
            "label": _("Booking the sure payments"),
            "done": done,
            "total": source.to_book,
            "text": text % {"done": done, "total": source.to_book},
            "estimate": pace_text(source.booking_since, done, left),
        },
    }
