"""The files of issued invoices: drawn once from what is frozen, then kept.

Each may be drawn by a worker after the invoice was issued, or when somebody first asks for
it: the bytes are the same.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from billing.choices import FileKind
from billing.documents.pdf import render_pdf
from billing.einvoice.cii import cii
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.content import Content, thaw
from billing.models import Invoice, InvoiceFile, InvoiceLogo
from portal.core.models import StoredFile
from portal.core.scope import scopes_disabled
from rateplans.choices import InvoiceFormat

CONTENT_TYPES = {
    FileKind.PDF: "application/pdf",
    FileKind.UBL: "application/xml",
    FileKind.CII: "application/xml",
}
# What goes to the customer, by the format it wants.
SENT: dict[str, FileKind] = {
    InvoiceFormat.PDF: FileKind.PDF,
    InvoiceFormat.XML: FileKind.UBL,
}


def draw(invoice_id: int) -> None:
    """Make the file that is sent, and note that it is there. Doing it again does nothing."""
    with scopes_disabled():  # the worker serves every tenant
        invoice = Invoice.objects.filter(pk=invoice_id, drawn_at=None).first()
        if invoice is None or not invoice.is_issued:
            return
        file_of(invoice, SENT[invoice.format])
        Invoice.objects.filter(pk=invoice_id, drawn_at=None).update(
            drawn_at=timezone.now()
        )


def file_of(invoice: Invoice, kind: FileKind) -> StoredFile:
    """The file of an issued invoice; drawn and kept if nobody asked for it before.

    Raises ValidationError if an XML breaks the rules of electronic invoices, with those
    rules: it must not leave. Raises RulesError if they cannot be asked.
    """
    kept = InvoiceFile.objects.filter(invoice=invoice, kind=kind).select_related("file")
    if found := kept.first():
        return found.file
    data = bytes_of(thaw(invoice.content), kind)
    with transaction.atomic():
        # Two who ask at once: the second waits here, and finds the file of the first.
        Invoice.objects.select_for_update(of=("self",)).get(pk=invoice.pk)
        if found := kept.first():
            return found.file
        file = StoredFile.objects.create(content_type=CONTENT_TYPES[kind], data=data)
        InvoiceFile.objects.create(invoice=invoice, kind=kind, file=file)
    return file


def file_name(invoice: Invoice, kind: FileKind) -> str:
    """What the file is called where it is saved: number and kind."""
    number = "".join(c if c.isalnum() or c in "-_." else "-" for c in invoice.number)
    ending = {FileKind.PDF: ".pdf", FileKind.UBL: ".xml", FileKind.CII: "-cii.xml"}
    return f"{number}{ending[kind]}"


def bytes_of(content: Content, kind: FileKind, *, preview: bool = False) -> bytes:
    """A document's file. Raises as `file_of` does."""
    if kind == FileKind.UBL:
        return _checked(ubl(content.document), Syntax.UBL)
    if kind == FileKind.CII:
        return _checked(cii(content.document), Syntax.CII)
    xml = None if preview else _xml_if_valid(content)
    return render_pdf(content, logo=_logo(content), xml=xml, preview=preview)


def _checked(document: bytes, syntax: Syntax) -> bytes:
    if broken := findings(document, syntax):
        raise ValidationError(
            [f"{finding.rule}: {finding.text}" for finding in broken], code="rules"
        )
    return document


def _xml_if_valid(content: Content) -> bytes | None:
    """What is put into the PDF: nothing rather than something that breaks the rules."""
    document = cii(content.document)
    return None if findings(document, Syntax.CII) else document


def _logo(content: Content) -> bytes | None:
    if not content.look.logo:
        return None
    kept = InvoiceLogo.objects.filter(hash=content.look.logo).first()
    return bytes(kept.data) if kept else None
