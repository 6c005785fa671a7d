"""Outgoing mail as rows: written once, kept without a server, readable and harmless."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from customers.branding import brand_of, brand_seen_by
from customers.mail_kinds import PASSWORD_RESET
from customers.models import Company
from portal.core import jobs, mail
from portal.core.models import EmailStatus, OutgoingEmail
from portal.core.scope import scopes_disabled
from tests.world import World

LINK = "https://portal.test/welcome/MQ/abc:def&x=1/"


def queue(world: World, **values: Any) -> OutgoingEmail:
    given: dict[str, Any] = {
        "key": "test:1",
        "kind": PASSWORD_RESET,
        "customer": world.beta,
        "person": world.ben,
        "to": ["ben@beta.test"],
        "brand": brand_seen_by(world.beta),
        "language": "en",
        "one_time_link": LINK,
        "context": {"person": world.ben, "valid_hours": 2},
    }
    return mail.queue_email(**(given | values))


def stored() -> list[OutgoingEmail]:
    with scopes_disabled():
        return list(OutgoingEmail.objects.order_by("pk"))


def test_without_a_mail_server_mails_are_kept(world: World) -> None:
    email = queue(world)
    assert email.status == EmailStatus.KEPT
    jobs.send_waiting_emails()
    assert mail.send_due(email.pk) is None
    email.refresh_from_db()
    assert (email.status, email.attempts) == (EmailStatus.KEPT, 0)


def test_same_event_is_told_once(world: World) -> None:
    first = queue(world)
    assert queue(world, to=["other@beta.test"]) == first
    assert [email.to for email in stored()] == [["ben@beta.test"]]
    assert queue(world, key="test:2") != first


def test_link_is_not_in_the_row(world: World) -> None:
    (email,) = [queue(world)]
    for text in (email.text, email.html, email.secret, email.subject):
        assert LINK not in text
        assert "welcome/MQ" not in text
    assert mail.LINK_MARKER in email.text


def test_link_stands_in_text_and_html_where_it_belongs(world: World) -> None:
    email = queue(world)
    assert LINK in mail.with_link(email.text, email)
    html = mail.with_link(email.html, email, is_html=True)
    assert f'href="{LINK.replace("&", "&amp;")}"' in html
    assert mail.LINK_MARKER not in html


def test_forgotten_link_leaves_the_marker(world: World) -> None:
    email = queue(world, one_time_link="")
    assert email.secret == ""
    assert mail.with_link(email.text, email) == email.text


def test_names_are_text_in_html_and_as_they_are_in_text(world: World) -> None:
    world.ben.first_name, world.ben.last_name = "<script>alert(1)</script>", "“Ü” & Co"
    email = queue(world)
    assert "<script" not in email.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; “Ü” &amp; Co" in email.html
    assert "<script>alert(1)</script> “Ü” & Co" in email.text


def test_brand_name_is_text_in_html(world: World) -> None:
    company = Company(customer=world.acme, display_name='<img src="x">')
    email = queue(world, brand=brand_of(company))
    assert "<img" not in email.html
    assert email.subject == 'Choose a new password for <img src="x">'


def test_subject_is_one_line_whatever_the_name(world: World) -> None:
    company = Company(
        customer=world.acme,
        display_name="Acme\r\nBcc: all@evil.test",
        sender_name="A\nB",
    )
    email = queue(world, brand=brand_of(company))
    assert email.subject == "Choose a new password for Acme Bcc: all@evil.test"
    with scopes_disabled():  # as the worker is
        message = mail._message(email).message()
    assert message["Bcc"] is None
    assert "\n" not in message["Subject"]
    assert message["From"] == "A B <portal@localhost>"


def test_endless_subject_is_cut(world: World) -> None:
    company = Company(customer=world.acme, display_name="x" * 300)
    assert len(queue(world, brand=brand_of(company)).subject) == 200


def test_mail_carries_the_brands_colour_and_contacts(world: World) -> None:
    html = queue(world).html
    assert "#7a1fa2" in html
    assert "Acme" in html


@pytest.mark.parametrize("status", [EmailStatus.SENT, EmailStatus.QUEUED])
def test_only_what_lies_about_is_sent_again(world: World, status: EmailStatus) -> None:
    email = queue(world)
    with scopes_disabled():
        OutgoingEmail.objects.update(status=status, secret="", sent_at=timezone.now())
        mail.requeue(email)
    assert stored()[0].status == status


def test_failed_mail_is_tried_again_from_now(world: World, settings: Settings) -> None:
    settings.EMAIL_IS_KEPT = False
    email = queue(world)
    with scopes_disabled():
        OutgoingEmail.objects.update(
            status=EmailStatus.FAILED,
            attempts=7,
            error="550 no",
            due_at=timezone.now() + timedelta(hours=4),
        )
        email = mail.requeue(email)
    assert (email.status, email.attempts, email.error) == (EmailStatus.QUEUED, 0, "")
    assert mail.due_email_ids() == [email.pk]


def test_due_mails_come_oldest_first_and_not_before_their_time(
    world: World, settings: Settings
) -> None:
    settings.EMAIL_IS_KEPT = False
    emails = [queue(world, key=f"test:{number}") for number in range(3)]
    now = timezone.now()
    for email, minutes in zip(emails, (-1, -5, 5), strict=True):
        with scopes_disabled():
            OutgoingEmail.objects.filter(pk=email.pk).update(
                due_at=now + timedelta(minutes=minutes)
            )
    assert mail.due_email_ids() == [emails[1].pk, emails[0].pk]
    assert mail.due_email_ids(limit=1) == [emails[1].pk]
    with time_machine.travel(now + timedelta(minutes=6)):
        assert len(mail.due_email_ids()) == 3


def test_mail_is_read_only_by_its_own_account_and_those_above(world: World) -> None:
    from portal.core.scope import subtree

    queue(world)
    for customer, count in (
        (world.root, 1),
        (world.acme, 1),
        (world.beta, 1),
        (world.gamma, 0),
        (world.rival, 0),
    ):
        with subtree(customer):
            assert OutgoingEmail.objects.count() == count


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"status": "sent", "secret": ""}, "email_sent_has_time"),
        ({"status": "sent", "sent_at": "now"}, "email_sent_holds_no_secret"),
    ],
)
def test_database_refuses_a_row_that_lies(
    world: World, values: dict[str, Any], constraint: str
) -> None:
    queue(world)
    if "sent_at" in values:
        values = {**values, "sent_at": timezone.now()}
    with (
        scopes_disabled(),
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
    ):
        OutgoingEmail.objects.update(**values)


def test_mail_is_not_there_if_its_transaction_is_rolled_back(world: World) -> None:
    with transaction.atomic():
        queue(world)
        transaction.set_rollback(True)
    assert stored() == []
