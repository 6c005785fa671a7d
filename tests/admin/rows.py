"""One more row of any model of ours, made directly: lists are measured with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils import timezone

from billing.models import (
    BilledFeature,
    BillingAccount,
    CallTime,
    CardOrder,
    Charge,
    EntryTax,
    ExchangeRate,
    ExtraCalls,
    Invoice,
    InvoiceFile,
    InvoiceLogo,
    InvoiceSeries,
    LedgerCheck,
    LedgerEntry,
    LedgerFault,
    Payment,
    PaymentImport,
    PaymentImportLine,
    PeriodRun,
    Product,
    ProductException,
    RunFailure,
    RunInvoice,
    RunPart,
    Seller,
    SeriesCount,
    Settlement,
    Tax,
    TaxLiability,
)
from customers.models import (
    Company,
    Customer,
    DialPlan,
    Mailbox,
    Note,
    Number,
    Person,
    Region,
    Role,
    Switch,
    SystemOptions,
    TelephoneLine,
    TimeGroup,
    TimeSpan,
)
from portal.core import secrets
from portal.core.models import (
    AuditChange,
    AuditEvent,
    EmailAttachment,
    OutgoingEmail,
    Session,
    StoredFile,
    Submission,
)
from rateplans.models import (
    CustomSetting,
    NumberClass,
    PlanFeature,
    PlanMarkup,
    PlanPrice,
    RatePlan,
)
from tests.books import give
from tests.world import World

# What no page may show, whoever asks.
SECRETS = {
    "line": "sip-secret-in-clear",
    "pin": "hashed-pin-1234",
    "link": "https://portal.test/welcome/one-time",
    "session": "sessionkeysessionkeysessionkey12",
}


def _customer(world: World, at: int) -> Customer:
    customer = Customer.objects.create(
        parent=world.acme,
        path=f"{world.acme.path}{90_000 + at}.",
        name=f"Customer {at:03d}",
        account_number=f"A{at}",
        email=f"c{at}@acme.test",
    )
    BillingAccount.objects.create(
        customer=customer,
        provider=world.acme,
        plan=world.acme_plan,
        currency="EUR",
        bill_type="postpaid",
    )
    return customer


def _line(world: World, at: int) -> TelephoneLine:
    return TelephoneLine.objects.create(
        customer=_customer(world, at),
        name=f"Line {at}",
        username=f"line-{at}",
        password=secrets.encrypt(SECRETS["line"]),
    )


def _mailbox(world: World, at: int) -> Mailbox:
    return Mailbox.objects.create(
        customer=_customer(world, at),
        name=f"Box {at}",
        box_number=f"1{at}",
        pin=SECRETS["pin"],
    )


def _person(world: World, at: int) -> Person:
    return Person.objects.create(
        customer=_customer(world, at), username=f"person{at}", role=world.ann.role
    )


def _event(world: World, at: int) -> AuditEvent:
    return AuditEvent.objects.create(
        person=_person(world, at),
        customer=world.acme,
        customer_name="Acme",
        path=world.acme.path,
        action="customer.updated",
        object_type="customers.customer",
        object_id=at,
        object_name=f"Object {at}",
    )


def _email(world: World, at: int) -> OutgoingEmail:
    return OutgoingEmail.objects.create(
        key=f"key-{at}",
        kind="login_details",
        customer=_customer(world, at),
        to=[f"to{at}@acme.test"],
        sender="portal@acme.test",
        subject=f"Subject {at}",
        text="Text",
        secret=secrets.encrypt(SECRETS["link"]),
    )


def _switch(world: World, at: int) -> Switch:
    return Switch.objects.create(
        person=world.ann,
        session_key=SECRETS["session"],
        customer=_customer(world, at),
        acting_as=_person(world, at + 500),
        expires_at=timezone.now() + timedelta(hours=1),
    )


def _span(world: World, at: int) -> TimeSpan:
    group = TimeGroup.objects.create(name=f"Group {at}")
    return TimeSpan.objects.create(
        group=group, first_day=0, last_day=4, begins=480, ends=1080
    )


def _plan(world: World, at: int) -> RatePlan:
    return RatePlan.objects.create(
        owner=_customer(world, at), name=f"Plan {at}", currency="EUR"
    )


def _tax(world: World, at: int) -> Tax:
    return Tax.objects.create(
        owner=_customer(world, at), name=f"Tax {at}", rate=Decimal(7)
    )


def _entry(world: World, at: int) -> LedgerEntry:
    account = give(_customer(world, at), 5)
    return LedgerEntry.objects.get(account=account)


def _charge(world: World, at: int) -> Charge:
    return Charge.objects.create(
        owner=world.acme,
        account=_customer(world, at).account,
        name=f"Charge {at}",
        currency="EUR",
        starts_on=date(2026, 1, 1),
    )


def _product(world: World, at: int) -> Product:
    return Product.objects.create(
        owner=world.acme, name=f"Product {at}", currency="EUR"
    )


def _run(world: World, at: int) -> PeriodRun:
    return PeriodRun.objects.create(on=date(2026, 1, 1) + timedelta(days=at))


def _payment(world: World, at: int) -> Payment:
    return Payment.objects.create(
        account=_customer(world, at + 700).account,
        provider=world.acme,
        key=f"row:{at}",
        received_on=date(2026, 1, 2),
        amount=Decimal(5),
        currency="EUR",
        method="cash",
        reference=f"Payment {at}",
    )


def _settlement(world: World, at: int) -> Settlement:
    """What a payment took off an invoice; both agree, as they must."""
    payment = _payment(world, at + 100)
    invoice = _held_back(world, at + 100)
    Invoice.objects.filter(pk=invoice.pk).update(payable=5, settled=5)
    return Settlement.objects.create(
        invoice=invoice, payment=payment, amount=Decimal(5)
    )


def _card_order(world: World, at: int) -> CardOrder:
    return CardOrder.objects.create(
        invoice=_held_back(world, at + 200),
        attempt=1,
        key=f"card:{at}",
        amount=Decimal(5),
        currency="EUR",
    )


def _import(world: World, at: int) -> PaymentImport:
    return PaymentImport.objects.create(owner=world.acme, file_name=f"bank{at}.csv")


def _held_back(world: World, at: int) -> Invoice:
    return Invoice.objects.create(
        account=_customer(world, at + 500).account,
        issuer=world.acme,
        key=f"request:{at}",
        occasion="request",
        currency="EUR",
        period_start=date(2026, 1, 1),
        period_end=date(2026, 2, 1),
        detail="total",
        format="pdf",
    )


def _file() -> StoredFile:
    return StoredFile.objects.create(content_type="application/pdf", data=b"%PDF-")


def _series(world: World, at: int) -> InvoiceSeries:
    return InvoiceSeries.objects.create(
        issuer=_customer(world, at), type="invoice", prefix=f"S{at}-"
    )


def _check(world: World, at: int) -> LedgerCheck:
    return LedgerCheck.objects.create(accounts=at)


MAKERS: dict[type[Model], Callable[[World, int], Model]] = {
    AuditChange: lambda world, at: AuditChange.objects.create(
        event=_event(world, at), field="name", old="a", new="b"
    ),
    AuditEvent: _event,
    BilledFeature: lambda world, at: BilledFeature.objects.create(
        customer=_customer(world, at), feature="line", object_id=at, label=f"Line {at}"
    ),
    BillingAccount: lambda world, at: _customer(world, at).account,
    CallTime: lambda world, at: CallTime.objects.create(
        account=_customer(world, at).account,
        seconds=60,
        remaining=60,
        expires_on=date(2026, 12, 31),
    ),
    Charge: _charge,
    ExtraCalls: lambda world, at: ExtraCalls.objects.create(
        account=_customer(world, at).account, type="calls_in", calls=at + 1
    ),
    Company: lambda world, at: Company.objects.create(customer=_customer(world, at)),
    Customer: _customer,
    CustomSetting: lambda world, at: CustomSetting.objects.create(
        plan=_plan(world, at), name="footer_text", value=f"Text {at}"
    ),
    DialPlan: lambda world, at: DialPlan.objects.create(name=f"Dial plan {at}"),
    EntryTax: lambda world, at: EntryTax.objects.create(
        entry=_entry(world, at),
        tax=world.acme_tax,
        name="VAT",
        rate=Decimal(19),
        amount=Decimal(1),
        is_vat=True,
    ),
    ExchangeRate: lambda world, at: ExchangeRate.objects.create(
        currency="USD", on=date(2020, 1, 1) + timedelta(days=at), rate=Decimal("1.1")
    ),
    LedgerCheck: _check,
    LedgerEntry: _entry,
    LedgerFault: lambda world, at: LedgerFault.objects.create(
        ledger_check=_check(world, at),
        account=_customer(world, at).account,
        kind="balance",
        expected=Decimal(1),
        present=Decimal(2),
    ),
    LogEntry: lambda world, at: LogEntry.objects.create(
        user=_person(world, at),
        content_type=ContentType.objects.get_for_model(Role),
        object_id=str(at),
        object_repr=f"Role {at}",
        action_flag=CHANGE,
        change_message="",
    ),
    Mailbox: _mailbox,
    Note: lambda world, at: Note.objects.create(
        customer=_customer(world, at), author_name="Ann", subject=f"Note {at}"
    ),
    Number: lambda world, at: Number.objects.create(
        number=f"+49305550{at:04d}",
        customer=_customer(world, at),
        number_class=world.numbers[0].number_class,
        line=_line(world, at + 500),
    ),
    NumberClass: lambda world, at: NumberClass.objects.create(name=f"Class {at}"),
    OutgoingEmail: _email,
    EmailAttachment: lambda world, at: EmailAttachment.objects.create(
        email=_email(world, at), name=f"{at}.pdf", file=_file()
    ),
    StoredFile: lambda world, at: _file(),
    Invoice: _held_back,
    InvoiceFile: lambda world, at: InvoiceFile.objects.create(
        invoice=_held_back(world, at), kind="pdf", file=_file()
    ),
    InvoiceLogo: lambda world, at: InvoiceLogo.objects.create(
        hash=f"logo{at}", data=b"image"
    ),
    InvoiceSeries: _series,
    SeriesCount: lambda world, at: SeriesCount.objects.create(
        series=_series(world, at), year=2026, last=at
    ),
    CardOrder: _card_order,
    Payment: _payment,
    PaymentImport: _import,
    PaymentImportLine: lambda world, at: PaymentImportLine.objects.create(
        source=_import(world, at), owner=world.acme, number=1, text=f"Line {at}"
    ),
    Settlement: _settlement,
    PeriodRun: _run,
    Person: _person,
    PlanFeature: lambda world, at: PlanFeature.objects.create(
        plan=_plan(world, at), feature="line", maximum=3
    ),
    PlanMarkup: lambda world, at: PlanMarkup.objects.create(
        plan=_plan(world, at), kind="outcost", markup=20, valid=(None, None)
    ),
    PlanPrice: lambda world, at: PlanPrice.objects.create(
        plan=_plan(world, at),
        feature="line",
        occurs="signup",
        amount=5,
        valid=(None, None),
    ),
    Product: _product,
    ProductException: lambda world, at: ProductException.objects.create(
        plan=_plan(world, at), product=_product(world, at + 500)
    ),
    RatePlan: _plan,
    Region: lambda world, at: Region.objects.create(name=f"Region {at}"),
    Role: lambda world, at: Role.objects.create(name=f"Role {at}"),
    RunFailure: lambda world, at: RunFailure.objects.create(
        run=_run(world, at),
        account=_customer(world, at + 500).account,
        error="No exchange rate",
    ),
    RunInvoice: lambda world, at: RunInvoice.objects.create(
        run=_run(world, at), invoice=_held_back(world, at)
    ),
    RunPart: lambda world, at: RunPart.objects.create(
        run=_run(world, at), step="charges", account_ids=[at]
    ),
    Seller: lambda world, at: Seller.objects.create(
        customer=_customer(world, at), legal_name=f"Seller {at}"
    ),
    Session: lambda world, at: Session.objects.create(
        session_key=f"{SECRETS['session']}{at}",
        session_data="signed",
        person=_person(world, at),
        expire_date=timezone.now() + timedelta(days=1),
    ),
    Submission: lambda world, at: Submission.objects.create(
        token=uuid4(), person=_person(world, at), url="/done/"
    ),
    Switch: _switch,
    SystemOptions: lambda world, at: SystemOptions.current(),
    Tax: _tax,
    TaxLiability: lambda world, at: TaxLiability.objects.create(
        account=_customer(world, at).account, tax=_tax(world, at + 500)
    ),
    TelephoneLine: _line,
    TimeGroup: lambda world, at: TimeGroup.objects.create(name=f"Times {at}"),
    TimeSpan: _span,
}
