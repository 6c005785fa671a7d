"""The demo's world: made once, believable, and never in somebody's real database."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.test import TestCase
from django.utils import timezone

from billing.calls_at_once import calls_at_once
from billing.choices import (
    CallKind,
    EntryKind,
    InvoiceOccasion,
    InvoiceStatus,
    InvoiceType,
    OverdueLock,
)
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.content import thaw
from billing.invoicing.readiness import buyer_gaps, in_the_way, seller_gaps
from billing.models import (
    BillingAccount,
    ExtraCalls,
    Invoice,
    InvoiceFile,
    LedgerEntry,
    Payment,
    SeriesCount,
    Tax,
)
from billing.models.account import out_of_credit
from billing.selectors import seller_of
from billing.services.checking import check_ledger
from customers.backends import PersonBackend
from customers.choices import CustomerKind, Lock
from customers.models import (
    Company,
    Customer,
    DialPlan,
    Number,
    Person,
    Region,
    TimeGroup,
)
from customers.services.customers import NewPerson
from customers.services.installation import create_system_owner
from portal.core.models import AuditEvent, EmailStatus, OutgoingEmail
from portal.demo import building, guard, parties
from portal.demo.logins import PASSWORD, demo_logins
from rateplans.choices import BillType, InvoiceFormat, Sharing
from rateplans.models import RatePlan
from rateplans.selectors import assignable_plans


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("demo_data", *arguments, stdout=output)
    return output.getvalue()


def _values(rows: Any, name: str) -> Any:
    return rows.values_list(name, flat=True)


@pytest.mark.usefixtures("demo", "all_tenants")
class TestWorld(TestCase):
    """The small world, made once for all of these."""

    def test_world_has_a_tree_of_four_levels_and_resellers_in_three_currencies(
        self,
    ) -> None:
        depths = {customer.depth for customer in Customer.objects.all()}
        currencies = set(BillingAccount.objects.values_list("currency", flat=True))
        assert depths == {0, 1, 2, 3}
        assert currencies == {"EUR", "GBP", "USD"}

    def test_world_shows_every_kind_of_customer(self) -> None:
        customers = Customer.objects.all()
        assert customers.filter(kind=CustomerKind.RESIDENTIAL).count() >= 3
        assert customers.filter(lock=Lock.BOTH).exclude(lock_reason="").exists()
        assert customers.filter(lock=Lock.CALLS).exists()
        assert customers.filter(deleted_at__isnull=False).exists()
        names = " ".join(customers.values_list("name", flat=True))
        assert "ä" in names, "umlauts"
        assert "مطعم" in names, "right to left"
        assert "🚀" in names, "emoji"
        assert max(map(len, names.split("  "))) > 80

    def test_world_has_what_the_customer_form_offers(self) -> None:
        assert Region.objects.count() == 2
        assert DialPlan.objects.count() == 2
        [hours] = TimeGroup.objects.all()
        assert hours.times() == "Mon–Thu 08:00–18:00, Fri 08:00–16:00"
        assert RatePlan.objects.filter(cos_timegroup=hours).count() == 1
        assert RatePlan.objects.filter(offered_at_signup=True).count() == 1
        assert Tax.objects.filter(rate__gt=0).exists()
        assert Tax.objects.filter(rate=0, amount__gt=0).exists()
        assert RatePlan.objects.filter(share=Sharing.RECURSIVE).count() == 1
        assert Company.objects.exclude(colour="").count() >= 3
        free = Number.objects.filter(line=None, mailbox=None)
        classes = set(free.values_list("number_class__name", flat=True))
        assert classes == {"Normal", "Bronze", "Silver", "Gold"}
        assert free.values("area").distinct().count() >= 4

    def test_nearly_everybody_is_ready_for_electronic_invoices(self) -> None:
        """Sellers and buyers who are told of pass all checks, and some are incomplete."""
        issuers = Customer.objects.filter(children__isnull=False).distinct()
        assert {issuer.name for issuer in issuers} == set(parties.SELLERS)
        for issuer in issuers:
            issuer.seller.full_clean()
            assert in_the_way(seller_gaps(issuer.seller, issuer)) == [], issuer.name
        missing = set()
        for account in BillingAccount.objects.select_related("customer"):
            account.clean()
            seller = seller_of(account.provider)
            if in_the_way(buyer_gaps(account, account.customer, seller=seller)):
                missing.add(account.customer.name)
        assert missing == {"Brick Lane Bagels", "Ferienhof Arlberg"}
        told = BillingAccount.objects.filter(customer__name__in=parties.BUYERS)
        assert told.count() == len(parties.BUYERS)
        ready = [
            each
            for each in told
            if not buyer_gaps(each, each.customer, seller=seller_of(each.provider))
        ]
        assert len(ready) >= 6, "also for Peppol"

    def test_every_account_is_on_a_plan_that_its_provider_may_give(self) -> None:
        for account in BillingAccount.objects.select_related("provider", "customer"):
            provider = account.provider
            plans = assignable_plans(
                owner_id=provider.pk, ancestor_ids=provider.ancestor_ids
            )
            assert plans.filter(pk=account.plan_id).exists(), account.customer.name
        without = Customer.objects.filter(account=None)
        assert [customer.is_root for customer in without] == [True]

    def test_somebody_has_bought_calls_at_once(self) -> None:
        row = ExtraCalls.objects.select_related("account__customer", "account").get()
        assert calls_at_once(row.account).allowed(*CallKind) == 14

    def test_newcomer_has_nothing_yet(self) -> None:
        person = Person.objects.get(username="newcomer")
        assert not Customer.objects.filter(parent=person.customer).exists()
        assert not RatePlan.objects.filter(owner=person.customer).exists()
        assert not Number.objects.filter(customer=person.customer).exists()

    def test_every_month_of_the_year_has_invoices_and_payments(self) -> None:
        this_month = timezone.localdate().replace(day=1)
        wanted = {this_month - relativedelta(months=number) for number in range(12)}
        numbered = Invoice.objects.exclude(number="")
        months = {each.replace(day=1) for each in _values(numbered, "issued_on")}
        assert wanted <= months
        paid = {each.replace(day=1) for each in _values(Payment.objects, "received_on")}
        assert wanted - {this_month} <= paid
        issuers = set(_values(numbered, "issuer__name"))
        assert issuers == set(parties.SELLERS)
        customers = Customer.objects.filter(account__invoices__in=numbered)
        assert {customer.depth for customer in customers} == {1, 2, 3}

    def test_invoices_show_every_status_and_both_documents(self) -> None:
        assert set(_values(Invoice.objects, "status")) == set(InvoiceStatus.values)
        assert set(_values(Invoice.objects, "type")) == set(InvoiceType.values)
        assert set(_values(Invoice.objects, "currency")) == {"EUR", "GBP", "USD"}
        [held] = Invoice.objects.filter(status=InvoiceStatus.PENDING)
        assert held.gaps
        this_month = timezone.localdate().replace(day=1)
        queued = Invoice.objects.filter(status=InvoiceStatus.QUEUED)
        assert set(_values(queued, "issued_on")) == {this_month}
        assert Payment.objects.exclude(reversed_at=None).exists()

    def test_sums_of_invoices_agree_with_the_ledger(self) -> None:
        invoices = Invoice.objects.filter(type=InvoiceType.INVOICE).exclude(number="")
        for invoice in invoices.exclude(replaces__isnull=False):
            entries = LedgerEntry.objects.filter(invoice=invoice)
            if invoice.occasion == InvoiceOccasion.TOPUP:
                booked = sum(_values(entries, "amount"))
            else:
                money = [EntryKind.TOPUP, EntryKind.PAYMENT, EntryKind.INVOICE]
                booked = -sum(_values(entries.exclude(kind__in=money), "amount"))
            assert booked == invoice.total, invoice
        for account in BillingAccount.objects.filter(bill_type=BillType.POSTPAID):
            waiting = account.entries.filter(invoice=None, is_on_balance=True)
            owed = waiting.filter(amount__lt=0).aggregate(sum=Sum("amount"))["sum"]
            assert account.balance >= (owed or 0), "what is owed is on invoices"
        assert check_ledger().faults == 0

    def test_numbers_of_each_seller_are_without_gaps_and_go_with_the_days(self) -> None:
        for count in SeriesCount.objects.select_related("series"):
            rows = Invoice.objects.filter(
                issuer=count.series.issuer_id,
                type=count.series.type,
                issued_on__year=count.year,
            ).order_by("number")
            numbers = [
                count.series.number(count.year, n + 1) for n in range(count.last)
            ]
            assert list(_values(rows, "number")) == numbers
            days = list(_values(rows, "issued_on"))
            assert days == sorted(days)

    def test_electronic_invoices_are_valid(self) -> None:
        rows = Invoice.objects.filter(format=InvoiceFormat.XML).exclude(number="")
        assert rows.count() >= 10
        assert set(_values(rows, "currency")) >= {"EUR", "GBP"}
        for invoice in rows:
            document = thaw(invoice.content).document
            assert findings(ubl(document), Syntax.UBL) == [], invoice

    def test_workers_draw_and_mail_the_present_month_only(self) -> None:
        this_month = timezone.localdate().replace(day=1)
        numbered = Invoice.objects.exclude(number="")
        waiting = numbered.filter(drawn_at=None)
        assert waiting.count() >= 20
        present = numbered.filter(issued_on__gte=this_month)
        closed = [InvoiceStatus.CANCELLED, InvoiceStatus.SUPERSEDED]
        assert set(waiting) == set(present.exclude(status__in=closed))
        unsent = numbered.filter(mailed_at=None, is_sent_to_customer=True)
        assert set(unsent) == set(waiting)
        assert not InvoiceFile.objects.exists()

    def test_some_are_out_of_credit_some_low_and_some_locked_by_an_invoice(
        self,
    ) -> None:
        accounts = BillingAccount.objects.all()
        assert accounts.filter(out_of_credit(), balance__lt=0).exists()
        assert accounts.filter(low_since__isnull=False).exists()
        assert accounts.filter(overdue_lock=OverdueLock.LOCKED).exists()

    def test_log_tells_of_invoices_and_payments_on_their_days(self) -> None:
        times = list(_values(AuditEvent.objects.order_by("pk"), "at"))
        assert times == sorted(times)
        issued = AuditEvent.objects.filter(action="invoice.issued").earliest("pk")
        assert (timezone.now() - issued.at).days > 300

    def test_one_login_for_each_role_works(self) -> None:
        logins = demo_logins()
        assert [login.role for login in logins] == [
            "System owner",
            "Reseller",
            "Administrator",
            "User",
            "Reseller",
        ]
        for login in logins:
            person = PersonBackend().authenticate(
                None, username=login.username, password=PASSWORD
            )
            assert person is not None, login.username
            assert person.username == login.username

    def test_people_without_a_demo_login_have_no_password(self) -> None:
        usernames = {login.username for login in demo_logins()}
        others = Person.objects.exclude(username__in=usernames)
        assert others.exists()
        assert not any(person.has_usable_password() for person in others)

    def test_log_goes_forward_in_time_and_names_who_did_it(self) -> None:
        events = AuditEvent.objects.filter(action="customer.created").order_by("pk")
        times = [event.at for event in events]
        assert times == sorted(times)
        assert (times[-1] - times[0]).days > 365
        assert {"Olivia Berg", "Anna Weber"} <= {event.person_name for event in events}

    def test_first_start_again_changes_nothing(self) -> None:
        before = Customer.objects.count(), AuditEvent.objects.count()
        run("--first-start")
        assert (Customer.objects.count(), AuditEvent.objects.count()) == before

    def test_demo_is_known_by_its_mark_though_the_owner_was_renamed(self) -> None:
        Customer.objects.filter(parent=None).update(name="Renamed while trying things")
        Person.objects.filter(username="owner").delete()
        run("--first-start")
        assert guard.demo_owner() is not None

    def test_logins_are_printed_one_a_line(self) -> None:
        lines = run("--print-logins").splitlines()
        assert len(lines) == 6
        assert lines[0].split() == ["Role", "User", "name", "Password", "Works", "at"]
        assert lines[1].startswith("System owner ")
        assert all(PASSWORD in line for line in lines[1:])


def test_no_mail_leaves_the_demo_even_with_a_mail_server(
    demo: None, all_tenants: None
) -> None:
    """It was made with one: tests/portal/demo.py."""
    statuses = set(OutgoingEmail.objects.values_list("status", flat=True))
    assert statuses == {EmailStatus.KEPT}


@pytest.mark.parametrize(
    "arguments", [["--first-start"], ["--customers", "10"], ["--print-logins"]]
)
def test_real_data_is_never_touched(
    db: None, all_tenants: None, arguments: list[str]
) -> None:
    create_system_owner(
        name="Trunk Systems",  # a name like the demo's proves nothing
        email="office@real.test",
        person=NewPerson(username="owner"),
    )
    with pytest.raises(CommandError, match="belongs to “Trunk Systems”"):
        run(*arguments)
    assert Customer.objects.count() == 1
    assert Person.objects.count() == 1


def test_logins_of_an_empty_database_are_refused(db: None) -> None:
    with pytest.raises(CommandError, match="--first-start"):
        run("--print-logins")


@pytest.mark.django_db(transaction=True)
def test_two_first_starts_at_once_make_one_world(short_year: None) -> None:
    barrier = threading.Barrier(2)
    made: list[bool] = []

    def start() -> None:
        try:
            barrier.wait(timeout=10)
            made.append(building.build_world())
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(made) == [False, True]
