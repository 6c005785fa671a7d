"""The files of issued invoices: drawn once from what is frozen, then kept.

A worker draws them all after the invoice was issued (`invoice_drawing`); who asks for one
before has it drawn at once, and the bytes are the same.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from billing.choices import FileKind
from billing.documents.pdf import render_pdf
from billing.einvoice.cii import cii
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.content import Content, thaw
from billing.models import Invoice, InvoiceFile, InvoiceLogo
from portal.core.models import StoredFile
from rateplans.choices import InvoiceFormat

logger = logging.getLogger(__name__)

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


def draw_all(invoice: Invoice) -> None:
    """Make and keep every kind of file of an issued invoice, the one that is sent first.

    So each XML is judged once, by the rules of its time: what was right when it was issued
    stays to be had. One that breaks them is left out, and the log says so. Raises as
    `file_of` does for the kind that is sent.
    """
    content = thaw(invoice.content)
    sent = SENT[invoice.format]
    made: dict[FileKind, bytes] = {}
    for kind in sorted(
        {sent, FileKind.PDF, FileKind.UBL}, key=lambda kind: kind != sent
    ):
        try:
            made |= _make(invoice, content, kind)
        except ValidationError as error:
            if kind == sent:
                raise
            _warn(invoice, kind, error)
    _keep(invoice, made)


def file_of(invoice: Invoice, kind: FileKind) -> StoredFile:
    """The file of an issued invoice; drawn and kept if nobody asked for it before.

    Raises ValidationError if an XML breaks the rules of electronic invoices, with those
    rules: it must not leave. Raises RulesError if they cannot be asked.
    """
    found = _kept(invoice).filter(kind=kind).first()
    if found is not None:
        return found.file
    return _keep(invoice, _make(invoice, thaw(invoice.content), kind))[kind]


def sent_file(invoice: Invoice) -> StoredFile:
    """What is attached to mails, without its data; it has been drawn."""
    kept = _kept(invoice).defer("file__data")
    return kept.get(kind=SENT[invoice.format]).file


def _kept(invoice: Invoice) -> QuerySet[InvoiceFile]:
    return InvoiceFile.objects.filter(invoice=invoice).select_related("file")


def _make(invoice: Invoice, content: Content, kind: FileKind) -> dict[FileKind, bytes]:
    """The file of that kind; a PDF with the XML that is put into it, if that is valid."""
    if kind != FileKind.PDF:
        return {kind: _xml(content, kind)}
    made: dict[FileKind, bytes] = {}
    kept = _kept(invoice).filter(kind=FileKind.CII).first()
    try:
        xml = bytes(kept.file.data) if kept else _xml(content, FileKind.CII)
        made[FileKind.CII] = xml
    except ValidationError as error:
        _warn(invoice, FileKind.CII, error)
    logo = _logo(content)
    made[kind] = render_pdf(content, logo=logo, xml=made.get(FileKind.CII))
    return made


def _warn(invoice: Invoice, kind: FileKind, error: ValidationError) -> None:
    said = "; ".join(error.messages)
    logger.warning("invoice %s is left without its %s: %s", invoice.number, kind, said)


def _keep(
    invoice: Invoice, made: Mapping[FileKind, bytes]
) -> dict[FileKind, StoredFile]:
    """Keep what was made, unless another was quicker: then its file is the one."""
    with transaction.atomic():
        # Two who make them at once: the second waits here, and finds those of the first.
        rows = Invoice.objects.select_for_update(of=("self",), no_key=True)
        rows.only("pk").get(pk=invoice.pk)
        present = {row.kind: row.file for row in _kept(invoice).filter(kind__in=made)}
        new = {kind: data for kind, data in made.items() if kind not in present}
        files = StoredFile.objects.bulk_create(
            StoredFile(content_type=CONTENT_TYPES[kind], data=data)
            for kind, data in new.items()
        )
        InvoiceFile.objects.bulk_create(
            InvoiceFile(invoice=invoice, kind=kind, file=file)
            for kind, file in zip(new, files, strict=True)
        )
    present.update(zip(new, files, strict=True))
    return {FileKind(kind): file for kind, file in present.items()}


def file_name(invoice: Invoice, kind: FileKind) -> str:
    """What the file is called where it is saved: number and kind."""
    number = "".join(c if c.isalnum() or c in "-_." else "-" for c in invoice.number)
    ending = {FileKind.PDF: ".pdf", FileKind.UBL: ".xml", FileKind.CII: "-cii.xml"}
    return f"{number}{ending[kind]}"


def preview(content: Content) -> bytes:
    """The PDF of what is not issued yet: marked as that, and no electronic invoice."""
    return render_pdf(content, logo=_logo(content), xml=None, preview=True)


def _xml(content: Content, kind: FileKind) -> bytes:
    if kind == FileKind.UBL:
        return _checked(ubl(content.document), Syntax.UBL)
    return _checked(cii(content.document), Syntax.CII)


def _checked(document: bytes, syntax: Syntax) -> bytes:
    if broken := findings(document, syntax):
        raise ValidationError(
            [f"{finding.rule}: {finding.text}" for finding in broken], code="rules"
        )
    return document


def _logo(content: Content) -> bytes | None:
    if not content.look.logo:
        return None
    kept = InvoiceLogo.objects.filter(hash=content.look.logo).first()
    return bytes(kept.data) if kept else None
