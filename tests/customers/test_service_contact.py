"""The customer service that a rate plan names (D 3.2, 9): answers, copies, telephone."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail as outbox
from pytest_django import Settings

from customers import emails
from customers.branding import brand_seen_by
from customers.models import Customer, Person
from customers.services import lines
from portal.core import mail
from portal.core.actor import system_actor
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled
from rateplans.models import RatePlan
from tests.customers.features import url_of
from tests.world import World

COMPANY = "care@acme.test"  # of Acme, whose brand Beta and Gamma see


def change(plan: RatePlan, **values: Any) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(pk=plan.pk).update(**values)


def told(customer: Customer) -> tuple[str, str, tuple[str, ...]]:
    brand = brand_seen_by(customer)
    return brand.reply_to, brand.telephone, brand.copies


def changed(person: Person) -> OutgoingEmail:
    """A mail to ``person`` that opens nothing."""
    with scopes_disabled():
        email = emails.send_password_changed(person)
    assert email is not None
    return email


def test_without_a_plans_contact_the_companys_is_named(world: World) -> None:
    assert told(world.beta) == (COMPANY, "", ())
    assert told(world.acme) == ("", "", ())
    assert told(world.root) == ("", "", ())


def test_a_plans_own_contact_counts_before_the_companys(world: World) -> None:
    change(
        world.acme_plan,
        service_email="plan@acme.test, more@acme.test",
        service_telephone="+4930555",
    )
    assert told(world.beta) == ("plan@acme.test", "+4930555", ())
    assert told(world.gamma) == (COMPANY, "", ()), "on a plan of Beta's"


def test_what_is_inherited_from_further_up_does_not_hide_the_company(
    world: World,
) -> None:
    change(
        world.root_plan, service_email="care@root.test", service_telephone="+4930777"
    )
    change(world.acme_plan, inherits_own=True)
    # The company names no telephone, so that one is inherited.
    assert told(world.beta) == (COMPANY, "+4930777", ())
    assert told(world.acme) == ("care@root.test", "+4930777", ())
    change(world.acme_plan, service_email="plan@acme.test")
    assert told(world.beta)[0] == "plan@acme.test"


def test_copies_go_where_answers_go(world: World) -> None:
    assert changed(world.ben).copy_to == []
    change(world.acme_plan, copy_service_email=True)
    assert changed(world.ben).copy_to == [COMPANY]
    change(world.acme_plan, service_email="one@acme.test two@acme.test")
    email = changed(world.ben)
    assert email.copy_to == ["one@acme.test", "two@acme.test"]
    assert (email.reply_to, email.to) == ("one@acme.test", [world.ben.emails])


def test_a_copy_is_sent_with_the_mail_and_shown(
    world: World, settings: Settings
) -> None:
    settings.EMAIL_IS_KEPT = False
    change(world.acme_plan, copy_service_email=True)
    email = changed(world.ben)
    mail.send_due(email.pk)
    [sent] = outbox.outbox
    assert (sent.to, sent.cc) == ([world.ben.emails], [COMPANY])
    url = url_of(world.acme, "email-detail", pk=email.pk)
    facts = world.client(world.ann).get(url).context["facts"]
    assert {"label": "Copy to", "value": COMPANY} in facts


def test_nobody_gets_a_copy_of_what_opens_an_account(world: World) -> None:
    change(world.acme_plan, copy_service_email=True)
    with scopes_disabled():
        for email in (
            emails.send_login_details(world.ben),
            emails.send_password_reset(world.ben),
        ):
            assert email.copy_to == []


def test_who_gets_the_mail_gets_no_copy_of_it(world: World) -> None:
    change(world.acme_plan, copy_service_email=True, service_email=world.ben.emails)
    assert changed(world.ben).copy_to == []


@pytest.mark.parametrize(
    ("says", "ticked"), [(None, True), (True, True), (False, False)]
)
def test_a_new_line_calls_out_as_the_plan_says(
    world: World, says: bool | None, ticked: bool
) -> None:
    change(world.acme_plan, external_out=says)
    page = world.client(world.ben).get(url_of(world.beta, "line-create"))
    assert page.context["form"]["is_external_allowed"].value() is ticked


def test_a_line_that_somebody_else_makes_does_so_too(world: World) -> None:
    """Such as that of a new residential customer."""
    change(world.acme_plan, external_out=False)
    with scopes_disabled():
        made = [
            lines.create_line(
                customer=world.beta,
                values={"name": "Line", "username": f"line-{number}"} | values,
                by=system_actor(world.beta),
            )[0]
            for number, values in enumerate(({}, {"is_external_allowed": True}))
        ]
    assert [line.is_external_allowed for line in made] == [False, True]
