"""The files of an invoice, for both who may have them."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from billing.choices import FileKind
from billing.einvoice.rules import RulesError
from billing.models import Invoice
from billing.services import invoice_files
from billing.views.invoice_pages import InvoicePage, IssuedPage, ReceivedPage

logger = logging.getLogger(__name__)


class InvoiceFileView(InvoicePage):
    """Base of the downloads; a file is made when it is asked for, if it was not before."""

    kind: FileKind = FileKind.PDF

    def get(self, request: Any, pk: int) -> HttpResponseBase:
        invoice = get_object_or_404(
            self.get_queryset().defer(None).exclude(number=""), pk=pk
        )
        try:
            file = invoice_files.file_of(invoice, self.kind)
        except ValidationError as error:
            return self._refused(invoice, " ".join(error.messages))
        except RulesError:
            logger.exception("the rules of invoice %s could not be asked", invoice.pk)
            return self._refused(invoice, _("It cannot be checked at present."))
        name = invoice_files.file_name(invoice, self.kind)
        return HttpResponse(
            bytes(file.data),
            content_type=file.content_type,
            headers={
                "Content-Disposition": content_disposition_header(True, name) or "",
                "Cache-Control": "private, no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )

    def _refused(self, invoice: Invoice, reason: str) -> HttpResponseBase:
        said = _("This file cannot be made: %(reason)s") % {"reason": reason}
        messages.error(self.request, said)
        return self.redirect(self.invoice_url(invoice))


class IssuedFile(IssuedPage, InvoiceFileView):
    pass


class OwnFile(ReceivedPage, InvoiceFileView):
    pass
