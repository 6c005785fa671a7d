"""Reports » E-mails: who reads which mail, who sees its link, and sending again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from customers import emails, visibility
from customers.models import Customer, Person
from customers.services import outgoing
from customers.visibility import may_see_link, visible_emails
from portal.core import secrets
from portal.core.actor import Actor
from portal.core.mail import LINK_MARKER
from portal.core.models import (
    EmailAttachment,
    EmailStatus,
    OutgoingEmail,
    StoredFile,
)
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from tests.customers.features import (
    actions_of,
    enter,
    queries_of,
    refusals_of,
    url_of,
    without,
)
from tests.world import World


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def login_mail(person: Person) -> OutgoingEmail:
    """The login details of ``person``, kept because no mail server is set up here."""
    with scopes_disabled():
        email = emails.send_login_details(person)
    assert email.status == EmailStatus.KEPT
    return email


def link_in(email: OutgoingEmail) -> str:
    return secrets.decrypt(email.secret)


def put(email: OutgoingEmail, **values: Any) -> OutgoingEmail:
    with scopes_disabled():
        OutgoingEmail.objects.filter(pk=email.pk).update(**values)
        email.refresh_from_db()
    return email


def notice_to(customer: Customer, **values: Any) -> OutgoingEmail:
    """A mail without a link."""
    with scopes_disabled():
        return OutgoingEmail.objects.create(
            **{
                "key": f"notice-{OutgoingEmail.objects.count()}",
                "kind": "password_changed",
                "customer": customer,
                "to": ["someone@there.test"],
                "sender": "Acme <a@acme.test>",
                "subject": "Password changed",
                "text": "Your password was changed.",
            }
            | values
        )


# --- The one-time link ----------------------------------------------------------------


def acting(world: World, person: Person, customer: Customer, role_of: Person) -> Actor:
    """``person`` switched into ``customer``, with the rights of somebody's role."""
    return Actor(
        customer=customer,
        person=person,
        acting_as=role_of,
        permissions=frozenset(person.role.permissions)
        & frozenset(role_of.role.permissions),
    )


@pytest.mark.parametrize(
    ("actor", "status", "sees"),
    [
        ("ann", EmailStatus.KEPT, True),
        ("olga", EmailStatus.KEPT, True),
        ("ann", EmailStatus.QUEUED, False),
        ("ann", EmailStatus.FAILED, False),
        ("ann without commerce", EmailStatus.KEPT, False),
        ("uli", EmailStatus.KEPT, False),
        ("ben", EmailStatus.KEPT, False),
        ("ann acting in beta", EmailStatus.KEPT, False),
        ("ann acting as ben", EmailStatus.KEPT, False),
        ("olga acting in acme", EmailStatus.KEPT, True),
        ("olga acting as uli", EmailStatus.KEPT, False),
        ("eve", EmailStatus.KEPT, False),
    ],
)
def test_the_link_is_seen_only_from_above_and_only_in_kept_mails(
    world: World, actor: str, status: str, sees: bool
) -> None:
    email = put(login_mail(world.ben), status=status)
    actors = {
        "ann": world.actor(world.ann),
        "olga": world.actor(world.olga),
        "uli": world.actor(world.uli),
        "ben": world.actor(world.ben),
        "eve": world.actor(world.eve),
        "ann without commerce": without(world.actor(world.ann), Permission.COMMERCE),
        "ann acting in beta": acting(world, world.ann, world.beta, world.ann),
        "ann acting as ben": acting(world, world.ann, world.beta, world.ben),
        "olga acting in acme": acting(world, world.olga, world.acme, world.ann),
        "olga acting as uli": acting(world, world.olga, world.acme, world.uli),
    }
    assert may_see_link(email, actors[actor]) is sees


def test_sent_mails_have_no_link_to_see(world: World) -> None:
    email = login_mail(world.ben)
    put(email, status=EmailStatus.SENT, sent_at=timezone.now(), secret="")
    assert not may_see_link(email, world.actor(world.ann))


def pages_about(client: Client, account: Customer, email: OutgoingEmail) -> str:
    """Both pages that show the mail's words."""
    detail = client.get(url_of(account, "email-detail", pk=email.pk))
    html = client.get(url_of(account, "email-html", pk=email.pk))
    assert detail.status_code == html.status_code == 200
    return detail.content.decode() + html.content.decode()


def test_pages_show_the_link_to_who_hands_it_over(world: World, ann: Client) -> None:
    email = login_mail(world.ben)
    shown = pages_about(ann, world.acme, email)
    assert shown.count(link_in(email)) >= 2
    assert LINK_MARKER not in shown
    assert "hand the text over" in shown
    answer = ann.get(url_of(world.acme, "email-detail", pk=email.pk))
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "status", [EmailStatus.QUEUED, EmailStatus.FAILED, EmailStatus.SENT]
)
def test_pages_never_show_the_link_of_mails_that_left_or_will(
    world: World, ann: Client, status: str
) -> None:
    email = login_mail(world.ben)
    link = link_in(email)
    if status == EmailStatus.SENT:
        put(email, secret="", sent_at=timezone.now())
    put(email, status=status)
    shown = pages_about(ann, world.acme, email)
    assert link not in shown
    assert LINK_MARKER not in shown
    assert "[one-time link, for the recipient only]" in shown


def test_pages_never_show_the_link_to_the_accounts_own_people(world: World) -> None:
    email = login_mail(world.ben)
    for client in (
        world.client(world.ben),
        enter(world, world.ann, world.beta),
        enter(world, world.ann, world.beta, target=world.ben),
    ):
        shown = pages_about(client, world.beta, email)
        assert link_in(email) not in shown
        assert "[one-time link, for the recipient only]" in shown


# --- Who reads which mail -------------------------------------------------------------


def test_mails_of_the_subtree_are_listed_with_commerce(
    world: World, ann: Client
) -> None:
    for customer in (world.root, world.acme, world.beta, world.gamma, world.rival):
        notice_to(customer, subject=f"About {customer.name}")
    page = ann.get(url_of(world.acme, "email-list"))
    subjects = [row.cells[0].html for row in page.context["table"].rows]
    assert subjects == ["About Gamma Bakery", "About Beta Voice", "About Acme Telecom"]


@pytest.mark.parametrize("most", [1, 1000])
def test_mails_of_many_customers_are_the_same_as_of_few(
    world: World, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(visibility, "MOST_NAMED", most)
    for customer in (world.root, world.acme, world.beta, world.gamma, world.rival):
        notice_to(customer)
    with subtree(world.acme):
        emails = visible_emails(world.actor(world.ann))
        found = set(emails.values_list("customer__name", flat=True))
    assert found == {"Acme Telecom", "Beta Voice", "Gamma Bakery"}


def test_mails_of_the_own_account_only_without_commerce(world: World) -> None:
    for customer in (world.acme, world.beta):
        notice_to(customer, subject=f"About {customer.name}")
    client = world.client(world.uli)
    page = client.get(url_of(world.acme, "email-list"))
    subjects = [row.cells[0].html for row in page.context["table"].rows]
    assert subjects == ["About Acme Telecom"]
    with subtree(world.acme):
        assert visible_emails(world.actor(world.uli)).count() == 1


@pytest.mark.parametrize("owner", ["root", "rival"])
@pytest.mark.parametrize("page", ["email-detail", "email-html", "email-resend"])
def test_foreign_mails_are_not_found(
    world: World, ann: Client, page: str, owner: str
) -> None:
    email = notice_to(getattr(world, owner), html="<p>x</p>", status=EmailStatus.FAILED)
    url = url_of(world.acme, page, pk=email.pk)
    method = ann.post if page == "email-resend" else ann.get
    assert method(url).status_code == 404


def attach(email: OutgoingEmail, name: str, data: bytes) -> str:
    """The way to a file that goes with a mail, seen from its customer's provider."""
    with scopes_disabled():
        file = StoredFile.objects.create(content_type="application/pdf", data=data)
        row = EmailAttachment.objects.create(email=email, name=name, file=file)
        account = email.customer.parent or email.customer
    return url_of(account, "email-file", pk=email.pk, file=row.pk)


def test_attached_files_are_shown_and_downloaded(world: World, ann: Client) -> None:
    email = notice_to(world.beta)
    url = attach(email, "Rechnung ä.pdf", b"x" * 2048)
    page = ann.get(url_of(world.acme, "email-detail", pk=email.pk))
    assert (url in page.text, "Rechnung ä.pdf" in page.text) == (True, True)
    assert "2.0\xa0KB" in page.text
    answer = ann.get(url)
    assert answer.content == b"x" * 2048
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment; ")


def test_files_of_other_mails_are_not_found(world: World, ann: Client) -> None:
    own = notice_to(world.beta)
    foreign = attach(notice_to(world.rival), "secret.pdf", b"secret")
    number = int(foreign.rstrip("/").rsplit("/", 1)[1])
    assert ann.get(foreign).status_code == 404
    mixed = url_of(world.acme, "email-file", pk=own.pk, file=number)
    assert ann.get(mixed).status_code == 404
    # Who may not read the mail may not have what goes with it either.
    assert world.client(world.uli).get(attach(own, "a.pdf", b"a")).status_code == 404


@pytest.mark.parametrize("status", [EmailStatus.KEPT, EmailStatus.FAILED])
def test_what_was_never_sent_is_sent_now(
    world: World, ann: Client, status: EmailStatus
) -> None:
    email = notice_to(world.acme, status=status)
    page = ann.get(url_of(world.acme, "email-detail", pk=email.pk))
    assert page.context["state"]["action_label"] == "Send now"


def test_what_was_sent_is_sent_again(world: World, ann: Client) -> None:
    email = put(login_mail(world.uli), status="sent", sent_at=timezone.now(), secret="")
    page = ann.get(url_of(world.acme, "email-detail", pk=email.pk))
    assert page.context["state"]["action_label"] == "Send again"


def test_mails_below_are_not_found_without_commerce(world: World) -> None:
    email = notice_to(world.beta)
    url = url_of(world.acme, "email-detail", pk=email.pk)
    assert world.client(world.uli).get(url).status_code == 404


def test_pages_need_the_right_to_reports(world: World) -> None:
    email = notice_to(world.acme, html="<p>x</p>")
    with scopes_disabled():
        world.uli.role.permissions.remove(Permission.REPORTS)
        world.uli.role.save()
    client = world.client(world.uli)
    assert client.get(url_of(world.acme, "email-list")).status_code == 403
    for page in ("email-detail", "email-html"):
        assert client.get(url_of(world.acme, page, pk=email.pk)).status_code == 403


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("", ["Login", "Notice"]),
        ("q=BEN@", ["Login"]),
        ("q=second@", ["Notice"]),
        ("q=noti", ["Notice"]),
        ("q=%25", []),
        ("status=failed", ["Notice"]),
        ("status=kept", ["Login"]),
        ("kind=login_details", ["Login"]),
        ("kind=unknown", ["Login", "Notice"]),
        ("sort=time", ["Notice", "Login"]),
        ("after=nonsense", ["Login", "Notice"]),
    ],
)
def test_list_is_narrowed_and_sorted(
    world: World, ann: Client, query: str, subjects: list[str]
) -> None:
    notice_to(
        world.beta,
        subject="Notice",
        to=["first@there.test", "second@there.test"],
        status=EmailStatus.FAILED,
    )
    put(login_mail(world.ben), subject="Login")
    page = ann.get(f"{url_of(world.acme, 'email-list')}?{query}")
    shown = [row.cells[0].html for row in page.context["table"].rows]
    assert shown == subjects


def test_list_costs_the_same_for_one_and_for_many(world: World, ann: Client) -> None:
    url = url_of(world.acme, "email-list")
    notice_to(world.beta)
    before = queries_of(ann, url)
    for customer in (world.acme, world.beta, world.gamma) * 2:
        notice_to(customer)
    assert queries_of(ann, url) == before <= 30


# --- One mail -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"status": "queued"}, "It leaves within moments."),
        (
            {"status": "queued", "attempts": 2, "error": "451 try later"},
            "The last attempt failed: 451 try later. Next attempt:",
        ),
        (
            {"status": "failed", "error": "550 no such user"},
            "no further attempt is made: 550 no such user.",
        ),
        ({"status": "kept"}, "No mail server is set up"),
    ],
)
def test_the_state_is_told_in_words(
    world: World, ann: Client, values: dict[str, Any], text: str
) -> None:
    email = notice_to(world.beta, **values)
    page = ann.get(url_of(world.acme, "email-detail", pk=email.pk))
    assert text in page.context["state"]["detail"]


def test_texts_are_shown_as_text(world: World, ann: Client) -> None:
    email = notice_to(
        world.beta, text="<script>alert(1)</script>", subject="<b>bold</b>"
    )
    page = ann.get(url_of(world.acme, "email-detail", pk=email.pk)).content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page


def test_the_html_part_is_a_page_where_nothing_runs(world: World, ann: Client) -> None:
    email = notice_to(
        world.beta, html='<img src="cid:logo"><p style="color:red">Hi</p>', logo=b"png"
    )
    answer = ann.get(url_of(world.acme, "email-html", pk=email.pk))
    assert answer["Content-Security-Policy"] == (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    assert answer["X-Frame-Options"] == "DENY"
    assert 'src="data:image/png;base64,cG5n"' in answer.content.decode()


def test_a_mail_without_html_has_no_such_page(world: World, ann: Client) -> None:
    email = notice_to(world.beta)
    assert ann.get(url_of(world.acme, "email-html", pk=email.pk)).status_code == 404
    page = ann.get(url_of(world.acme, "email-detail", pk=email.pk))
    assert page.context["html_url"] == ""


# --- Sending again --------------------------------------------------------------------


def test_login_mails_are_written_anew_with_a_fresh_link(
    world: World, ann: Client
) -> None:
    old = login_mail(world.ben)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        answer = ann.post(url_of(world.acme, "email-resend", pk=old.pk))
    with subtree(world.acme):
        new = OutgoingEmail.objects.exclude(pk=old.pk).get()
    assert answer.url == url_of(world.acme, "email-detail", pk=new.pk)
    assert link_in(new) != link_in(old)
    assert actions_of(world.ben) == ["person.login_details_sent"]


def test_other_mails_are_queued_again(world: World, ann: Client) -> None:
    email = notice_to(world.beta, status=EmailStatus.FAILED, attempts=7, error="550 no")
    url = url_of(world.acme, "email-resend", pk=email.pk)
    assert ann.post(url).url == url_of(world.acme, "email-detail", pk=email.pk)
    email.refresh_from_db()
    # No mail server is set up here, so it is kept.
    assert (email.status, email.attempts, email.error) == (EmailStatus.KEPT, 0, "")
    assert actions_of(email) == ["email.resent"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("delete", "The person it was for is deleted."),
        ("block", "The person may not log in."),
    ],
)
def test_login_mails_of_who_cannot_sign_in_are_not_sent_again(
    world: World, ann: Client, change: str, reason: str
) -> None:
    email = login_mail(world.ben)
    with scopes_disabled():
        person = Person.objects.filter(pk=world.ben.pk)
        person.delete() if change == "delete" else person.update(is_active=False)
    page = ann.get(url_of(world.acme, "email-detail", pk=email.pk))
    assert page.context["refusal"] == reason
    assert page.context["state"]["action_url"] == ""
    ann.post(url_of(world.acme, "email-resend", pk=email.pk))
    with subtree(world.acme):
        assert OutgoingEmail.objects.count() == 1


@pytest.mark.parametrize("status", [EmailStatus.SENT, EmailStatus.QUEUED])
def test_what_was_sent_is_not_sent_twice(world: World, status: str) -> None:
    email = notice_to(world.beta, status=status, sent_at=timezone.now())
    with subtree(world.acme), pytest.raises(ValidationError) as caught:
        outgoing.resend(email=email, by=world.actor(world.ann))
    assert "sent already" in refusals_of(caught)[""][0]


def test_sending_again_needs_right_and_account(world: World) -> None:
    email = notice_to(world.beta, status=EmailStatus.FAILED)
    weak = without(world.actor(world.ann), Permission.ADMINISTRATOR)
    for by in (weak, world.actor(world.eve)):
        with subtree(world.root), pytest.raises(PermissionDenied):
            outgoing.resend(email=email, by=by)


def test_plain_users_have_no_button_and_no_right_to_send(world: World) -> None:
    email = notice_to(world.acme, status=EmailStatus.FAILED)
    client = world.client(world.uli)
    page = client.get(url_of(world.acme, "email-detail", pk=email.pk))
    assert page.context["state"]["action_url"] == ""
    url = url_of(world.acme, "email-resend", pk=email.pk)
    assert client.post(url).status_code == 403


def test_sending_again_is_a_post(world: World, ann: Client) -> None:
    email = notice_to(world.beta, status=EmailStatus.FAILED)
    url = url_of(world.acme, "email-resend", pk=email.pk)
    assert ann.get(url).status_code == 405
