"""How to violate each constraint of invoices, their files and numbers, and payments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from billing.models import (
    CardOrder,
    Invoice,
    InvoiceFile,
    InvoiceLogo,
    InvoiceSeries,
    Payment,
    PaymentImport,
    PaymentImportLine,
    PeriodRun,
    RunInvoice,
    SeriesCount,
    Settlement,
)
from portal.core.models import StoredFile
from tests.world import World

DAY = date(2026, 1, 1)


def _invoice(world: World, **values: Any) -> Invoice:
    """One that is held back, unless ``values`` say otherwise."""
    fields: dict[str, Any] = {
        "account": world.beta.account,
        "issuer": world.acme,
        "key": "request:1",
        "occasion": "request",
        "currency": "EUR",
        "payable": 10,
        "period_start": DAY,
        "period_end": date(2026, 2, 1),
        "detail": "total",
        "format": "pdf",
    }
    return Invoice.objects.create(**(fields | values))


def _issued(world: World, count: int, **values: Any) -> Invoice:
    fields = {
        "key": f"request:{count}",
        "number": f"2026-{count}",
        "customer_number": count,
        "status": "due",
        "issued_on": DAY,
        "issued_at": timezone.now(),
        "content": {},
    }
    return _invoice(world, **(fields | values))


def _two_issued(world: World, **values: Any) -> None:
    _issued(world, 1)
    _issued(world, 2, **values)


def _logo_twice(world: World) -> None:
    for _time in range(2):
        InvoiceLogo.objects.create(hash="abc", data=b"x")


def _file_twice(world: World) -> None:
    invoice = _issued(world, 1)
    for _time in range(2):
        file = StoredFile.objects.create(content_type="application/pdf", data=b"")
        InvoiceFile.objects.create(invoice=invoice, kind="pdf", file=file)


def _series(world: World, times: int = 1, **values: Any) -> None:
    fields: dict[str, Any] = {"issuer": world.acme, "type": "invoice"}
    for _time in range(times):
        InvoiceSeries.objects.create(**(fields | values))


def _count_twice(world: World) -> None:
    series = InvoiceSeries.objects.create(issuer=world.acme, type="invoice")
    for _time in range(2):
        SeriesCount.objects.create(series=series, year=2026)


def _in_run_twice(world: World) -> None:
    run, invoice = PeriodRun.objects.create(), _invoice(world)
    for _time in range(2):
        RunInvoice.objects.create(run=run, invoice=invoice)


def _payment(world: World, **values: Any) -> Payment:
    fields: dict[str, Any] = {
        "account": world.beta.account,
        "provider": world.acme,
        "key": "p",
        "received_on": DAY,
        "amount": 10,
        "currency": "EUR",
        "method": "other",
    }
    return Payment.objects.create(**(fields | values))


def _two_payments(world: World) -> None:
    _payment(world)
    _payment(world)


def _settlement(world: World, times: int = 1, **values: Any) -> None:
    invoice = _issued(world, 1)
    for _time in range(times):
        fields: dict[str, Any] = {"invoice": invoice, "amount": Decimal(1)}
        Settlement.objects.create(**(fields | values))


def _credited_twice(world: World) -> None:
    credited = _issued(world, 2)
    note = _issued(world, 3, type="credit_note", corrects=credited)
    _settlement(world, 2, credit_note=note)


def _line(world: World, times: int = 1, **values: Any) -> None:
    """Lines of one statement; ``values`` may say another one."""
    source = PaymentImport.objects.create(owner=world.acme, file_name="bank.csv")
    fields: dict[str, Any] = {"source": source, "owner": world.acme, "number": 1}
    for _time in range(times):
        PaymentImportLine.objects.create(**(fields | values))


def _booked_twice(world: World) -> None:
    """The same line, in two statements, with two payments."""
    for number in (1, 2):
        _line(
            world,
            key="same",
            state="booked",
            day=DAY,
            amount=Decimal(10),
            payment=_payment(world, key=f"bank:{number}"),
        )


def _one_order_twice(world: World) -> None:
    for number in (1, 2):
        CardOrder.objects.create(
            invoice=_issued(world, number),
            attempt=1,
            key="order",
            amount=Decimal(1),
            currency="EUR",
        )


def _card_orders(world: World, *attempts: int, **values: Any) -> None:
    invoice = _issued(world, 1)
    fields: dict[str, Any] = {"invoice": invoice, "amount": Decimal(1)} | values
    for count, attempt in enumerate(attempts):
        CardOrder.objects.create(
            attempt=attempt, key=f"order:{count}", currency="EUR", **fields
        )


BILLS: dict[str, Callable[[World], Any]] = {
    "invoice_key_once_per_account": lambda w: _two_issued(w, key="request:1"),
    "invoice_number_once_per_issuer": lambda w: _two_issued(w, number="2026-1"),
    "invoice_counted_once_per_customer": lambda w: _two_issued(w, customer_number=1),
    "invoice_is_pending_or_issued": lambda w: _invoice(w, number="2026-1"),
    "invoice_period_is_whole": lambda w: _invoice(w, period_end=DAY),
    "invoice_settled_is_within_payable": lambda w: _issued(w, 1, settled=11),
    "credit_note_corrects_an_invoice": lambda w: _invoice(w, type="credit_note"),
    "card_order_key": _one_order_twice,
    "card_attempt_once_per_invoice": lambda w: _card_orders(w, 1, 1, outcome="paid"),
    "card_order_undecided_once_per_invoice": lambda w: _card_orders(w, 1, 2),
    "card_order_is_above_zero": lambda w: _card_orders(w, 1, amount=Decimal(0)),
    "file_once": _file_twice,
    "logo_once": _logo_twice,
    "series_once_per_issuer": lambda w: _series(w, 2),
    "series_width_from_one_to_ten": lambda w: _series(w, width=11),
    "count_once_a_year": _count_twice,
    "invoice_once_per_run": _in_run_twice,
    "payment_key_once_per_account": _two_payments,
    "payment_is_above_zero": lambda w: _payment(w, amount=0),
    "payment_reversal_is_whole": lambda w: _payment(w, reversal_reason="Bank"),
    "settlement_is_above_zero": lambda w: _settlement(w, payment=_payment(w), amount=0),
    "settlement_has_one_source": _settlement,
    "payment_settles_an_invoice_once": lambda w: _settlement(w, 2, payment=_payment(w)),
    "credit_note_settles_an_invoice_once": _credited_twice,
    "line_once_per_import": lambda w: _line(w, times=2),
    "line_booked_once_per_owner": _booked_twice,
    "line_is_booked_with_its_payment": lambda w: _line(
        w, payment=_payment(w), day=DAY, amount=Decimal(10), key="k"
    ),
    "line_to_book_is_whole": lambda w: _line(w, state="exact"),
}
