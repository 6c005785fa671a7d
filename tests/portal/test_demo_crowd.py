"""The demo's crowd: loaded past the services, and by their rules all the same."""

from __future__ import annotations

from random import Random
from typing import ClassVar

import pytest
from django.core.management import CommandError
from django.db.models import Count, F, Q
from django.test import TestCase

from billing.models import BillingAccount
from customers.choices import CustomerKind
from customers.models import Customer, Mailbox, Number, Person, TelephoneLine
from portal.core.scope import scopes_disabled
from portal.demo import crowd
from portal.demo.names import Names
from tests.portal.test_demo_data import run


@pytest.mark.usefixtures("demo", "all_tenants")
class TestCrowd(TestCase):
    """What `--customers` loads past the services keeps their rules."""

    COUNT = 300
    before: ClassVar[int]
    answer: ClassVar[str]
    big: ClassVar[Customer]

    @classmethod
    def setUpTestData(cls) -> None:
        with scopes_disabled():  # before the fixture of the tests themselves
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


def test_the_smallest_crowd_is_five_deep_too(
    db: None, all_tenants: None, short_year: None
) -> None:
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
