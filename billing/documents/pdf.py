"""An invoice or credit note as PDF/A-3b, with its XML inside where there is one.

WeasyPrint lays out what people read first. Rows of any number are a list behind it, drawn by
ReportLab: WeasyPrint needs 8 milliseconds for each row of a table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from io import BytesIO
from typing import Any

import msgspec
import segno
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from billing.documents import drawing, engine, fitting, front, joining, metadata
from billing.documents.columns import (
    Columns,
    column_labels,
    columns_of,
    payments_of,
    payments_title,
    tax_wrapper,
    wrapper,
)
from billing.documents.drawing import Placed
from billing.documents.figures import Figures
from billing.documents.imprint import imprint
from billing.documents.listing import Page, pages
from billing.documents.palette import Palette
from billing.documents.paper import MARGIN_LEFT, paper_of
from billing.invoicing.content import Content, freeze

# What WeasyPrint lays out at once grows with its pages: 4 megabytes for each.
PAGES_AT_ONCE = 16
VARIANT = "pdf/a-3b"


def render_pdf(
    content: Content,
    *,
    logo: bytes | None = None,
    xml: bytes | None = None,
    preview: bool = False,
) -> bytes:
    """Draw a document. The same content gives the same bytes, and nothing is fetched.

    ``xml`` is its CII form, embedded as Factur-X wants it; ``preview`` marks every page as
    not being an invoice.
    """
    with translation.override(content.language):
        return _Drawing(content, logo=logo, preview=preview).pdf(xml)


class _Drawing:
    """One document in the making."""

    def __init__(self, content: Content, *, logo: bytes | None, preview: bool) -> None:
        self.content = content
        self.logo = logo
        self.preview = preview
        document = content.document
        self.figures = Figures(content.language, document.currency)
        self.palette = Palette.of(content.look.colour)
        self.paper = paper_of(document.seller.address.country)

    def pdf(self, xml: bytes | None) -> bytes:
        """On one page where all fits there; else rows and payments are a list behind it."""
        has_list = bool(self.content.payments) or any(
            section.rows for section in self.content.sections
        )
        spacing = fitting.spacing_for(self.content, self.columns, self.paper)
        if spacing or not has_list:
            document = self._rendered(self._html(spacing=spacing or fitting.TIGHT))
            if len(document.pages) == 1 or not has_list:
                return self._written(document, xml)
        listing, fronts = self._listing(), 1
        document = self._with_stationery(listing, fronts)
        if len(document.pages) - 1 != fronts:
            # It is longer than a page, which moves the numbers of all that follow.
            fronts = len(document.pages) - 1
            document = self._with_stationery(listing, fronts)
        body, left_over = drawing.draw(
            listing,
            self.columns,
            figures=self.figures,
            palette=self.palette,
            paper=self.paper,
            fronts=fronts,
        )
        return joining.join(self._written(document, xml), body, self._layers(left_over))

    @cached_property
    def columns(self) -> Columns:
        """Of all rows, wherever they are drawn."""
        content = self.content
        payments = payments_of(content)
        sections = [*content.sections, *([payments] if payments else [])]
        net: Decimal = content.document.totals.lines
        return columns_of(sections, net, self.figures, self.paper)

    def _listing(self) -> list[Page]:
        content, columns = self.content, self.columns
        has_rows = any(section.rows for section in content.sections)
        return pages(
            content.sections if has_rows else (),
            capacity=drawing.capacity(self.paper),
            wrap=wrapper(columns.text_width),
            wrap_taxes=tax_wrapper(columns.tax_width),
            total=content.document.totals.lines,
            payments=payments_of(content),
        )

    def _with_stationery(self, listing: Sequence[Page], fronts: int) -> Any:
        """The front, and behind it head and foot of the list's pages as one more page."""
        html = self._html(listed_from=fronts + 1, total_pages=fronts + len(listing))
        return self._rendered(html)

    def _layers(self, left_over: Sequence[Sequence[Placed]]) -> Iterator[bytes]:
        """The texts that the list leaves to Pango, if any, as pages to lie under its own."""
        if not any(left_over):
            return
        for start in range(0, len(left_over), PAGES_AT_ONCE):
            sheets = left_over[start : start + PAGES_AT_ONCE]
            html = format_html(
                '<!DOCTYPE html><html lang="{}"><body>{}</body></html>',
                self.content.language,
                format_html_join(
                    "",
                    '<section class="stationery">{}</section>',
                    ((_placed(texts),) for texts in sheets),
                ),
            )
            layer: bytes = self._rendered(html).write_pdf(pdf_variant=VARIANT)
            yield layer

    def _html(
        self,
        *,
        spacing: fitting.Spacing = fitting.ROOMY,
        listed_from: int = 0,
        total_pages: int = 0,
    ) -> str:
        content, figures = self.content, self.figures
        document = content.document
        shown = front.sections(content, figures, with_rows=not listed_from)
        context = {
            "content": content,
            "look": content.look,
            "logo": self.logo,
            "preview": self.preview,
            "paper": self.paper,
            "spacing": spacing,
            "created": document.issued_on.isoformat(),
            "sender": front.sender(content),
            "is_tall": front.is_tall(content),
            "title": front.title(content),
            "subtitle": front.subtitle(content, figures),
            "facts": front.facts(content, figures),
            "key_figures": front.key_figures(content, figures),
            "has_long_figures": front.has_long_figures(content, figures),
            "sections": shown,
            "columns": front.columns(shown),
            "labels": column_labels(figures),
            "sums": front.sums(content, figures),
            "movements_title": payments_title(content),
            "movements": [] if listed_from else front.movements(content, figures),
            "vat_remarks": front.vat_remarks(content, figures),
            "about_rows": front.about_rows(content, listed_from),
            "how_to_pay": front.how_to_pay(document, figures),
            "payment_details": front.payment_details(document.payment),
            "imprint": imprint(content, self.paper),
            "has_stationery": bool(listed_from),
            "total_pages": total_pages,
        }
        return render_to_string("billing/documents/document.html", context)

    def _rendered(self, html: str) -> Any:
        files = {}
        if self.logo:
            files["logo"] = self.logo
        if self.content.qr:
            files["qr"] = _qr(self.content.qr)
        return engine.render(html, self._style(), files)

    def _style(self) -> str:
        palette = self.palette
        return (
            f"@page {{ size: {self.paper.width}mm {self.paper.height}mm }}"
            f":root {{ --brand: {palette.brand}; --brand-ink: {palette.ink};"
            f" --brand-tint: {palette.tint}; --taxes: {self.columns.tax_width + 0.3:.2f}mm }}"
        )

    def _written(self, document: Any, xml: bytes | None) -> bytes:
        from weasyprint import Attachment

        issued = self.content.document.issued_on
        attachments = []
        if xml is not None:
            metadata.describe_xml(document)
            at = datetime(issued.year, issued.month, issued.day)  # noqa: DTZ001
            attachments = [
                Attachment(
                    string=xml,
                    name=metadata.XML_NAME,
                    description="Factur-X",
                    created=at,
                    modified=at,
                    relationship="Alternative",
                )
            ]
        written: bytes = document.write_pdf(
            pdf_variant=VARIANT,
            pdf_identifier=self._identifier(xml),
            attachments=attachments,
            finisher=_name_attachments_once,
        )
        return written

    def _identifier(self, xml: bytes | None) -> bytes:
        """Of the file, made of all that goes into it."""
        digest = hashlib.sha256(msgspec.json.encode(freeze(self.content)))
        for part in (self.logo, xml, bytes(self.preview)):
            digest.update(hashlib.sha256(part or b"").digest())
        return digest.hexdigest()[:32].encode()


def _name_attachments_once(_document: object, pdf: Any) -> None:
    """WeasyPrint lists each of them twice."""
    if "AF" in pdf.catalog:
        pdf.catalog["AF"][:] = dict.fromkeys(pdf.catalog["AF"])


def _placed(texts: Sequence[Placed]) -> SafeString:
    """Texts where the list has left room for them. No browser's policy forbids the style."""
    return format_html_join(
        "",
        '<p class="{}" style="left: {}mm; top: {}mm; width: {}mm; height: {}mm">{}</p>',
        (
            (
                " ".join(_classes(placed)),
                f"{placed.left - MARGIN_LEFT:.2f}",
                f"{placed.top:.2f}",
                f"{placed.width:.2f}",
                f"{placed.lines * drawing.GRID:.2f}",
                placed.text,
            )
            for placed in texts
        ),
    )


def _classes(placed: Placed) -> Iterator[str]:
    if placed.is_bold:
        yield "is-bold"
    if placed.lines > 1:
        yield "is-broken"


def _qr(payload: str) -> bytes:
    """As SVG; level M and bytes of UTF-8, as EPC069-12 wants them."""
    code = segno.make(payload, error="m", boost_error=False, encoding="utf-8")
    target = BytesIO()
    code.save(target, kind="svg", border=0)
    return target.getvalue()
