"""The start page: what needs attention, how business goes, what changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from billing import ledger
from billing.choices import EntryKind, InvoiceOccasion, InvoiceStatus
from billing.choices import ImportLineState as State
from billing.models import (
    BillingAccount,
    ExchangeRate,
    Invoice,
    LedgerCheck,
    PaymentImport,
    PaymentImportLine,
    PeriodRun,
    RunFailure,
)
from billing.services.transactions import reverse_entry
from customers.choices import Lock
from customers.models import Customer
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled
from portal.dashboard import start
from portal.dashboard.figures import year_of
from rateplans.choices import BillType, InvoiceDetail, InvoiceFormat
from tests.books import give
from tests.invoicing.bills import account_of, issued
from tests.invoicing.bills import charge as charge_account
from tests.invoicing.pages import invoice_of
from tests.world import World

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def ann(world: World) -> Client:
    """Works at Acme, which may owe its own provider 100."""
    BillingAccount.objects.filter(customer=world.acme).update(credit_limit=100)
    return world.client(world.ann)


def home(customer: Customer) -> str:
    return f"/a/{customer.pk}/"


def told(client: Client, customer: Customer) -> list[str]:
    """What the page says needs attention."""
    page = client.get(home(customer))
    assert page.status_code == 200
    return [str(item["text"]) for item in page.context["attention"]]


def charge(
    world: World, net: str, at: datetime, kind: EntryKind = EntryKind.RECURRING
) -> None:
    """Charge Beta, a customer of Acme."""
    account = BillingAccount.objects.get(customer=world.beta)
    posting = ledger.debit(account.pk, f"{kind}:{at}", kind, Decimal(net), "Line")
    ledger.post([posting], by=world.actor(world.ann), within_limits=False, at=at)


# ---------------------------------------------------------------------------- attention


def test_all_is_well_when_nothing_is_wrong(world: World, ann: Client) -> None:
    give(world.beta, 10)
    assert told(ann, world.acme) == []
    assert "All is well" in ann.get(home(world.acme)).content.decode()


def test_what_is_wrong_is_told_with_the_way_there(world: World, ann: Client) -> None:
    BillingAccount.objects.filter(customer=world.beta).update(low_balance=5)
    give(world.beta, 1)
    give(world.beta, -1)
    Customer.objects.filter(pk=world.beta.pk).update(lock=Lock.CALLS)
    OutgoingEmail.objects.create(
        key="k",
        kind="login_details",
        customer=world.beta,
        person=world.ben,
        to=["a@b.test"],
        sender="c@d.test",
        subject="s",
        text="t",
        status="failed",
    )
    assert told(ann, world.acme) == [
        "Customers out of credit: 1",
        "Customers with a low balance: 1",
        "Locked customers: 1",
        "E-mails that failed in the last 30 days: 1",
    ]
    for item in ann.get(home(world.acme)).context["attention"]:
        assert ann.get(item["url"]).context["table"].count_text == "1–1 of 1"


@pytest.mark.parametrize(
    ("balance", "low_balance", "line"),
    [
        ("-90", "0", None),
        ("-90.01", "0", "Your own credit is nearly used up"),
        ("-100", "0", "Your own credit is used up"),
        ("4", "5", "Your own credit is nearly used up"),
    ],
)
def test_own_credit_that_runs_out_is_told(
    world: World, ann: Client, balance: str, low_balance: str, line: str | None
) -> None:
    give(world.beta, 10)
    own = BillingAccount.objects.filter(customer=world.acme)
    own.update(low_balance=Decimal(low_balance))
    give(world.acme, 5)
    give(world.acme, Decimal(balance) - 5)
    lines = told(ann, world.acme)
    assert len(lines) == (line is not None)
    for item in ann.get(home(world.acme)).context["attention"]:
        assert item["text"].startswith(line)
        assert ann.get(item["url"]).status_code == 200


def test_own_credit_of_an_account_without_balance_is_no_matter(
    world: World, ann: Client
) -> None:
    give(world.beta, 10)
    own = BillingAccount.objects.filter(customer=world.acme)
    own.update(credit_limit=0, bill_type=BillType.NONE)
    assert told(ann, world.acme) == []


def test_failed_check_of_the_books_is_the_system_owners_red_line(
    world: World, ann: Client
) -> None:
    give(world.acme, 10)
    give(world.rival, 10)
    give(world.beta, 10)
    now = timezone.now()
    LedgerCheck.objects.create(faults=3, finished_at=now)
    olga = world.client(world.olga)
    assert told(olga, world.root) == ["Faults found by the check of the ledger: 3"]
    assert told(ann, world.acme) == []
    LedgerCheck.objects.create(faults=0, finished_at=now)
    assert told(olga, world.root) == []


def test_run_that_failed_is_told_to_the_provider(world: World, ann: Client) -> None:
    give(world.beta, 10)
    run = PeriodRun.objects.create(finished_at=timezone.now())
    account = BillingAccount.objects.get(customer=world.beta)
    RunFailure.objects.create(run=run, account=account, error="no rate")
    text = "Accounts that the billing run could not charge: 1"
    assert told(ann, world.acme) == [text]
    PeriodRun.objects.create(finished_at=timezone.now())
    assert told(ann, world.acme) == []


def test_run_that_hangs_is_told_to_the_system_owner(world: World) -> None:
    give(world.acme, 10)
    give(world.rival, 10)
    PeriodRun.objects.create(started_at=timezone.now() - timedelta(hours=4))
    assert told(world.client(world.olga), world.root) == [
        "The billing run has not finished for hours"
    ]


# ------------------------------------------------------------------------------ figures


def test_year_has_twelve_months_of_the_readers_zone(world: World) -> None:
    with time_machine.travel(NOW, tick=False), timezone.override("Europe/Berlin"):
        charge(world, "10", datetime(2026, 10, 31, 22, 30, tzinfo=UTC))  # October
        charge(world, "20", datetime(2026, 10, 31, 23, 30, tzinfo=UTC))  # November
        charge(world, "40", datetime(2025, 11, 30, 22, 59, tzinfo=UTC))  # too early
        year = year_of(world.actor(world.ann), currency="EUR")
    assert year.months[0] == date(2025, 12, 1)
    assert len(year.months) == 12
    assert sum(year.revenue) == 30
    assert year.revenue[-2:] == (10, 20)


def test_revenue_is_what_customers_were_charged(world: World) -> None:
    with time_machine.travel(NOW, tick=False):
        at = NOW - timedelta(days=1)
        for kind in (EntryKind.SIGNUP, EntryKind.CALL, EntryKind.DEBIT):
            charge(world, "1", at, kind)
        charge(world, "100", at, EntryKind.CORRECTION)
        give(world.beta, 500)
        give(world.gamma, -900)  # Beta's customer, not Acme's
        year = year_of(world.actor(world.ann), currency="EUR")
    assert year.revenue[-1] == 3


def test_what_was_taken_back_is_no_revenue(world: World) -> None:
    at = timezone.now()
    charge(world, "7", at, EntryKind.DEBIT)
    account = BillingAccount.objects.select_related("customer").get(customer=world.beta)
    reverse_entry(
        entry=account.entries.get(),
        account=account,
        reason="Wrong",
        by=world.actor(world.ann),
    )
    assert sum(year_of(world.actor(world.ann), currency="EUR").revenue) == 0


def test_other_currencies_are_converted_or_named(world: World) -> None:
    charge(world, "9", timezone.now())
    actor = world.actor(world.ann)
    year = year_of(actor, currency="USD")
    assert (sum(year.revenue), year.left_out) == (0, ("EUR",))
    cache.clear()
    ExchangeRate.objects.create(
        currency="USD", on=date(2026, 1, 1), rate=Decimal("1.1")
    )
    year = year_of(actor, currency="USD")
    assert (sum(year.revenue), year.left_out) == (Decimal("9.90"), ())


def test_figures_are_kept_some_minutes(
    world: World, django_assert_num_queries: Any
) -> None:
    actor = world.actor(world.ann)
    year_of(actor, currency="EUR")
    with django_assert_num_queries(0):
        year_of(actor, currency="EUR")


# ----------------------------------------------------------------------------- invoices


def set_to(invoice: Invoice, status: InvoiceStatus) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(status=status)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (InvoiceStatus.OVERDUE, "Overdue invoices: 1 (€10.00)"),
        (InvoiceStatus.PAYMENT_REFUSED, "Invoices whose payment was refused: 1"),
        (InvoiceStatus.QUEUED, "Invoices to approve: 1"),
        (InvoiceStatus.APPROVED, "Approved invoices to send: 1"),
        (InvoiceStatus.DUE, None),
        (InvoiceStatus.PAID, None),
        (InvoiceStatus.CANCELLED, None),
    ],
)
def test_invoices_that_wait_are_told_with_the_way_there(
    world: World, ann: Client, status: InvoiceStatus, line: str | None
) -> None:
    account_of(world.beta)
    set_to(invoice_of(world.beta), status)
    page = ann.get(home(world.acme))
    found = [
        item for item in page.context["attention"] if "nvoice" in str(item["text"])
    ]
    assert [str(item["text"]) for item in found] == ([line] if line else [])
    for item in found:
        assert ann.get(item["url"]).context["table"].count_text == "1–1 of 1"


def test_what_is_held_back_is_told(world: World, ann: Client) -> None:
    Invoice.objects.create(
        account=account_of(world.beta),
        issuer=world.acme,
        key="period:x",
        occasion=InvoiceOccasion.PERIOD,
        currency="EUR",
        period_start=date(2026, 11, 1),
        period_end=date(2026, 12, 1),
        detail=InvoiceDetail.TOTAL,
        format=InvoiceFormat.PDF,
    )
    assert "Invoices held back: 1" in told(ann, world.acme)


def test_what_is_overdue_is_summed_by_currency(world: World, ann: Client) -> None:
    account_of(world.beta)
    for name in ("1", "2"):
        set_to(invoice_of(world.beta, "10.50", name=name), InvoiceStatus.OVERDUE)
    other = Customer.objects.get(pk=world.gamma.pk)
    BillingAccount.objects.filter(customer=other).update(provider=world.acme)
    account = account_of(other, currency="CHF")
    charge_account(account, "7.00")
    set_to(issued(account), InvoiceStatus.OVERDUE)
    assert "Overdue invoices: 3 (CHF7.00 + €21.00)" in told(ann, world.acme)


def test_bank_lines_to_match_lead_to_their_statement(world: World, ann: Client) -> None:
    def statement(owner: Customer) -> PaymentImport:
        source = PaymentImport.objects.create(
            owner=owner, file_name="bank.csv", columns={"day": 0, "amount": 1}
        )
        for number, state in enumerate((State.OPEN, State.OPEN, State.LEFT), 1):
            PaymentImportLine.objects.create(
                source=source, owner=owner, number=number, state=state
            )
        return source

    give(world.beta, 10)
    statement(world.rival)
    assert told(ann, world.acme) == []
    source = statement(world.acme)
    [item] = ann.get(home(world.acme)).context["attention"]
    assert item["text"] == "Payments on bank statements to match: 2"
    assert f"/{source.pk}/?state=open" in item["url"]
    assert ann.get(item["url"]).context["table"].count_text == "1–2 of 2"
    statement(world.acme)
    [item] = ann.get(home(world.acme)).context["attention"]
    assert item["text"] == "Payments on bank statements to match: 4"
    assert item["url"].endswith("/commerce/payment-imports/")


def test_resellers_own_overdue_invoices_are_told(world: World, ann: Client) -> None:
    give(world.beta, 10)
    account_of(world.acme)
    invoice = invoice_of(world.acme)
    assert told(ann, world.acme) == []
    set_to(invoice, InvoiceStatus.OVERDUE)
    [item] = ann.get(home(world.acme)).context["attention"]
    assert item["text"] == "Your own overdue invoices: 1 (€10.00)"
    assert ann.get(item["url"]).context["table"].count_text == "1–1 of 1"


def test_customers_people_see_what_is_to_be_paid(world: World) -> None:
    gil = world.client(world.gil)
    assert "to_pay" not in gil.get(home(world.gamma)).context
    account_of(world.gamma)
    found = [invoice_of(world.gamma, f"{n}.00", name=str(n)) for n in range(1, 9)]
    set_to(found[0], InvoiceStatus.PAID)
    set_to(found[1], InvoiceStatus.QUEUED)
    page = gil.get(home(world.gamma))
    assert [row["number"] for row in page.context["to_pay"]] == [
        invoice.number for invoice in found[2:7]
    ]
    assert "€3.00" in str(page.context["to_pay"][0]["amount"])
    assert gil.get(page.context["to_pay"][0]["url"]).status_code == 200
    assert "All open invoices" in page.content.decode()
    assert gil.get(page.context["to_pay_url"]).context["table"].count_text == "1–6 of 6"


# -------------------------------------------------------------------------------- pages


def test_reseller_sees_its_newest_customers_and_entries(
    world: World, ann: Client
) -> None:
    give(world.beta, 12)
    give(world.gamma, 34)
    page = ann.get(home(world.acme))
    assert [row["name"] for row in page.context["newest_customers"]] == ["Beta Voice"]
    assert [entry["place"] for entry in page.context["newest_entries"]] == [
        "Beta Voice"
    ]
    assert [plot.id for plot in page.context["plots"]] == ["revenue-plot", "new-plot"]


def test_newest_entries_come_first(world: World, ann: Client) -> None:
    for amount in (1, 2, 3):
        give(world.beta, amount)
    page = ann.get(home(world.acme))
    shown = [str(entry["amount"]) for entry in page.context["newest_entries"]]
    assert ["€3.00" in shown[0], "€1.00" in shown[-1], len(shown)] == [True, True, 3]


def test_new_reseller_is_told_what_to_do(world: World) -> None:
    page = world.client(world.eve).get(home(world.rival))
    titles = [str(step["title"]) for step in page.context["steps"]]
    assert titles == [
        "Read how billing works",
        "Make a rate plan",
        "Prepare your invoices",
        "Create your first customer",
    ]
    assert "plots" not in page.context


def test_customers_own_people_see_their_account(world: World) -> None:
    give(world.gamma, 34)
    page = world.client(world.gil).get(home(world.gamma))
    shown = page.content.decode()
    assert "€34.00" in shown
    assert [entry["text"] for entry in page.context["own_entries"]] == ["For the test"]
    assert page.context["events_url"]
    assert "newest_customers" not in page.context


def test_person_without_reports_sees_no_money(world: World) -> None:
    give(world.acme, 777)
    world.uli.role.permissions.remove("reports")
    world.uli.role.save()
    page = world.client(world.uli).get(home(world.acme))
    assert page.status_code == 200
    assert "777" not in page.content.decode()


def test_name_of_whoever_acts_from_above_stays_unknown(world: World) -> None:
    client = world.client(world.olga)
    client.post(f"/a/{world.root.pk}/switch/", {"customer": world.acme.pk})
    page = world.client(world.ann).get(home(world.acme)).content.decode()
    assert "Olga" not in page


@pytest.mark.parametrize("number", [1, 5])
def test_queries_do_not_grow_with_what_is_shown(
    world: World, ann: Client, number: int, django_assert_max_num_queries: Any
) -> None:
    for _time in range(number):
        give(world.beta, 1)
    ann.get(home(world.acme))
    cache.clear()
    with django_assert_max_num_queries(30):
        ann.get(home(world.acme))


@pytest.mark.parametrize(
    ("hour", "words"),
    [
        (4, "Good evening"),
        (5, "Good morning"),
        (12, "Good afternoon"),
        (18, "Good evening"),
    ],
)
def test_greeting_goes_by_the_readers_clock(hour: int, words: str) -> None:
    with (
        time_machine.travel(datetime(2026, 11, 22, hour, tzinfo=UTC), tick=False),
        timezone.override("UTC"),
    ):
        assert start.greeting() == words


# --------------------------------------------------------------------------------- help


def help_page(client: Client, customer: Customer) -> Any:
    page = client.get(f"/a/{customer.pk}/help/billing/")
    assert page.status_code == 200
    return page


@pytest.mark.parametrize(
    ("balance", "text", "is_upwards"),
    [
        ("12", "it owes you €12.00", False),
        ("-12", "you owe it €12.00", True),
        ("0", "nobody owes anything", True),
    ],
)
def test_picture_says_who_owes_whom(
    world: World, balance: str, text: str, is_upwards: bool
) -> None:
    give(world.gamma, balance)
    [arrow] = help_page(world.client(world.gil), world.gamma).context["arrows"]
    assert (arrow.text, arrow.is_upwards) == (text, is_upwards)


def test_picture_of_a_reseller_has_both_sides(world: World, ann: Client) -> None:
    give(world.beta, -5)
    page = help_page(ann, world.acme)
    boxes = page.context["boxes"]
    assert [box.name for box in boxes] == [
        "Your provider",
        "Acme Telecom",
        "Beta Voice",
    ]
    assert [box.is_reader for box in boxes] == [False, True, False]
    assert page.context["arrows"][1].text == "it owes you €5.00"
    assert "Trunk Systems" not in [box.name for box in boxes]


def test_system_owner_has_nobody_above(world: World) -> None:
    page = help_page(world.client(world.olga), world.root)
    assert page.context["boxes"][0].is_reader
    assert len(page.context["arrows"]) == 1


def test_own_billing_type_is_marked(world: World) -> None:
    types = help_page(world.client(world.gil), world.gamma).context["bill_types"]
    assert [kind["is_own"] for kind in types].count(True) == 1


def test_list_of_customers_leads_to_the_help(world: World, ann: Client) -> None:
    page = ann.get(f"/a/{world.acme.pk}/commerce/customers/").content.decode()
    assert f'href="/a/{world.acme.pk}/help/billing/"' in page
    assert "read how billing works" in page
