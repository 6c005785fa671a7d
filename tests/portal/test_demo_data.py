"""The demo's world: made once, believable, and never in somebody's real database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import StringIO
from random import Random
from typing import ClassVar

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, F, Q
from django.test import TestCase
from pytest_django import Settings

from billing.calls_at_once import calls_at_once
from billing.choices import CallKind
from billing.models import BillingAccount, ExtraCalls, Tax
from customers.backends import PersonBackend
from customers.choices import CustomerKind, Lock
from customers.models import (
    Company,
    Customer,
    DialPlan,
    Mailbox,
    Number,
    Person,
    Region,
    TelephoneLine,
    TimeGroup,
)
from customers.services.customers import NewPerson
from customers.services.installation import create_system_owner
from portal.core.models import AuditEvent, EmailStatus, OutgoingEmail
from portal.core.scope import scopes_disabled
from portal.demo import building, crowd, guard
from portal.demo.logins import PASSWORD, demo_logins
from portal.demo.names import Names
from rateplans.choices import Sharing
from rateplans.models import RatePlan
from rateplans.selectors import assignable_plans


@pytest.fixture
def all_tenants() -> Iterator[None]:
    with scopes_disabled():  # these tests look at the whole tree
        yield


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("demo_data", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.usefixtures("all_tenants")
class TestWorld(TestCase):
    """The small world, made once for all of these."""

    @classmethod
    def setUpTestData(cls) -> None:
        assert building.build_world()

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
    db: None, all_tenants: None, settings: Settings
) -> None:
    settings.EMAIL_IS_KEPT = False
    building.build_world()
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
def test_two_first_starts_at_once_make_one_world() -> None:
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


@pytest.mark.usefixtures("all_tenants")
class TestCrowd(TestCase):
    """What `--customers` loads past the services keeps their rules."""

    COUNT = 300
    before: ClassVar[int]
    answer: ClassVar[str]
    big: ClassVar[Customer]

    @classmethod
    def setUpTestData(cls) -> None:
        with scopes_disabled():  # before the fixture of the tests themselves
            building.build_world()
            cls.before = Customer.objects.count()
            cls.answer = run("--customers", str(cls.COUNT), "--seed", "7")
            cls.big = Person.objects.get(username="big").customer

    def test_counts(self) -> None:
        assert Customer.objects.count() - self.before == self.COUNT
        assert Customer.objects.filter(parent=self.big, kind="normal").exists()
        below_big = Customer.objects.filter(parent=self.big).exclude(
            Q(rate_plans__isnull=False)
        )
        assert below_big.count() == self.COUNT * 60 // 100
        assert self.answer.startswith("Added 300 customers in ")

    def test_tree_is_whole_and_five_deep(self) -> None:
        depths = set()
        for customer in Customer.objects.select_related("parent"):
            if customer.parent is not None:
                assert customer.path == f"{customer.parent.path}{customer.pk}."
            depths.add(customer.depth)
        assert depths == {0, 1, 2, 3, 4}

    def test_every_customer_has_one_account_with_its_parent(self) -> None:
        customers = Customer.objects.exclude(parent=None)
        wrong = customers.exclude(account__provider=F("parent"))
        assert not wrong.exists()
        assert BillingAccount.objects.count() == customers.count()

    def test_plans_are_those_of_the_provider(self) -> None:
        crowd_accounts = BillingAccount.objects.filter(
            customer__path__startswith=self.big.path
        ).exclude(customer=self.big)
        assert crowd_accounts.exists()
        assert not crowd_accounts.exclude(plan__owner=F("provider")).exists()

    def test_residential_customers_consist_of_their_number(self) -> None:
        residents = Customer.objects.filter(
            kind=CustomerKind.RESIDENTIAL, path__startswith=self.big.path
        )
        assert residents.count() > self.COUNT * 15 // 100
        for customer in residents[:20]:
            number = Number.objects.get(customer=customer)
            line = TelephoneLine.objects.get(customer=customer)
            mailbox = Mailbox.objects.get(customer=customer)
            person = Person.objects.get(customer=customer)
            assert customer.name == number.number == person.username == line.name
            assert number.line == line
            assert number.mailbox == line.mailbox == mailbox

    def test_models_find_nothing_wrong_with_the_rows(self) -> None:
        for model in (Customer, Person, Number, TelephoneLine, Mailbox, BillingAccount):
            for row in model._default_manager.order_by("-pk")[:15]:
                row.full_clean()

    def test_account_numbers_count_on_for_the_next_customer(self) -> None:
        highest = (
            Customer.objects.filter(parent=self.big)
            .order_by("-account_number")
            .values_list("account_number", flat=True)[0]
        )
        assert self.big.account_counter == int(highest)

    def test_nobody_but_the_big_reseller_can_sign_in(self) -> None:
        people = Person.objects.filter(customer__path__startswith=self.big.path)
        usable = [person.username for person in people if person.has_usable_password()]
        assert usable == ["big"]

    def test_a_second_crowd_fits_beside_the_first(self) -> None:
        run("--customers", "10", "--seed", "7")
        names = Customer.objects.values("name_key").annotate(count=Count("pk"))
        assert not names.filter(count__gt=1).exists()
        assert Person.objects.filter(username="big").count() == 1


def test_the_smallest_crowd_is_five_deep_too(db: None, all_tenants: None) -> None:
    crowd.load_crowd(count=crowd.MINIMUM, seed=1)
    assert max(customer.depth for customer in Customer.objects.all()) == 4


def test_too_small_a_crowd_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="at least 10"):
        run("--customers", "9")


def test_the_same_seed_draws_the_same_crowd(db: None, all_tenants: None) -> None:
    first, second = Names(Random(5)), Names(Random(5))
    assert [first.business(n) for n in range(50)] == [
        second.business(n) for n in range(50)
    ]
    assert len({first.business(n) for n in range(1000)}) == 1000
