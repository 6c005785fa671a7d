"""Mails in a reseller's own words: whose words reach whom, and how they arrive."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers import emails, jobs
from customers.customs import customs_for
from customers.models import Customer
from portal.core import mail
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled
from rateplans.choices import CustomName
from rateplans.models import CustomSetting, RatePlan
from tests.books import give
from tests.customers.test_low_balance import watch
from tests.world import World

SUBJECT = CustomName.LOGIN_DETAILS_SUBJECT


def say(
    plan: RatePlan, value: str, name: CustomName = SUBJECT, **values: Any
) -> CustomSetting:
    with scopes_disabled():
        return CustomSetting.objects.create(plan=plan, name=name, value=value, **values)


def heard(customer: Customer, language: str = "en") -> str:
    return customs_for(customer, [SUBJECT], language=language).get(SUBJECT, "")


def change(plan: RatePlan, **values: Any) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(pk=plan.pk).update(**values)


# --- Whose words reach whom -----------------------------------------------------------


def test_words_reach_the_customers_on_the_plan_and_those_below(world: World) -> None:
    say(world.acme_plan, "Acme")
    assert heard(world.beta) == "Acme"
    assert heard(world.gamma) == "Acme"
    assert heard(world.acme) == "", "it is not on its own plan"
    assert heard(world.rival) == ""
    assert heard(world.root) == ""


def test_a_lower_resellers_words_go_before(world: World) -> None:
    say(world.root_plan, "Root")
    say(world.acme_plan, "Acme")
    say(world.beta_plan, "Beta")
    assert [heard(each) for each in (world.gamma, world.beta, world.acme)] == [
        "Beta",
        "Acme",
        "Root",
    ]


def test_words_for_own_customers_only_stop_there(world: World) -> None:
    say(world.acme_plan, "Direct", reach="direct")
    assert (heard(world.beta), heard(world.gamma)) == ("Direct", "")
    say(world.acme_plan, "All")
    assert (heard(world.beta), heard(world.gamma)) == ("Direct", "All")


def test_a_plan_says_what_it_inherits(world: World) -> None:
    change(world.acme_plan, base=world.shared_plan)
    say(world.shared_plan, "Shared")
    assert heard(world.beta) == "Shared"
    say(world.acme_plan, "Acme")
    assert heard(world.beta) == "Acme"


def test_own_rate_plan_passes_words_for_everybody_on(world: World) -> None:
    """Beta's plan says what the plan says that Beta is on, but for what is Beta's alone."""
    change(world.beta_plan, inherits_own=True)
    say(world.acme_plan, "For Beta", reach="direct")
    assert heard(world.gamma) == ""
    say(world.acme_plan, "For all")
    assert heard(world.gamma) == "For all"
    assert heard(world.beta) == "For Beta"


def test_a_shared_plan_tells_the_customers_of_others_only_what_is_for_all(
    world: World,
) -> None:
    with scopes_disabled():
        world.gamma.account.plan = world.shared_plan
        world.gamma.account.save()
    say(world.shared_plan, "Direct", reach="direct")
    assert heard(world.gamma) == ""
    say(world.shared_plan, "All")
    assert heard(world.gamma) == "All"


@pytest.mark.parametrize(
    ("language", "expected"), [("de", "Hallo"), ("en", "Hi"), ("", "Hi")]
)
def test_the_readers_language_goes_before_all_languages(
    world: World, language: str, expected: str
) -> None:
    say(world.acme_plan, "Hallo", language="de")
    say(world.acme_plan, "Hi")
    assert heard(world.beta, language) == expected


def test_a_nearer_plan_goes_before_the_readers_language(world: World) -> None:
    say(world.acme_plan, "Hallo", language="de")
    say(world.beta_plan, "Hi")
    assert heard(world.gamma, "de") == "Hi"


def test_four_questions_however_deep(world: World) -> None:
    for plan in (world.root_plan, world.acme_plan, world.beta_plan):
        say(plan, "x")
        say(plan, "y", language="de")
    for customer in (world.acme, world.gamma):
        with CaptureQueriesContext(connection) as queries:
            customs_for(customer, CustomName, language="de")
        assert len(queries) <= 3


# --- In the mail ----------------------------------------------------------------------

WELCOME = """Welcome {name} <of> {customer}!

{link}

Your login: {username}, for {days} days."""


def login_details(world: World) -> OutgoingEmail:
    with scopes_disabled():
        return emails.send_login_details(world.ben)


def test_login_details_in_own_words(world: World) -> None:
    say(world.acme_plan, "Your {brand} login, {name}")
    say(world.acme_plan, WELCOME, CustomName.LOGIN_DETAILS_TEXT)
    say(world.acme_plan, "{brand} GmbH\nHotline 123", CustomName.FOOTER_TEXT)
    say(world.acme_plan, "https://acme.test/help?a=1&b=2", CustomName.FOOTER_URL)
    email = login_details(world)
    assert email.subject == "Your Acme login, Ben Braun"
    assert email.text == (
        "Welcome Ben Braun <of> Beta Voice!\n"
        f"\n{mail.LINK_MARKER}\n"
        "\nYour login: ben@beta.test, for 7 days.\n"
        "\n-- \n"
        "Acme GmbH\nHotline 123\n"
        "https://acme.test/help?a=1&b=2\n"
    )
    assert "Welcome Ben Braun &lt;of&gt; Beta Voice!" in email.html
    assert f'href="{mail.LINK_MARKER}"' in email.html
    assert "Choose your password</a>" in email.html
    assert "Acme GmbH<br>Hotline 123" in email.html
    assert 'href="https://acme.test/help?a=1&amp;b=2"' in email.html
    link = mail.with_link(mail.LINK_MARKER, email)
    assert link.startswith("http")
    assert mail.LINK_MARKER not in mail.with_link(email.text, email)


def test_only_what_is_said_is_said_otherwise(world: World) -> None:
    say(world.acme_plan, "Own subject")
    email = login_details(world)
    assert email.subject == "Own subject"
    assert "Acme has made a login for you, for the account Beta Voice." in email.text
    assert "Your login for Acme" in email.html


def test_names_cannot_say_more_than_names(world: World) -> None:
    world.ben.first_name = "{link}\r\nBcc: thief@evil.test<script>"
    say(world.acme_plan, "For {name}")
    say(world.acme_plan, "{name}: {link} {username}", CustomName.LOGIN_DETAILS_TEXT)
    email = login_details(world)
    assert email.subject.startswith("For {link} Bcc: thief@evil.test<script>")
    assert "\n" not in email.subject
    assert email.text.count(mail.LINK_MARKER) == 1
    assert "<script>" not in email.html


def test_words_in_the_persons_language(world: World) -> None:
    say(world.acme_plan, "Deutsch", language="de")
    assert login_details(world).subject == "Your login for Acme"
    world.ben.language = "de"
    assert login_details(world).subject == "Deutsch"


def test_every_mail_about_signing_in_has_own_words(world: World) -> None:
    texts = {
        CustomName.PASSWORD_RESET_TEXT: "{link} {hours}",
        CustomName.PASSWORD_CHANGED_TEXT: "{name} {link}",
        CustomName.EMAIL_CHANGED_TEXT: "{username} {emails}",
    }
    for name, value in texts.items():
        say(world.acme_plan, f"OWN {value}", name)
    with scopes_disabled():
        sent = [
            emails.send_password_reset(world.ben),
            emails.send_password_changed(world.ben),
            emails.send_email_changed(world.ben, old="old@beta.test"),
        ]
    found = [email.text.splitlines()[0] for email in sent if email]
    assert found[0].startswith(f"OWN {mail.LINK_MARKER} ")
    assert found[1].startswith("OWN Ben Braun http")
    assert found[2] == "OWN ben@beta.test ben@beta.test"


def test_low_balance_in_own_words(world: World) -> None:
    say(world.acme_plan, "{balance} left", CustomName.LOW_BALANCE_SUBJECT)
    say(
        world.acme_plan,
        "{customer} {account_number}: {balance} < {threshold}, {credit_left}."
        " {advice}\n\n{link}",
        CustomName.LOW_BALANCE_TEXT,
    )
    watch(world.beta, bill_type="prepaid", credit_limit=5)
    give(world.beta, 10)
    jobs.tell_low_balances()
    with scopes_disabled():
        email = OutgoingEmail.objects.get(kind="low_balance")
    assert email.subject == "€10.00 left"
    assert email.text.startswith(
        "Beta Voice 100001: €10.00 < €50.00, €15.00. When your credit is used up"
    )
    assert "€10.00 &lt; €50.00" in email.html
    assert "See your account</a>" in email.html


def test_people_of_the_system_owner_get_the_portals_words(world: World) -> None:
    say(world.root_plan, "Root")
    with scopes_disabled():
        email = emails.send_login_details(world.olga)
    assert email.subject == "Your login for Trunkline"
