"""The mail that a balance is low: once for each fall, whoever posts, races or was down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from billing import ledger
from billing.choices import EntryKind
from billing.models import BillingAccount
from billing.services import accounts
from customers import jobs
from customers.models import Company, Customer
from portal.core import jobs as core_jobs
from portal.core.actor import system_actor
from portal.core.models import EmailStatus, OutgoingEmail
from portal.core.scope import scopes_disabled
from tests.books import give
from tests.core.post_office import PostOffice, open_office
from tests.race import race
from tests.world import World, build_world


def watch(customer: Customer, threshold: Decimal | int = 50, **values: Any) -> None:
    """Let ``customer`` be told of a balance below ``threshold``."""
    with scopes_disabled():
        BillingAccount.objects.filter(customer=customer).update(
            low_balance=threshold, **values
        )


def set_threshold(customer: Customer, threshold: int) -> None:
    """As a reseller does, through the service."""
    with scopes_disabled():
        account = BillingAccount.objects.get(customer=customer)
        accounts.update_account(
            account=account,
            values={"low_balance": Decimal(threshold)},
            taxes=None,
        )


def mails() -> list[OutgoingEmail]:
    jobs.tell_low_balances()
    return stored()


def stored() -> list[OutgoingEmail]:
    with scopes_disabled():
        return list(OutgoingEmail.objects.filter(kind="low_balance").order_by("pk"))


# --- When -----------------------------------------------------------------------------


def test_falling_below_is_told_once(world: World) -> None:
    watch(world.beta)
    give(world.beta, 50)
    assert mails() == [], "50 is not below 50"
    give(world.beta, -1)
    assert [email.to for email in mails()] == [["billing@beta.test"]]
    give(world.beta, -20)
    assert len(mails()) == 1, "it is low still, and was told so"


@pytest.mark.django_db(transaction=True)
def test_rising_above_arms_it_again() -> None:
    world = build_world()
    watch(world.beta)
    give(world.beta, 49)
    assert len(mails()) == 1
    give(world.beta, 1)
    assert len(mails()) == 1
    give(world.beta, -5)
    assert len(mails()) == 2
    assert len({email.key for email in stored()}) == 2


def test_fall_that_is_over_before_anybody_looked_is_not_told(world: World) -> None:
    watch(world.beta)
    give(world.beta, 10)
    give(world.beta, 100)
    assert mails() == []


def test_threshold_of_zero_tells_nothing(world: World) -> None:
    give(world.beta, -10)
    assert mails() == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(0, 50, 1), (20, 50, 1), (20, 25, 0), (50, 60, 1), (50, 0, 0), (50, 20, 0)],
)
def test_new_threshold_counts_at_once(
    world: World, before: int, after: int, expected: int
) -> None:
    give(world.beta, 30)
    set_threshold(world.beta, before)
    set_threshold(world.beta, after)
    assert len(mails()) == expected


def test_higher_threshold_while_low_tells_nothing_new(world: World) -> None:
    give(world.beta, 30)
    set_threshold(world.beta, 50)
    assert len(mails()) == 1
    set_threshold(world.beta, 60)
    assert len(mails()) == 1


@pytest.mark.parametrize(
    ("bill_type", "expected"),
    [
        ("prepaid", 1),
        ("prepaid_invoices", 1),
        ("prepaid_calls", 1),
        ("postpaid", 1),
        ("external", 0),
        ("none", 0),
    ],
)
def test_billing_types_without_a_balance_are_not_told(
    world: World, bill_type: str, expected: int
) -> None:
    watch(world.beta, bill_type=bill_type)
    give(world.beta, 10)
    assert len(mails()) == expected


def test_deleted_customers_are_not_told(world: World) -> None:
    watch(world.beta)
    give(world.beta, 10)
    with scopes_disabled():
        Customer.objects.filter(pk=world.beta.pk).update(deleted_at=timezone.now())
    assert mails() == []


def test_customers_without_an_address_are_told_once_they_have_one(
    world: World,
) -> None:
    watch(world.beta)
    give(world.beta, 10)
    with scopes_disabled():
        beta = Customer.objects.filter(pk=world.beta.pk)
        beta.update(email="")
        assert mails() == []
        beta.update(email="one@beta.test, two@beta.test")
    assert [email.to for email in mails()] == [["one@beta.test", "two@beta.test"]]


# --- Runs, races, workers -------------------------------------------------------------


def test_one_run_over_many_accounts_and_entries_tells_each_once(world: World) -> None:
    """Down, up and down again inside one statement and one transaction is one fall."""
    customers = [world.acme, world.beta, world.gamma, world.rival]
    for customer in customers:
        watch(customer)
        give(customer, 200)
    with scopes_disabled():
        ids = list(BillingAccount.objects.values_list("pk", flat=True))
    fees = [
        ledger.debit(pk, f"fee:{at}", EntryKind.RECURRING, Decimal(1), "Fee")
        for pk in ids
        for at in range(160)
    ]
    ledger.post(fees, by=system_actor(world.root), within_limits=False)
    for customer in customers:
        give(customer, 100)
        give(customer, -100)
    assert sorted(email.to[0].split("@")[1] for email in mails()) == [
        "acme.test",
        "beta.test",
        "gamma.test",
        "rival.test",
    ]


@pytest.mark.django_db(transaction=True)
def test_postings_and_sweeps_that_race_tell_once() -> None:
    world = build_world()
    watch(world.beta)
    account = give(world.beta, 60)

    def post() -> None:
        fee = ledger.debit(
            account.pk, f"fee:{uuid4()}", EntryKind.RECURRING, Decimal(15), "Fee"
        )
        ledger.post([fee], by=system_actor(world.beta), within_limits=False)
        jobs.tell_low_balances()

    assert race(*[post] * 6) == [None] * 6
    assert len(mails()) == 1


@pytest.mark.django_db(transaction=True)
def test_sweeps_of_two_workers_tell_once() -> None:
    world = build_world()
    watch(world.beta)
    give(world.beta, 10)
    assert race(*[jobs.tell_low_balances] * 4) == [None] * 4
    assert len(stored()) == 1


def test_worker_that_was_down_for_days_tells_when_it_is_back(world: World) -> None:
    watch(world.beta)
    give(world.beta, 10)
    with scopes_disabled():
        long_ago = timezone.now() - timedelta(days=9)
        BillingAccount.objects.filter(customer=world.beta).update(low_since=long_ago)
    give(world.beta, -4)
    (email,) = mails()
    assert "€6.00" in email.subject, "it says what the balance is now"


def test_trouble_with_one_account_keeps_no_other_back(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with scopes_disabled():
        Company.objects.create(customer=world.root, colour="nonsens")
    watch(world.acme)
    watch(world.beta)
    give(world.acme, 10)
    give(world.beta, 10)
    assert [email.to for email in mails()] == [["billing@beta.test"]]
    assert "could not be told" in caplog.text


def test_nothing_to_tell_costs_one_query(world: World) -> None:
    watch(world.beta)
    give(world.beta, 10)
    assert len(mails()) == 1
    with CaptureQueriesContext(connection) as queries:
        jobs.tell_low_balances()
    assert len(queries) == 1


def test_database_and_program_say_the_same_key(world: World) -> None:
    watch(world.beta)
    give(world.beta, 10)
    with scopes_disabled():
        account = jobs.untold_accounts().get()
    (email,) = mails()
    assert account.low_balance_key == email.key


# --- What it says ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bill_type", "limit", "words"),
    [
        (
            "prepaid",
            25,
            ["€35.00", "When your credit is used up", "Top up your balance"],
        ),
        ("prepaid", 0, ["€10.00", "When your credit is used up", "ask Acme for more"]),
        ("postpaid", 25, ["€35.00", "Pay your open invoices, or ask Acme for more"]),
    ],
)
def test_mail_says_balance_threshold_credit_and_what_to_do(
    world: World, bill_type: str, limit: int, words: list[str]
) -> None:
    watch(world.beta, bill_type=bill_type, credit_limit=limit)
    give(world.beta, 10)
    (email,) = mails()
    assert email.subject == "Your balance with Acme is low: €10.00"
    assert email.sender == "Acme <portal@localhost>"
    assert email.reply_to == "care@acme.test"
    for text in (email.text, email.html):
        for word in ["Beta Voice", "€10.00", "below €50.00", *words]:
            assert word in text
        assert f"/a/{world.beta.pk}/reports/account/" in text
    assert "#7a1fa2" in email.html


def test_mail_says_when_nothing_is_left(world: World) -> None:
    watch(world.beta, credit_limit=5)
    give(world.beta, -6)
    (email,) = mails()
    assert "Your credit is used up" in email.text
    assert "You can still spend: €0.00" in email.text
    assert "-€6.00" in email.text


def test_names_are_text_in_the_mail(world: World) -> None:
    with scopes_disabled():
        Customer.objects.filter(pk=world.beta.pk).update(name="<b>R&D</b>")
    watch(world.beta)
    give(world.beta, 10)
    (email,) = mails()
    assert "<b>R&D</b>" in email.text
    assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in email.html
    assert "<b>R" not in email.html


@pytest.mark.parametrize(
    ("own", "above", "top", "amount"),
    [
        ("de", "", "", "10,00\u00a0€"),
        ("en", "de", "de", "€10.00"),
        ("", "de", "en", "10,00\u00a0€"),
        ("", "", "de", "10,00\u00a0€"),
        ("", "", "", "€10.00"),
    ],
)
def test_language_is_the_customers_or_the_nearest_one_aboves(
    world: World, own: str, above: str, top: str, amount: str
) -> None:
    with scopes_disabled():
        for customer, language in (
            (world.gamma, own),
            (world.beta, above),
            (world.acme, top),
        ):
            Customer.objects.filter(pk=customer.pk).update(language=language)
    watch(world.gamma)
    give(world.gamma, 10)
    (email,) = mails()
    assert amount.replace("\u00a0", " ") in email.subject
    assert amount in email.text


@pytest.fixture
def office(settings: Settings) -> Iterator[PostOffice]:
    """A mail server, and a portal that sends through it."""
    with open_office() as post_office:
        settings.EMAIL_IS_KEPT = False
        settings.EMAIL_BACKEND = "portal.core.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = post_office.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield post_office


def test_mail_arrives_at_every_billing_address(
    world: World, office: PostOffice
) -> None:
    with scopes_disabled():
        Customer.objects.filter(pk=world.beta.pk).update(
            email="billing@beta.test, boss@beta.test"
        )
    watch(world.beta)
    give(world.beta, 10)
    jobs.tell_low_balances()
    core_jobs.send_waiting_emails()
    (received,) = office.mails
    assert office.recipients == [["billing@beta.test", "boss@beta.test"]]
    assert received["Subject"] == "Your balance with Acme is low: €10.00"
    text = received.get_body(("plain",))
    assert text is not None
    assert "You can still spend: €10.00" in text.get_content()
    jobs.tell_low_balances()
    core_jobs.send_waiting_emails()
    assert len(office.mails) == 1
    assert [email.status for email in stored()] == [EmailStatus.SENT]
