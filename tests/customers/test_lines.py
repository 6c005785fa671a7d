"""Telephone lines: services and pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.test.utils import override_settings

from customers.choices import CustomerKind
from customers.models import Customer, DialPlan, Mailbox, Number, TelephoneLine
from customers.services import lines, mailboxes
from portal.core import secrets
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
from tests.race import race
from tests.world import World


def make(
    world: World, customer: Customer | None = None, **values: Any
) -> TelephoneLine:
    account = customer or world.acme
    with subtree(account):
        line, _password = lines.create_line(
            customer=account,
            values={"name": "Reception", "username": "rec-1"} | values,
            by=system_actor(account),
        )
    return line


def box(world: World, customer: Customer | None = None) -> Mailbox:
    account = customer or world.acme
    with subtree(account):
        mailbox, _pin = mailboxes.create_mailbox(
            customer=account,
            values={"name": "Box", "box_number": "100"},
            by=system_actor(account),
        )
    return mailbox


def residential(world: World) -> TelephoneLine:
    """Gamma as a residential customer with the line it consists of."""
    with scopes_disabled():
        Customer.objects.filter(pk=world.gamma.pk).update(
            kind=CustomerKind.RESIDENTIAL, name="+493055501"
        )
    world.gamma.refresh_from_db()
    return make(world, world.gamma, name="+493055501", username="493055501")


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


# --- Services -------------------------------------------------------------------------


def test_create_gives_a_password_that_is_stored_encrypted(world: World) -> None:
    with subtree(world.acme):
        line, password = lines.create_line(
            customer=world.acme,
            values={"name": "Reception", "username": "rec-1"},
            by=world.actor(world.ann),
        )
    line.refresh_from_db()
    assert len(password) == 20
    assert password not in line.password
    assert secrets.decrypt(line.password) == password
    assert actions_of(line) == ["line.created"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"username": ""}, "username"),
        ({"username": "a b"}, "username"),
        ({"username": "ab"}, "username"),
        ({"username": "x" * 41}, "username"),
        ({"username": "<script>"}, "username"),
        ({"username": "TAKEN"}, "username"),
        ({"extension": "12a"}, "extension"),
        ({"extension": "77"}, "extension"),
        ({"callerid": "030 901820"}, "callerid"),
        ({"callerid": "+0123456"}, "callerid"),
        ({"callerid": "+4930123456789012345"}, "callerid"),
    ],
)
def test_create_refuses_what_cannot_be(
    world: World, values: dict[str, Any], field: str
) -> None:
    make(world, username="taken", extension="77")
    with pytest.raises(ValidationError) as caught:
        make(world, **values)
    assert field in refusals_of(caught)


def test_user_names_are_unique_over_all_accounts(world: World) -> None:
    make(world, world.rival, username="shared")
    with pytest.raises(ValidationError) as caught:
        make(world, username="Shared")
    assert refusals_of(caught) == {"username": ["This SIP user name is taken."]}


def test_extensions_are_unique_within_the_account_only(world: World) -> None:
    make(world, world.rival, extension="12", username="r-12")
    assert make(world, extension="12").extension == "12"


@pytest.mark.parametrize(
    ("first", "second", "constraint"),
    [
        ({"username": "a-1"}, {"username": "A-1"}, "line_username_once"),
        (
            {"username": "a-1", "extension": "1"},
            {"username": "a-2", "extension": "1"},
            "line_extension_once_per_customer",
        ),
    ],
)
def test_the_database_refuses_as_well(
    world: World, first: dict[str, str], second: dict[str, str], constraint: str
) -> None:
    rows = [TelephoneLine(customer=world.acme, name="x", **v) for v in (first, second)]
    rows[0].save()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        rows[1].save()


def test_a_mailbox_of_another_account_is_refused(world: World) -> None:
    with pytest.raises(ValidationError) as caught:
        make(world, mailbox=box(world, world.beta))
    assert "mailbox" in refusals_of(caught)


def test_services_need_right_and_account(world: World) -> None:
    line = make(world)
    weak = without(world.actor(world.ann), Permission.ADMINISTRATOR)
    for by in (weak, world.actor(world.eve)):
        with subtree(world.root):
            with pytest.raises(PermissionDenied):
                lines.update_line(line=line, values={"name": "X"}, by=by)
            with pytest.raises(PermissionDenied):
                lines.renew_password(line=line, by=by)
            with pytest.raises(PermissionDenied):
                lines.delete_line(line=line, by=by)
            with pytest.raises(PermissionDenied):
                lines.set_enabled(
                    customer=world.acme, line_ids=[line.pk], is_enabled=False, by=by
                )
            with pytest.raises(PermissionDenied):
                lines.create_line(
                    customer=world.acme, values={"name": "X", "username": "x-1"}, by=by
                )


def test_update_from_an_old_state_overwrites_nothing(world: World) -> None:
    line, by = make(world), world.actor(world.ann)
    seen = state_of(line, lines.FIELDS)
    with subtree(world.acme):
        lines.update_line(line=line, values={"name": "Theirs"}, by=by)
        with pytest.raises(StaleError):
            lines.update_line(line=line, values={"name": "Mine"}, seen=seen, by=by)
    line.refresh_from_db()
    assert line.name == "Theirs"


def test_renewed_passwords_replace_the_old_one(world: World) -> None:
    line = make(world)
    with subtree(world.acme):
        password = lines.renew_password(line=line, by=world.actor(world.ann))
    before = secrets.decrypt(line.password)
    line.refresh_from_db()
    assert secrets.decrypt(line.password) == password != before
    assert actions_of(line) == ["line.password_renewed", "line.created"]


def test_delete_leaves_its_numbers_ringing_nowhere(world: World) -> None:
    line, number = make(world), world.numbers[0]
    with subtree(world.acme):
        Number.objects.filter(pk=number.pk).update(line=line)
        lines.delete_line(line=line, by=world.actor(world.ann))
    number.refresh_from_db()
    assert number.is_free
    assert number.customer_id == world.acme.pk


def test_a_residential_customers_own_line_stays(world: World) -> None:
    line, by = residential(world), system_actor(world.gamma)
    with subtree(world.gamma):
        with pytest.raises(ValidationError) as caught:
            lines.delete_line(line=line, by=by)
        assert "consists of" in refusals_of(caught)[""][0]
        with pytest.raises(ValidationError) as caught:
            lines.update_line(line=line, values={"username": "other"}, by=by)
        assert list(refusals_of(caught)) == ["username"]
        lines.update_line(line=line, values={"name": "Kitchen"}, by=by)
        with pytest.raises(ValidationError):
            lines.delete_line(line=line, by=by)


def test_other_lines_of_a_residential_customer_may_go(world: World) -> None:
    residential(world)
    line = make(world, world.gamma, name="Cellar")
    with subtree(world.gamma):
        lines.delete_line(line=line, by=system_actor(world.gamma))
        assert TelephoneLine.objects.filter(customer=world.gamma).count() == 1


def test_set_enabled_changes_own_lines_and_tells_each(world: World) -> None:
    own, off = make(world), make(world, username="off-1", is_enabled=False)
    foreign = make(world, world.rival, username="riv-1")
    with subtree(world.root):
        changed = lines.set_enabled(
            customer=world.acme,
            line_ids=[own.pk, off.pk, foreign.pk],
            is_enabled=False,
            by=world.actor(world.ann),
        )
    for line in (own, off, foreign):
        line.refresh_from_db()
    assert changed == 1
    assert [own.is_enabled, off.is_enabled, foreign.is_enabled] == [False, False, True]
    assert actions_of(own) == ["line.updated", "line.created"]
    assert actions_of(off) == ["line.created"]


@pytest.mark.django_db(transaction=True)
def test_one_extension_goes_to_one_of_two_at_once(world: World) -> None:
    results = race(
        lambda: make(world, username="a-1", extension="12"),
        lambda: make(world, username="a-2", extension="12"),
    )
    refused = [r for r in results if isinstance(r, ValidationError)]
    assert [r.message_dict for r in refused] == [
        {"extension": ["Another line has this extension."]}
    ]
    assert sum(isinstance(r, TelephoneLine) for r in results) == 1


def test_proposed_user_names_can_be_taken(world: World) -> None:
    first, second = (lines.propose_username(world.acme) for _ in range(2))
    assert first != second
    assert make(world, username=first).username == first


# --- Pages ----------------------------------------------------------------------------


def line_named(name: str) -> TelephoneLine:
    with scopes_disabled():
        return TelephoneLine.objects.select_related("customer", "mailbox").get(
            name=name
        )


def test_create_shows_password_and_settings_once(world: World, ann: Client) -> None:
    with override_settings(SIP_SERVER="sip.acme.test"):
        answer = send(ann, url_of(world.acme, "line-create"), name="Reception")
        line = line_named("Reception")
        assert answer.url == url_of(world.acme, "line-edit", pk=line.pk)
        page = ann.get(answer.url)
    password = secrets.decrypt(line.password)
    assert page.context["secrets"] == {"SIP password": password}
    values = [item["value"] for item in page.context["setup"]]
    assert values == ["sip.acme.test", line.username]
    assert line.username.startswith(f"{world.acme.pk}-")
    again = ann.get(answer.url)
    assert again.context["secrets"] == {}
    assert password not in again.content.decode()


def test_create_with_every_field(world: World, ann: Client) -> None:
    mailbox, plan = box(world), DialPlan.objects.create(name="Germany")
    send(
        ann,
        url_of(world.acme, "line-create"),
        name="Reception",
        username="reception-1",
        extension="10",
        callerid="030 5550100",
        mailbox=mailbox.pk,
        dial_plan=plan.pk,
        is_external_allowed=None,
        is_enabled=None,
    )
    line = line_named("Reception")
    assert (line.username, line.extension) == ("reception-1", "10")
    assert line.callerid == "+49305550100"
    assert (line.mailbox, line.dial_plan_id) == (mailbox, plan.pk)
    assert not line.is_external_allowed
    assert not line.is_enabled


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "\u202egnp"}, "name"),
        ({"username": "a b"}, "username"),
        ({"extension": "ten"}, "extension"),
        ({"callerid": "call me"}, "callerid"),
        ({"callerid": "+4930123456789012345"}, "callerid"),
        ({"mailbox": "999999"}, "mailbox"),
    ],
)
def test_create_refuses_at_the_field(
    world: World, ann: Client, changes: dict[str, str], field: str
) -> None:
    url = url_of(world.acme, "line-create")
    answer = send(ann, url, **({"name": "Kept", "extension": "55"} | changes))
    assert field in errors_of(answer)
    with subtree(world.acme):
        assert not TelephoneLine.objects.exists()


def test_a_foreign_mailbox_posted_by_hand_is_refused(world: World, ann: Client) -> None:
    for owner in (world.beta, world.rival, world.root):
        mailbox = box(world, owner)
        url = url_of(world.acme, "line-create")
        answer = send(ann, url, name="X", mailbox=mailbox.pk)
        assert list(errors_of(answer)) == ["mailbox"]
        assert ">Box<" not in answer.content.decode()


def test_the_dial_plan_is_asked_for_only_if_there_is_one(
    world: World, ann: Client
) -> None:
    url = url_of(world.acme, "line-create")
    assert "dial_plan" not in ann.get(url).context["form"].fields
    DialPlan.objects.create(name="Germany")
    assert "dial_plan" in ann.get(url).context["form"].fields


def test_the_accounts_numbers_are_proposed_as_caller_ids(
    world: World, ann: Client
) -> None:
    page = ann.get(url_of(world.acme, "line-create")).content.decode()
    assert '<datalist id="id_callerid-list">' in page
    assert page.count('<option value="+4930555010') == 3
    beta = enter(world, world.ann, world.beta)
    page = beta.get(url_of(world.beta, "line-create")).content.decode()
    assert "+4930555010" not in page


def test_edit_saves_and_lists_its_numbers(world: World, ann: Client) -> None:
    line = make(world)
    with subtree(world.acme):
        Number.objects.filter(pk=world.numbers[0].pk).update(line=line)
    url = url_of(world.acme, "line-edit", pk=line.pk)
    leads = ann.get(url).context["leads"]
    assert [lead["label"] for lead in leads] == ["+49 30 5550100"]
    assert send(ann, url, name="Front desk").status_code == 302
    assert line_named("Front desk").pk == line.pk


def test_edit_of_what_others_changed_shows_it(world: World, ann: Client) -> None:
    line = make(world)
    url = url_of(world.acme, "line-edit", pk=line.pk)
    entries = entries_of(ann.get(url), name="Mine")
    send(world.client(world.ann), url, name="Theirs")
    answer = ann.post(url, entries)
    assert answer.status_code == 422
    assert "Name: Reception → Theirs" in answer.content.decode()
    assert ann.post(url, entries_of(answer)).status_code == 302
    assert line_named("Mine").pk == line.pk


@pytest.mark.parametrize("page", ["line-edit", "line-renew-password", "line-delete"])
@pytest.mark.parametrize("owner", ["beta", "rival", "root"])
def test_lines_of_other_accounts_are_not_found(
    world: World, ann: Client, page: str, owner: str
) -> None:
    line = make(world, getattr(world, owner))
    url = url_of(world.acme, page, pk=line.pk)
    assert ann.get(url).status_code == ann.post(url).status_code == 404
    elsewhere = url_of(getattr(world, owner), page, pk=line.pk)
    assert world.client(world.gil).get(elsewhere).status_code == 404
    assert actions_of(line) == ["line.created"]


def test_renewing_asks_first_and_shows_the_password_once(
    world: World, ann: Client
) -> None:
    line = make(world)
    url = url_of(world.acme, "line-renew-password", pk=line.pk)
    assert ann.get(url).context["consequences"]
    answer = send(ann, url)
    page = ann.get(answer.url)
    line.refresh_from_db()
    assert page.context["secrets"]["SIP password"] == secrets.decrypt(line.password)
    assert ann.get(answer.url).context["secrets"] == {}


def test_deleting_tells_what_becomes_of_the_numbers(world: World, ann: Client) -> None:
    line = make(world)
    with subtree(world.acme):
        Number.objects.filter(customer=world.acme).update(line=line)
    url = url_of(world.acme, "line-delete", pk=line.pk)
    assert "3 numbers ring here" in ann.get(url).content.decode()
    assert send(ann, url).url == url_of(world.acme, "line-list")
    with subtree(world.acme):
        assert not TelephoneLine.objects.exists()


def test_a_residential_customers_line_has_no_delete_button(world: World) -> None:
    line = residential(world)
    client = enter(world, world.ben, world.gamma)
    page = client.get(url_of(world.gamma, "line-edit", pk=line.pk))
    last = page.context["steps"][-1]
    assert "url" not in last
    assert "consists of this line" in last["text"]
    assert page.context["form"].fields["username"].disabled
    url = url_of(world.gamma, "line-delete", pk=line.pk)
    page = client.get(url)
    assert "consists of this line" in page.context["refusal"]
    assert client.post(url, entries_of(page)).status_code == 422


def test_bulk_disables_and_enables(world: World, ann: Client) -> None:
    line, other = make(world), make(world, world.rival, username="riv-1")
    url = url_of(world.acme, "line-bulk")
    rows = [line.pk, other.pk, "x", "²", "9" * 40]
    ann.post(url, {"action": "disable", "row": rows})
    line.refresh_from_db()
    other.refresh_from_db()
    assert (line.is_enabled, other.is_enabled) == (False, True)
    ann.post(url, {"action": "enable", "row": [line.pk]})
    line.refresh_from_db()
    assert line.is_enabled
    assert ann.post(url, {"action": "burn", "row": [line.pk]}).status_code == 404
    assert ann.get(url).status_code == 405


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Cellar", "Reception"]),
        ("q=rece", ["Reception"]),
        ("q=REC-1", ["Reception"]),
        ("q=12", ["Cellar"]),
        ("q=030+5550100", ["Reception"]),
        ("q=5550101", []),
        ("is_enabled=no", ["Cellar"]),
        ("is_enabled=yes", ["Reception"]),
        ("sort=-name", ["Reception", "Cellar"]),
        ("sort=username", ["Cellar", "Reception"]),
    ],
)
def test_list_is_narrowed_and_sorted(
    world: World, ann: Client, query: str, names: list[str]
) -> None:
    line = make(world)
    make(world, name="Cellar", username="cel-1", extension="12", is_enabled=False)
    make(world, world.rival, name="Foreign", username="for-1")
    with subtree(world.acme):
        Number.objects.filter(pk=world.numbers[0].pk).update(line=line)
    page = ann.get(f"{url_of(world.acme, 'line-list')}?{query}")
    assert [row.label for row in page.context["table"].rows] == names


def test_list_costs_the_same_for_one_and_for_many(world: World, ann: Client) -> None:
    url = url_of(world.acme, "line-list")
    make(world, mailbox=box(world))
    before = queries_of(ann, url)
    for number in range(5):
        make(world, username=f"line-{number}")
    assert queries_of(ann, url) == before <= 30


def test_plain_users_see_the_list_and_change_nothing(world: World) -> None:
    line = make(world)
    client = world.client(world.uli)
    page = client.get(url_of(world.acme, "line-list"))
    assert [row.url for row in page.context["table"].rows] == [""]
    assert not page.context["page_actions"]
    assert not page.context["table"].selectable
    for name, kwargs in (
        ("line-create", {}),
        ("line-edit", {"pk": line.pk}),
        ("line-delete", {"pk": line.pk}),
        ("line-renew-password", {"pk": line.pk}),
    ):
        assert client.get(url_of(world.acme, name, **kwargs)).status_code == 403
    assert client.post(url_of(world.acme, "line-bulk")).status_code == 403


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_shown_as_text(world: World, ann: Client, name: str) -> None:
    answer = send(ann, url_of(world.acme, "line-create"), name=name)
    line = line_named(name)
    for url in (
        answer.url,
        url_of(world.acme, "line-list"),
        url_of(world.acme, "line-delete", pk=line.pk),
    ):
        assert "<script>alert" not in ann.get(url).content.decode()


def test_saving_twice_makes_one_line(world: World, ann: Client) -> None:
    url = url_of(world.acme, "line-create")
    entries = entries_of(ann.get(url), name="Once")
    assert ann.post(url, entries).url == ann.post(url, entries).url
    assert line_named("Once").customer == world.acme
