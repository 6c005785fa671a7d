"""Mail through a real mail server: delivered, refused, delayed, and after every accident."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from threading import Event
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from customers import emails
from customers.models import Company
from portal.core import jobs, mail
from portal.core.models import EmailStatus, OutgoingEmail
from portal.core.scope import scopes_disabled
from tests.core.post_office import (
    WAIT,
    Killer,
    PostOffice,
    environment,
    free_port,
    open_office,
)
from tests.race import race
from tests.world import World, build_world


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


def login_details(world: World) -> OutgoingEmail:
    with scopes_disabled():
        return emails.send_login_details(world.ben)


def fresh(email: OutgoingEmail) -> OutgoingEmail:
    with scopes_disabled():
        return OutgoingEmail.objects.get(pk=email.pk)


def logo() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (60, 20), "red").save(stream, "PNG")
    return stream.getvalue()


# --- Delivered ------------------------------------------------------------------------


def test_mail_arrives_as_text_html_logo_and_link(
    world: World, office: PostOffice
) -> None:
    with scopes_disabled():
        Company.objects.filter(customer=world.acme).update(
            logo=logo(), logo_hash="x", display_name="Büro Acme", sender_name='A "B"'
        )
    email = login_details(world)
    link = mail.with_link(mail.LINK_MARKER, email)
    assert mail.send_due(email.pk) == EmailStatus.SENT

    (received,) = office.mails
    assert office.recipients == [["ben@beta.test"]]
    assert received["Subject"] == "Your login for Büro Acme"
    assert received["To"] == "ben@beta.test"
    assert received["From"] == '"A \\"B\\"" <portal@localhost>'
    assert received["Reply-To"] == "care@acme.test"
    assert received["Message-ID"] == f"<trunkline-{email.pk}@localhost>"
    assert received["Auto-Submitted"] == "auto-generated"
    assert received["Date"]
    text = received.get_body(("plain",))
    html = received.get_body(("html",))
    assert text is not None
    assert html is not None
    assert link in text.get_content()
    assert link in html.get_content()
    assert mail.LINK_MARKER not in str(received)
    assert 'src="cid:logo"' in html.get_content()
    (image,) = [
        part for part in received.walk() if part.get_content_type() == "image/png"
    ]
    assert image["Content-ID"] == "<logo>"
    assert image.get_content() == logo()
    kinds = [part.get_content_type() for part in received.walk()]
    assert kinds == [
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
    ]

    sent = fresh(email)
    assert (sent.status, sent.attempts, sent.error) == (EmailStatus.SENT, 1, "")
    assert sent.secret == "", "nobody reads the link out of the row any more"
    assert sent.sent_at is not None


def test_sent_mail_is_not_sent_again(world: World, office: PostOffice) -> None:
    email = login_details(world)
    mail.send_due(email.pk)
    assert mail.send_due(email.pk) is None
    with scopes_disabled():
        mail.requeue(fresh(email))
    jobs.send_waiting_emails()
    assert len(office.mails) == 1


def test_several_addresses_get_one_mail(world: World, office: PostOffice) -> None:
    world.ben.emails = "ben@beta.test, ben@home.test"
    mail.send_due(login_details(world).pk)
    assert office.recipients == [["ben@beta.test", "ben@home.test"]]


def test_names_cannot_add_a_header(world: World, office: PostOffice) -> None:
    with scopes_disabled():
        Company.objects.filter(customer=world.acme).update(
            display_name="Acme\r\nBcc: thief@evil.test\r\n\r\n<script>",
            sender_name="A\nBcc: thief@evil.test",
        )
    world.ben.first_name = "Ben\r\nBcc: thief@evil.test"
    mail.send_due(login_details(world).pk)
    (received,) = office.mails
    assert received["Bcc"] is None
    assert office.recipients == [["ben@beta.test"]]
    assert received["Subject"].startswith("Your login for Acme Bcc: thief@evil.test")
    html = received.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()


# --- Refused --------------------------------------------------------------------------


def test_refused_recipient_fails_with_the_servers_words(
    world: World, office: PostOffice
) -> None:
    office.replies["ben@beta.test"] = "550 5.1.1 no such mailbox hère"
    email = login_details(world)
    assert mail.send_due(email.pk) == EmailStatus.FAILED
    failed = fresh(email)
    assert failed.error.startswith("ben@beta.test: 550 5.1.1 no such mailbox")
    assert failed.attempts == 1
    assert failed.secret, "sending again still needs the link"
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        jobs.send_waiting_emails()
    assert fresh(email).attempts == 1

    office.replies.clear()
    with scopes_disabled():
        mail.requeue(failed)
    assert mail.send_due(email.pk) == EmailStatus.SENT


def test_one_refused_recipient_of_two_is_told(world: World, office: PostOffice) -> None:
    world.ben.emails = "ben@beta.test, old@beta.test"
    office.replies["old@beta.test"] = "550 moved away"
    email = login_details(world)
    assert mail.send_due(email.pk) == EmailStatus.SENT
    assert fresh(email).error == "old@beta.test: 550 moved away"
    assert office.recipients == [["ben@beta.test"]]
    assert mail.send_due(email.pk) is None


@pytest.mark.parametrize("code", ["550 looks like spam", "554 no", "552 too large"])
def test_refused_content_fails_at_once(
    world: World, office: PostOffice, code: str
) -> None:
    office.on_data = lambda: code
    email = login_details(world)
    assert mail.send_due(email.pk) == EmailStatus.FAILED
    assert fresh(email).error == code


def refuse_recipient(office: PostOffice) -> None:
    office.replies["ben@beta.test"] = "450 greylisted"


def refuse_content(office: PostOffice) -> None:
    office.on_data = lambda: "451 greylisted"


@pytest.mark.parametrize("refuse", [refuse_recipient, refuse_content])
def test_temporary_refusal_is_tried_again_ever_later_and_then_fails(
    world: World, office: PostOffice, refuse: Any
) -> None:
    refuse(office)
    email = login_details(world)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for attempt, wait in enumerate(mail.RETRY_AFTER, start=1):
            assert mail.send_due(email.pk) == EmailStatus.QUEUED
            row = fresh(email)
            assert "greylisted" in row.error
            assert row.attempts == attempt
            assert row.due_at == timezone.now() + wait
            clock.shift(wait - timedelta(seconds=1))
            assert mail.send_due(email.pk) is None
            clock.shift(timedelta(seconds=1))
        assert mail.send_due(email.pk) == EmailStatus.FAILED
    assert "greylisted" in fresh(email).error


def test_temporary_refusal_ends_when_the_server_has_thought_better(
    world: World, office: PostOffice
) -> None:
    refuse_recipient(office)
    email = login_details(world)
    mail.send_due(email.pk)
    office.replies.clear()
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        jobs.send_waiting_emails()
    sent = fresh(email)
    assert (sent.status, sent.attempts, sent.error) == (EmailStatus.SENT, 2, "")


# --- Slow, down -----------------------------------------------------------------------


def test_slow_server_holds_nobody_up(
    world: World, office: PostOffice, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    awake = Event()

    def dawdle() -> str:
        awake.wait(WAIT)
        return "451 too late anyway"

    office.on_data = dawdle
    email = login_details(world)
    try:
        assert mail.send_due(email.pk) == EmailStatus.QUEUED
    finally:
        awake.set()
    assert "timed out" in fresh(email).error


def test_server_that_is_down_is_asked_later(
    world: World, office: PostOffice, settings: Settings
) -> None:
    settings.EMAIL_PORT = free_port()
    email = login_details(world)
    assert mail.send_due(email.pk) == EmailStatus.QUEUED
    row = fresh(email)
    assert "refused" in row.error.lower()
    assert row.due_at > timezone.now()
    settings.EMAIL_PORT = office.port
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        jobs.send_waiting_emails()
    assert fresh(email).status == EmailStatus.SENT


def test_unreadable_link_fails_and_says_why(
    world: World, office: PostOffice, settings: Settings
) -> None:
    email = login_details(world)
    settings.SECRET_KEY = "n" * 60
    assert mail.send_due(email.pk) == EmailStatus.FAILED
    assert "SECRET_KEY" in fresh(email).error
    assert office.mails == []


# --- Workers --------------------------------------------------------------------------


def test_mails_leave_once_somebody_looks_for_them(
    world: World, office: PostOffice
) -> None:
    """Written while no worker was there and the queue was lost: the sweep finds them."""
    waiting = [login_details(world) for _number in range(3)]
    jobs.send_waiting_emails()
    assert {fresh(email).status for email in waiting} == {EmailStatus.SENT}
    assert len(office.mails) == 3
    jobs.send_waiting_emails()
    assert len(office.mails) == 3


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_once(office: PostOffice) -> None:
    email = login_details(build_world())
    results = race(*[lambda: mail.send_due(email.pk)] * 4)
    assert sorted(results, key=str) == [None, None, None, EmailStatus.SENT]
    assert len(office.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_worker_killed_after_sending_sends_once_more_as_the_same_mail(
    office: PostOffice,
) -> None:
    email = login_details(build_world())
    killer = Killer()
    office.on_data = killer
    code = (
        "import django; django.setup();"
        f"from portal.core import mail; mail.send_due({email.pk})"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], env=environment(office))
    killer.aim(worker.pid)
    assert worker.wait(WAIT) == -9
    first = office.next_mail()
    office.on_data = lambda: "250 OK"

    row = fresh(email)
    assert (row.status, row.attempts) == (EmailStatus.QUEUED, 1)
    jobs.send_waiting_emails()
    assert office.mails == [], "it is the killed one's until the lease ends"
    with time_machine.travel(timezone.now() + mail.LEASE + timedelta(seconds=1)):
        jobs.send_waiting_emails()
        jobs.send_waiting_emails()
    second = office.next_mail()
    assert second["Message-ID"] == first["Message-ID"]
    assert office.mails == []
    sent = fresh(email)
    assert (sent.status, sent.attempts) == (EmailStatus.SENT, 2)


BROKER_AWAY = """
import sys, time, django
django.setup()
from customers import emails
from customers.models import Person
from portal.core.scope import scopes_disabled
with scopes_disabled():
    person = Person.objects.select_related("customer").get(username="ben@beta.test")
    start = time.monotonic()
    emails.send_login_details(person)
sys.exit(0 if time.monotonic() - start < 5 else 3)
"""


@pytest.mark.django_db(transaction=True)
def test_broker_away_at_the_commit_loses_nothing(office: PostOffice) -> None:
    build_world()
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    done = subprocess.run(
        [sys.executable, "-c", BROKER_AWAY],
        env=environment(office, REDIS_URL=nowhere),
        capture_output=True,
        timeout=WAIT,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "broker away" in done.stderr
    with scopes_disabled():
        assert OutgoingEmail.objects.get().status == EmailStatus.QUEUED
    jobs.send_waiting_emails()
    assert len(office.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_real_worker_sends_what_waited_and_what_comes(office: PostOffice) -> None:
    world = build_world()
    waited = login_details(world)
    worker = subprocess.Popen(
        [
            sys.executable,
            *("-m", "celery", "-A", "portal", "worker"),
            *("--pool", "solo", "--without-gossip", "--without-mingle"),
            *("--loglevel", "WARNING"),
        ],
        cwd=django_settings.BASE_DIR,
        env=environment(office),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        first = office.next_mail()
        came = login_details(world)
        second = office.next_mail()
    finally:
        worker.terminate()  # it finishes what it has begun
        worker.wait(WAIT)
    assert first["Message-ID"] == f"<trunkline-{waited.pk}@localhost>"
    assert second["Message-ID"] == f"<trunkline-{came.pk}@localhost>"
    assert {fresh(waited).status, fresh(came).status} == {EmailStatus.SENT}
