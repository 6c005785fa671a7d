"""Measures invoices: PDF against WeasyPrint alone, XML, a run by workers, their memory."""

from __future__ import annotations

import json
import multiprocessing
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from io import BytesIO
from statistics import median
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import connections
from pypdf import PdfReader

from billing import ledger
from billing.choices import EntryKind
from billing.documents import engine, pdf
from billing.einvoice.cii import cii
from billing.einvoice.record import Document
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.build import numbered
from billing.invoicing.content import Content, freeze, thaw
from billing.models import BillingAccount, PeriodRun
from billing.selectors import invoices_of
from billing.services import invoice_drafts, runs
from portal.bench import charging_rows as rows
from portal.bench.charging import Rate, let_go_of_pool
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType, InvoiceDetail

NUMBER = "2030-00001"
LINES = (3, 130, 1900)  # make documents of about 1, 5 and 50 pages
WARM_PDFS = 50  # until caches are filled
MEMORY_TARGET = 1.25  # times what it was then


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes that a process holds at most, after some PDFs and after many."""

    few: int
    after_few: float
    many: int
    after_many: float

    @property
    def ratio(self) -> float:
        return self.after_many / self.after_few

    @property
    def verdict(self) -> str:
        if self.ratio <= MEMORY_TARGET:
            return "met"
        return f"missed: over {MEMORY_TARGET} times"


@dataclass(frozen=True, slots=True)
class Invoicing:
    """All figures of invoices."""

    rates: list[Rate]
    memory: Memory


def measure_invoicing(
    *, rounds: int, customers: int, pdfs: int, lines: tuple[int, ...] = LINES
) -> Invoicing:
    """``customers`` are those of the run, ``pdfs`` those that a process draws."""
    with scopes_disabled():  # a command, run by nobody
        books = rows.lay_books()
        contents = [_content(books, count) for count in lines]
        rates = [rate for each in contents for rate in _pdf_rates(each, rounds)]
        rates += _xml_rates(contents[0].document, rounds)
        rates += _runs(books, customers)
        memory = _memory_of_drawing(contents[0], pdfs)
    return Invoicing(rates, memory)


def _content(books: rows.Books, lines: int) -> Content:
    """What an itemised invoice of so many charges says."""
    pk = books.many[lines % len(books.many)]
    ledger.post(
        [
            ledger.debit(
                pk,
                f"bench:line:{lines}:{number}",
                EntryKind.CHARGE,
                Decimal(number % 97 + 5) / 100,
                f"Call to +49 30 {5550000 + number}",
            )
            for number in range(lines)
        ],
        by=books.actor,
        within_limits=False,
    )
    account = BillingAccount.objects.get(pk=pk)
    account.invoice_detail = InvoiceDetail.ITEMISED
    account.save(update_fields=["invoice_detail"])
    return numbered(invoice_drafts.preview(account).content, NUMBER)


# Documents a second.


def _pdf_rates(content: Content, rounds: int) -> list[Rate]:
    """Our PDF with its XML inside, in turns with WeasyPrint's of the whole HTML."""
    xml = cii(content.document)
    html, style, files = _whole_html(content)
    pages = len(PdfReader(BytesIO(pdf.render_pdf(content, xml=xml))).pages)
    ours, alone = [], []
    for _round in range(rounds):
        ours.append(_seconds(lambda: pdf.render_pdf(content, xml=xml)))
        alone.append(_seconds(lambda: engine.render(html, style, files).write_pdf()))
    name = f"PDF of {pages} pages" if pages > 1 else "PDF of 1 page"
    ratio = median(b / a for a, b in zip(ours, alone, strict=True))
    return [Rate(name, 1 / median(ours), "WeasyPrint alone", ratio)]


def _whole_html(content: Content) -> tuple[str, str, dict[str, bytes]]:
    """The document with all its rows as one table, for WeasyPrint to lay out alone."""
    drawing = pdf._Drawing(content, logo=None, preview=False)
    files = {"qr": pdf._qr(content.qr)} if content.qr else {}
    return drawing._html(), drawing._style(), files


def _xml_rates(document: Document, rounds: int) -> list[Rate]:
    found = []
    for name, write, syntax in (("UBL", ubl, Syntax.UBL), ("CII", cii, Syntax.CII)):
        # Starts what judges them, too. Where the schema is broken, rules are not asked.
        if any(each.rule == "XSD" for each in findings(write(document), syntax)):
            raise RuntimeError(f"the {name} of the bench breaks its schema")
        written = _per_second(partial(write, document), rounds)
        judged = _per_second(partial(_judged, write, syntax, document), rounds)
        found += [
            Rate(f"XML: {name}, written", written),
            Rate(
                f"XML: {name}, written and validated",
                judged,
                "written",
                judged / written,
            ),
        ]
    return found


def _judged(
    write: Callable[[Document], bytes], syntax: Syntax, document: Document
) -> None:
    findings(write(document), syntax)


def _per_second(work: Callable[[], Any], rounds: int) -> float:
    return 1 / median(_seconds(work) for _round in range(rounds * 10))


def _seconds(work: Callable[[], Any]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin


# A run.


def _runs(books: rows.Books, customers: int) -> list[Rate]:
    """Fees and invoices of as many customers, by one process and by two."""
    found: list[Rate] = []
    for workers in (1, 2):
        on = date(2031, workers, 1)
        rows.lay_due_accounts(books, customers, until=on, bill_type=BillType.POSTPAID)
        begin = perf_counter()
        _run(on, workers)
        rate = customers / (perf_counter() - begin)
        first = found[0].per_second if found else None
        found.append(
            Rate(
                f"Run: {customers:,} customers charged and invoiced, {workers} "
                + ("worker" if workers == 1 else "workers"),
                rate,
                "1 worker" if first else "",
                rate / first if first else None,
            )
        )
    return found


def _run(on: date, workers: int) -> None:
    run = runs.open_run(on)
    connections.close_all()
    let_go_of_pool()
    fork = multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=_work, args=(run.pk,)) for _worker in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    run.refresh_from_db()
    made = invoices_of(run)
    if run.finished_at is None or (run.done, made.issued) != (run.total, run.total):
        raise RuntimeError(f"the run did {run.done} and {made.issued} of {run.total}")


def _work(run_id: int) -> None:
    with scopes_disabled():  # the run goes over all trees
        runs.work_to_end(PeriodRun.objects.get(pk=run_id))
    connections.close_all()
    let_go_of_pool()


# Memory.


def _memory_of_drawing(content: Content, pdfs: int) -> Memory:
    """Of a process that draws so many, each of another number, with its XML.

    A new one: a fork would begin with what this one has held.
    """
    few = min(WARM_PDFS, max(1, pdfs // 2))
    code = (
        "import django; django.setup()\n"
        f"from {__name__} import draw_many; draw_many({few}, {pdfs})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(freeze(content)),
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    after_few, after_many = map(float, done.stdout.split())
    return Memory(few, after_few, pdfs, after_many)


def draw_many(few: int, many: int) -> None:
    """Draw ``many`` of the frozen content at the standard input; print the megabytes that
    were held at most after a ``few``, and at the end."""
    content = thaw(json.load(sys.stdin))
    for number in range(1, many + 1):
        numbered_one = numbered(content, f"2030-{number:05}")
        pdf.render_pdf(numbered_one, xml=cii(numbered_one.document))
        if number in (few, many):
            print(_megabytes())


def _megabytes() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
