"""Mailboxes: services and pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from customers.choices import CustomerKind
from customers.models import Customer, Mailbox, Number, TelephoneLine
from customers.services import lines, mailboxes
from portal.core.actor import system_actor
from portal.core.errors import StaleError
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from portal.core.staleness import state_of
from tests.customers.features import (
    ODD_NAMES,
    actions_of,
    enter,
    queries_of,
    refusals_of,
    url_of,
    without,
)
from tests.pages import entries_of, errors_of, send
from tests.world import World


def make(world: World, customer: Customer | None = None, **values: Any) -> Mailbox:
    account = customer or world.acme
    with subtree(account):
        mailbox, _pin = mailboxes.create_mailbox(
            customer=account,
            values={"name": "Main", "box_number": "100"} | values,
            by=system_actor(account),
        )
    return mailbox


def residential(world: World) -> Mailbox:
    """Gamma as a residential customer with the mailbox it consists of."""
    with scopes_disabled():
        Customer.objects.filter(pk=world.gamma.pk).update(
            kind=CustomerKind.RESIDENTIAL, name="+493055501"
        )
    world.gamma.refresh_from_db()
    return make(world, world.gamma, name="+493055501", box_number="493055501")


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


# --- Services -------------------------------------------------------------------------


def test_create_gives_a_pin_that_is_stored_hashed(world: World) -> None:
    with subtree(world.acme):
        mailbox, pin = mailboxes.create_mailbox(
            customer=world.acme,
            values={"name": "Main", "box_number": "100"},
            by=world.actor(world.ann),
        )
    assert len(pin) == 6
    assert pin.isdecimal()
    mailbox.refresh_from_db()
    assert pin not in mailbox.pin
    assert check_password(pin, mailbox.pin)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"box_number": ""}, "box_number"),
        ({"box_number": "1"}, "box_number"),
        ({"box_number": "12a"}, "box_number"),
        ({"box_number": "1" * 16}, "box_number"),
        ({"box_number": "77"}, "box_number"),
        ({"emails": "nobody"}, "emails"),
        ({"emails": "a@b.test, b@"}, "emails"),
        ({"maximum": 0}, "maximum"),
        ({"maximum": 100_001}, "maximum"),
    ],
)
def test_create_refuses_what_cannot_be(
    world: World, values: dict[str, Any], field: str
) -> None:
    make(world, box_number="77")
    with pytest.raises(ValidationError) as caught:
        make(world, **values)
    assert list(refusals_of(caught)) == [field]


def test_the_database_refuses_a_number_twice(world: World) -> None:
    rows = [Mailbox(customer=world.acme, name=n, box_number="100") for n in "ab"]
    rows[0].save()
    with (
        pytest.raises(IntegrityError, match="mailbox_number_once_per_customer"),
        transaction.atomic(),
    ):
        rows[1].save()


def test_several_addresses_are_kept_once_each(world: World) -> None:
    mailbox = make(world, emails="a@b.test c@d.test;a@b.test")
    assert mailbox.emails == "a@b.test, c@d.test"


def test_services_need_right_and_account(world: World) -> None:
    mailbox = make(world)
    weak = without(world.actor(world.ann), Permission.ADMINISTRATOR)
    for by in (weak, world.actor(world.eve)):
        with subtree(world.root):
            with pytest.raises(PermissionDenied):
                mailboxes.update_mailbox(mailbox=mailbox, values={}, by=by)
            with pytest.raises(PermissionDenied):
                mailboxes.renew_pin(mailbox=mailbox, by=by)
            with pytest.raises(PermissionDenied):
                mailboxes.delete_mailbox(mailbox=mailbox, by=by)
            with pytest.raises(PermissionDenied):
                mailboxes.create_mailbox(
                    customer=world.acme, values={"name": "X", "box_number": "1"}, by=by
                )


def test_update_from_an_old_state_overwrites_nothing(world: World) -> None:
    mailbox, by = make(world), world.actor(world.ann)
    seen = state_of(mailbox, mailboxes.FIELDS)
    with subtree(world.acme):
        mailboxes.update_mailbox(mailbox=mailbox, values={"name": "Theirs"}, by=by)
        with pytest.raises(StaleError):
            mailboxes.update_mailbox(
                mailbox=mailbox, values={"name": "Mine"}, seen=seen, by=by
            )
    mailbox.refresh_from_db()
    assert mailbox.name == "Theirs"


def test_renewed_pins_replace_the_old_one(world: World) -> None:
    mailbox = make(world)
    with subtree(world.acme):
        pin = mailboxes.renew_pin(mailbox=mailbox, by=world.actor(world.ann))
    mailbox.refresh_from_db()
    assert check_password(pin, mailbox.pin)
    assert actions_of(mailbox) == ["mailbox.pin_renewed", "mailbox.created"]


def test_delete_cuts_off_what_led_there(world: World) -> None:
    mailbox = make(world)
    with subtree(world.acme):
        line, _password = lines.create_line(
            customer=world.acme,
            values={"name": "L", "username": "l-1", "mailbox": mailbox},
            by=world.actor(world.ann),
        )
        Number.objects.filter(pk=world.numbers[0].pk).update(mailbox=mailbox)
        mailboxes.delete_mailbox(mailbox=mailbox, by=world.actor(world.ann))
        assert TelephoneLine.objects.get(pk=line.pk).mailbox is None
        assert Number.objects.get(pk=world.numbers[0].pk).is_free


def test_a_residential_customers_own_mailbox_stays(world: World) -> None:
    mailbox, by = residential(world), system_actor(world.gamma)
    with subtree(world.gamma):
        with pytest.raises(ValidationError) as caught:
            mailboxes.delete_mailbox(mailbox=mailbox, by=by)
        assert "consists of" in refusals_of(caught)[""][0]
        with pytest.raises(ValidationError) as caught:
            mailboxes.update_mailbox(
                mailbox=mailbox, values={"box_number": "100"}, by=by
            )
        assert list(refusals_of(caught)) == ["box_number"]


@pytest.mark.parametrize(
    ("present", "proposed"),
    [([], "100"), (["100", "105"], "106"), (["99999999", "20"], "100")],
)
def test_the_next_number_is_proposed(
    world: World, present: list[str], proposed: str
) -> None:
    for number in present:
        make(world, box_number=number)
    make(world, world.rival, box_number="500")
    with subtree(world.root):
        assert mailboxes.propose_box_number(world.acme) == proposed


# --- Pages ----------------------------------------------------------------------------


def mailbox_named(name: str) -> Mailbox:
    with scopes_disabled():
        return Mailbox.objects.select_related("customer").get(name=name)


def test_create_shows_the_pin_once(world: World, ann: Client) -> None:
    answer = send(
        ann,
        url_of(world.acme, "mailbox-create"),
        name="Support",
        emails="a@acme.test; b@acme.test",
        maximum="20",
        is_deleted_after_mail="on",
    )
    mailbox = mailbox_named("Support")
    assert answer.url == url_of(world.acme, "mailbox-edit", pk=mailbox.pk)
    page = ann.get(answer.url)
    assert check_password(page.context["secrets"]["Mailbox PIN"], mailbox.pin)
    assert ann.get(answer.url).context["secrets"] == {}
    assert mailbox.box_number == "100"
    assert mailbox.emails == "a@acme.test, b@acme.test"
    assert (mailbox.maximum, mailbox.is_deleted_after_mail) == (20, True)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"box_number": "abc"}, "box_number"),
        ({"box_number": "77"}, "box_number"),
        ({"emails": "a@b.test, wrong"}, "emails"),
        ({"maximum": "-1"}, "maximum"),
        ({"maximum": "1e3"}, "maximum"),
        ({"maximum": "NaN"}, "maximum"),
        ({"is_deleted_after_mail": "on"}, "is_deleted_after_mail"),
    ],
)
def test_create_refuses_at_the_field(
    world: World, ann: Client, changes: dict[str, str], field: str
) -> None:
    make(world, box_number="77")
    url = url_of(world.acme, "mailbox-create")
    answer = send(ann, url, **({"name": "Kept"} | changes))
    assert list(errors_of(answer)) == [field]


def test_edit_saves_and_lists_what_leads_there(world: World, ann: Client) -> None:
    mailbox = make(world)
    with subtree(world.acme):
        lines.create_line(
            customer=world.acme,
            values={"name": "Desk", "username": "d-1", "mailbox": mailbox},
            by=world.actor(world.ann),
        )
        Number.objects.filter(pk=world.numbers[0].pk).update(mailbox=mailbox)
    url = url_of(world.acme, "mailbox-edit", pk=mailbox.pk)
    leads = [lead["label"] for lead in ann.get(url).context["leads"]]
    assert leads == ["+49 30 5550100", "Desk"]
    assert send(ann, url, name="Renamed").status_code == 302
    assert mailbox_named("Renamed").pk == mailbox.pk


def test_edit_of_what_others_changed_shows_it(world: World, ann: Client) -> None:
    mailbox = make(world)
    url = url_of(world.acme, "mailbox-edit", pk=mailbox.pk)
    entries = entries_of(ann.get(url), name="Mine")
    send(world.client(world.ann), url, name="Theirs")
    answer = ann.post(url, entries)
    assert answer.status_code == 422
    assert "Name: Main → Theirs" in answer.content.decode()
    assert mailbox_named("Theirs").pk == mailbox.pk


@pytest.mark.parametrize(
    "page", ["mailbox-edit", "mailbox-renew-pin", "mailbox-delete"]
)
@pytest.mark.parametrize("owner", ["beta", "rival", "root"])
def test_mailboxes_of_other_accounts_are_not_found(
    world: World, ann: Client, page: str, owner: str
) -> None:
    mailbox = make(world, getattr(world, owner))
    url = url_of(world.acme, page, pk=mailbox.pk)
    assert ann.get(url).status_code == ann.post(url).status_code == 404
    assert actions_of(mailbox) == ["mailbox.created"]


def test_renewing_asks_first_and_shows_the_pin_once(world: World, ann: Client) -> None:
    mailbox = make(world)
    url = url_of(world.acme, "mailbox-renew-pin", pk=mailbox.pk)
    assert ann.get(url).context["consequences"]
    answer = send(ann, url)
    pin = ann.get(answer.url).context["secrets"]["Mailbox PIN"]
    mailbox.refresh_from_db()
    assert check_password(pin, mailbox.pin)
    assert ann.get(answer.url).context["secrets"] == {}


def test_deleting_asks_first(world: World, ann: Client) -> None:
    mailbox = make(world)
    url = url_of(world.acme, "mailbox-delete", pk=mailbox.pk)
    assert ann.get(url).context["consequences"]
    assert mailbox_named("Main").pk == mailbox.pk
    assert send(ann, url).url == url_of(world.acme, "mailbox-list")
    assert actions_of(mailbox) == ["mailbox.deleted", "mailbox.created"]


def test_a_residential_customers_mailbox_has_no_delete_button(world: World) -> None:
    mailbox = residential(world)
    client = enter(world, world.ben, world.gamma)
    page = client.get(url_of(world.gamma, "mailbox-edit", pk=mailbox.pk))
    assert "url" not in page.context["steps"][-1]
    assert page.context["form"].fields["box_number"].disabled
    url = url_of(world.gamma, "mailbox-delete", pk=mailbox.pk)
    page = client.get(url)
    assert page.context["refusal"]
    assert client.post(url, entries_of(page)).status_code == 422


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Main", "Support"]),
        ("q=sup", ["Support"]),
        ("q=101", ["Support"]),
        ("q=help@", ["Support"]),
        ("is_enabled=no", ["Support"]),
        ("sort=-box_number", ["Support", "Main"]),
    ],
)
def test_list_is_narrowed_and_sorted(
    world: World, ann: Client, query: str, names: list[str]
) -> None:
    make(world)
    make(
        world,
        name="Support",
        box_number="101",
        emails="help@acme.test",
        is_enabled=False,
    )
    make(world, world.rival, name="Foreign")
    page = ann.get(f"{url_of(world.acme, 'mailbox-list')}?{query}")
    assert [row.label for row in page.context["table"].rows] == names


def test_list_costs_the_same_for_one_and_for_many(world: World, ann: Client) -> None:
    url = url_of(world.acme, "mailbox-list")
    make(world)
    before = queries_of(ann, url)
    for number in range(5):
        make(world, box_number=f"20{number}")
    assert queries_of(ann, url) == before <= 30


def test_plain_users_see_the_list_and_change_nothing(world: World) -> None:
    mailbox = make(world)
    client = world.client(world.uli)
    page = client.get(url_of(world.acme, "mailbox-list"))
    assert [row.url for row in page.context["table"].rows] == [""]
    for name, kwargs in (
        ("mailbox-create", {}),
        ("mailbox-edit", {"pk": mailbox.pk}),
        ("mailbox-delete", {"pk": mailbox.pk}),
        ("mailbox-renew-pin", {"pk": mailbox.pk}),
    ):
        assert client.get(url_of(world.acme, name, **kwargs)).status_code == 403


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_shown_as_text(world: World, ann: Client, name: str) -> None:
    answer = send(ann, url_of(world.acme, "mailbox-create"), name=name)
    assert mailbox_named(name).customer == world.acme
    for url in (answer.url, url_of(world.acme, "mailbox-list")):
        assert "<script>alert" not in ann.get(url).content.decode()
