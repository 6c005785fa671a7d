"""One number becomes customer, line, mailbox and login: all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from customers.choices import RoleDefault
from customers.models import (
    Customer,
    Mailbox,
    Number,
    Person,
    Role,
    SystemOptions,
    TelephoneLine,
)
from customers.services.customers import NewPerson, update_customer
from customers.services.residential import Residential, create_residential
from portal.core import secrets
from portal.core.models import AuditEvent, OutgoingEmail
from portal.core.scope import scopes_disabled, subtree
from tests.race import race
from tests.world import World, build_world

NUMBER = "+49305550100"
DIGITS = "49305550100"


@pytest.fixture
def inside(world: World) -> Iterator[World]:
    with subtree(world.acme):
        yield world


def _create(world: World, **changes: Any) -> Residential:
    arguments: dict[str, Any] = {
        "parent": world.acme,
        "number": world.numbers[0],
        "person": NewPerson("", "Rosa", "Reich", "rosa@home.test"),
        "values": {"email": "rosa@home.test"},
        "account": {"plan": world.acme_plan},
        "by": world.actor(world.ann),
    }
    return create_residential(**arguments | changes)


def test_one_number_becomes_everything(inside: World) -> None:
    made = _create(inside)
    customer = made.customer
    assert (customer.kind, customer.name) == ("residential", NUMBER)
    assert customer.parent == inside.acme
    assert customer.account.plan == inside.acme_plan

    number = Number.objects.get(number=NUMBER)
    line = TelephoneLine.objects.get(customer=customer)
    mailbox = Mailbox.objects.get(customer=customer)
    assert (number.customer, number.line, number.mailbox) == (customer, line, mailbox)
    assert (line.name, line.username, line.callerid) == (NUMBER, DIGITS, NUMBER)
    assert line.mailbox == mailbox
    assert (mailbox.box_number, mailbox.emails) == (DIGITS, "rosa@home.test")

    person = Person.objects.get(customer=customer)
    assert person == made.person
    assert (person.username, person.display_name) == (NUMBER, "Rosa Reich")
    assert person.role.name == "User"
    assert person.role.default_for == RoleDefault.RESIDENTIAL


def test_secrets_are_given_once_and_kept_unreadable(inside: World) -> None:
    made = _create(inside)
    line = TelephoneLine.objects.get(customer=made.customer)
    mailbox = Mailbox.objects.get(customer=made.customer)
    assert secrets.decrypt(line.password) == made.line_password
    assert made.line_password not in line.password
    assert check_password(made.mailbox_pin, mailbox.pin)
    assert made.mailbox_pin.isdecimal()
    logged = "".join(
        f"{change.old}{change.new}"
        for event in AuditEvent.objects.filter(customer=made.customer)
        for change in event.changes.all()
    )
    assert made.line_password not in logged
    assert made.mailbox_pin not in logged.replace(DIGITS, "")


def test_login_details_are_mailed(inside: World) -> None:
    made = _create(inside)
    email = OutgoingEmail.objects.get(customer=made.customer)
    assert (email.person, email.to) == (made.person, ["rosa@home.test"])


def test_every_part_is_written_down(inside: World) -> None:
    made = _create(inside)
    events = AuditEvent.objects.filter(customer=made.customer)
    assert set(events.values_list("action", flat=True)) == {
        "customer.created",
        "line.created",
        "mailbox.created",
        "number.assigned",
        "person.created",
    }
    assert {event.person_name for event in events} == {"Ann Weber"}


def test_name_given_by_hand_is_not_taken(inside: World) -> None:
    made = _create(inside, values={"name": "Rosa", "email": "rosa@home.test"})
    assert made.customer.name == NUMBER


# --- Anything failing leaves nothing ----------------------------------------------------


def _line_name_taken(world: World) -> None:
    TelephoneLine.objects.create(
        customer=world.rival, name="x", username=DIGITS, password="x"
    )


def _person_name_taken(world: World) -> None:
    Person.objects.create(
        customer=world.rival,
        username=f" {NUMBER}",
        role=Role.objects.get(name="User"),
    )


def _customer_name_taken(world: World) -> None:
    Customer.objects.filter(pk=world.rival.pk).update(name="+49 30 5550100")


def _role_out_of_reach(world: World) -> None:
    Role.objects.filter(name="User").update(permissions=["user", "system"])


def _email_taken(world: World) -> None:
    SystemOptions.objects.update(person_email_unique=True)
    Person.objects.filter(pk=world.eve.pk).update(emails="rosa@home.test")


def _number_given_away(world: World) -> None:
    Number.objects.filter(number=NUMBER).update(customer=world.beta)


def _number_in_use(world: World) -> None:
    mailbox = Mailbox.objects.create(
        customer=world.acme, name="x", box_number="100", pin="x"
    )
    Number.objects.filter(number=NUMBER).update(mailbox=mailbox)


@pytest.mark.parametrize(
    ("prepare", "changes", "refused"),
    [
        (_number_given_away, {}, "number"),
        (_number_in_use, {}, "number"),
        (_customer_name_taken, {}, "number"),
        (None, {"values": {"email": "nonsense"}}, "email"),
        (None, {"account": {"credit_limit": Decimal(-1)}}, "credit_limit"),
        (None, {"person": NewPerson("", emails="nonsense")}, "emails"),
        (None, {"person": NewPerson("", first_name="x" * 61)}, "person_first_name"),
        (_line_name_taken, {}, "number"),
        (_person_name_taken, {}, "number"),
        (_role_out_of_reach, {}, "person_role"),
        (_email_taken, {}, "person_emails"),
    ],
)
def test_failing_at_any_step_leaves_nothing(
    world: World,
    prepare: Callable[[World], None] | None,
    changes: dict[str, Any],
    refused: str,
) -> None:
    if "account" in changes:
        changes = {"account": {"plan": world.acme_plan} | changes["account"]}
    with scopes_disabled():
        if prepare:
            prepare(world)
        before = _everything()
    with subtree(world.acme), pytest.raises(ValidationError) as refusal:
        _create(world, **changes)
    assert set(refusal.value.error_dict) == {refused}
    with scopes_disabled():
        assert _everything() == before


def _everything() -> dict[str, Any]:
    """Every row that creating could have made or changed."""
    models = (Customer, TelephoneLine, Mailbox, Person, OutgoingEmail, AuditEvent)
    counts: dict[str, Any] = {m.__name__: m.objects.count() for m in models}
    numbers = Number.objects.order_by("pk").values_list("pk", "customer", "line")
    counters = Customer.objects.order_by("pk").values_list("account_counter", flat=True)
    return counts | {"numbers": list(numbers), "counters": list(counters)}


@pytest.mark.parametrize("holder", ["root", "rival", "beta"])
def test_number_of_somebody_else_is_not_free(world: World, holder: str) -> None:
    with scopes_disabled():
        Number.objects.filter(number=NUMBER).update(customer=getattr(world, holder))
    with subtree(world.acme), pytest.raises(ValidationError) as refusal:
        _create(world)
    assert set(refusal.value.error_dict) == {"number"}


def test_parent_outside_of_the_account_is_refused(world: World) -> None:
    with scopes_disabled():
        Number.objects.filter(number=NUMBER).update(customer=world.rival)
        with pytest.raises(PermissionDenied):
            _create(world, parent=world.rival)


def test_reseller_below_uses_its_own_numbers(world: World) -> None:
    with scopes_disabled():
        Number.objects.filter(number=NUMBER).update(customer=world.beta)
    with subtree(world.beta):
        made = _create(
            world,
            parent=world.beta,
            account={"plan": world.beta_plan},
            by=world.actor(world.ben),
        )
    assert made.customer.parent == world.beta


# --- Afterwards -------------------------------------------------------------------------


def test_residential_customer_keeps_its_number_as_its_name(inside: World) -> None:
    customer = _create(inside).customer
    with pytest.raises(ValidationError) as refusal:
        update_customer(
            customer=customer,
            values={"name": "Rosa Reich"},
            account={},
            expected_version=customer.version,
            by=inside.actor(inside.ann),
        )
    assert set(refusal.value.error_dict) == {"name"}
    assert Customer.objects.get(pk=customer.pk).name == NUMBER


# --- Two at once ------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_picking_one_number_at_once_make_one_customer() -> None:
    world = build_world()

    def pick(first_name: str) -> Residential:
        with subtree(world.acme):
            return _create(world, person=NewPerson("", first_name, "X", "x@y.test"))

    results = race(lambda: pick("Rosa"), lambda: pick("Rita"))
    made = [result for result in results if isinstance(result, Residential)]
    refused = [result for result in results if isinstance(result, ValidationError)]
    assert (len(made), len(refused)) == (1, 1), results
    assert set(refused[0].error_dict) == {"number"}
    assert "has just been given" in refused[0].messages[0]
    with scopes_disabled():
        assert Customer.objects.filter(kind="residential").count() == 1
        assert Number.objects.get(number=NUMBER).customer == made[0].customer
        assert OutgoingEmail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_connection_lost_half_way_leaves_nothing() -> None:
    """The last step is cut off by the server itself, as when it is stopped."""
    world = build_world()
    with scopes_disabled():
        before = _everything()

    def cut() -> None:
        with subtree(world.acme), connection.execute_wrapper(_cut_at_the_person):
            _create(world)

    (error,) = race(cut)
    assert "terminating connection" in str(error)
    with scopes_disabled():
        assert _everything() == before


def _cut_at_the_person(execute: Any, sql: str, params: Any, many: bool, context: Any):
    if sql.startswith('INSERT INTO "customers_person"'):
        with context["connection"].cursor() as cursor:
            cursor.cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return execute(sql, params, many, context)
