"""Into customers below and back: only down, only by POST, only in this browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.utils import timezone

from customers.backends import PersonBackend
from customers.choices import Lock
from customers.models import Customer, Person, Role, Switch
from customers.services import switching, tree
from customers.services.locks import set_lock
from portal.core.models import AuditEvent
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from portal.core.sessions import end_session
from tests.pages import entries_of, send
from tests.race import race
from tests.world import PASSWORD, World, build_world

EVERYBODY = ("root", "acme", "beta", "gamma", "rival")
# Whom each person reaches by switching; the own account takes none.
REACH: dict[str, set[str]] = {
    "olga": {"acme", "beta", "gamma", "rival"},
    "ann": {"beta", "gamma"},
    "ben": {"gamma"},
    "eve": set(),
    "uli": set(),  # no right to run customers
    "gil": set(),
}
PAIRS = [(person, account) for person in REACH for account in EVERYBODY]


@pytest.fixture
def unscoped(world: World) -> Iterator[World]:
    with scopes_disabled():
        yield world


def _home(account: Customer, page: str = "") -> str:
    return f"/a/{account.pk}/{page}"


def _list(account: Customer) -> str:
    return _home(account, "commerce/customers/")


def _switch(client: Client, here: Customer, to: Customer, **entries: Any) -> Any:
    """Press "Switch" for ``to`` in the account ``here``."""
    return client.post(_home(here, "switch/"), {"customer": to.pk} | entries)


def _leave(client: Client, account: Customer) -> Any:
    return client.post(_home(account, "switch/end/"))


def _is_asked_to_switch(response: Any) -> bool:
    return response.status_code == 200 and "customers/ask_to_switch.html" in {
        t.name for t in response.templates
    }


@pytest.fixture
def ann(world: World) -> Client:
    """Ann's browser, switched into Beta."""
    client = world.client(world.ann)
    assert _switch(client, world.acme, world.beta).status_code == 302
    return client


# --- Who reaches whom -------------------------------------------------------------------


@pytest.mark.parametrize(("person", "account"), PAIRS)
def test_switching_goes_down_only(unscoped: World, person: str, account: str) -> None:
    actor = unscoped.actor(getattr(unscoped, person))
    target = getattr(unscoped, account)
    if account in REACH[person]:
        switch = switching.open_switch(customer=target, session_key="s", by=actor)
        assert switch.acting_as.username == f"[{target.name}]"
        return
    with pytest.raises(PermissionDenied):
        switching.open_switch(customer=target, session_key="s", by=actor)
    assert not Switch.objects.exists()


@pytest.mark.parametrize(("person", "account"), PAIRS)
def test_account_answers_by_what_one_is_to_it(
    world: World, person: str, account: str
) -> None:
    who, target = getattr(world, person), getattr(world, account)
    response = world.client(who).get(_home(target))
    if who.customer_id == target.pk:
        assert response.status_code == 200
        assert not _is_asked_to_switch(response)
    elif account in REACH[person]:
        assert _is_asked_to_switch(response)
    else:
        assert response.status_code == 404


def test_foreign_and_missing_accounts_answer_alike(world: World) -> None:
    client = world.client(world.ann)
    pages = [
        client.get(f"/a/{account}/commerce/customers/")
        for account in (world.rival.pk, world.root.pk, 10**9, 10**17, 10**25, 0)
    ]
    assert [page.status_code for page in pages] == [404] * 6
    assert len({page.content for page in pages}) == 1


def test_being_inside_the_parent_is_not_being_above(unscoped: World) -> None:
    """Ben is below Beta's pseudo-person, but Ann's own account decides."""
    switching.open_switch(
        customer=unscoped.beta, session_key="s", by=unscoped.actor(unscoped.ann)
    )
    inside_beta = unscoped.actor(unscoped.ann, unscoped.beta)
    for account in (unscoped.acme, unscoped.rival, unscoped.root):
        with pytest.raises(PermissionDenied):
            switching.open_switch(customer=account, session_key="s", by=inside_beta)


# --- Opening ----------------------------------------------------------------------------


def test_switch_opens_the_account_with_a_banner(world: World, ann: Client) -> None:
    page = ann.get(_list(world.beta))
    assert page.status_code == 200
    acting = page.context["shell"]["acting"]
    assert acting["name"] == "[Beta Voice]"
    assert acting["minutes_left"] in (59, 60)
    assert acting["back_label"] == "Acme Telecom"
    assert "You are acting as" in page.content.decode()
    identities = page.context["shell"]["identities"]
    assert [(each["label"], each["current"]) for each in identities] == [
        ("Ann Weber", False),
        ("[Beta Voice]", True),
    ]


def test_own_account_is_open_beside_it_without_a_banner(
    world: World, ann: Client
) -> None:
    page = ann.get(_list(world.acme))
    assert page.context["shell"]["acting"] is None
    assert "You are acting as" not in page.content.decode()


@pytest.mark.parametrize("page", ["switch/", "switch/end/"])
def test_links_never_switch(world: World, ann: Client, page: str) -> None:
    url = _home(world.beta, page)
    for response in (ann.get(url, {"customer": world.gamma.pk}), ann.head(url)):
        assert response.status_code in {404, 405}
    with scopes_disabled():
        assert Switch.objects.filter(ended_at=None).count() == 1


def test_switch_from_another_site_is_refused(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.ann, backend="customers.backends.PersonBackend")
    assert _switch(client, world.acme, world.beta).status_code == 403


@pytest.mark.parametrize(
    "value",
    ["", "x", "-1", "²", "9" * 40, "9" * 5000, "own", "root", "rival", "deleted"],
)
def test_customer_that_is_not_below_is_not_found(world: World, value: str) -> None:
    with subtree(world.acme):
        tree.delete_customer(customer=world.gamma, by=world.actor(world.ann))
    ids = {
        "own": world.acme.pk,
        "root": world.root.pk,
        "rival": world.rival.pk,
        "deleted": world.gamma.pk,
    }
    response = world.client(world.ann).post(
        _home(world.acme, "switch/"), {"customer": ids.get(value, value)}
    )
    assert response.status_code == 404
    with scopes_disabled():
        assert not Switch.objects.exists()


@pytest.mark.parametrize("value", ["x", "²", "9" * 40, "eve", "ann", "gil", "pseudo"])
def test_person_of_another_account_is_not_found(world: World, value: str) -> None:
    with scopes_disabled():
        people = {"eve": world.eve.pk, "ann": world.ann.pk, "gil": world.gil.pk}
        people["pseudo"] = switching.pseudo_person(world.beta).pk
    client = world.client(world.ann)
    person = people.get(value, value)
    assert _switch(client, world.acme, world.beta, person=person).status_code == 404


def test_role_without_commerce_switches_nowhere(world: World) -> None:
    response = _switch(world.client(world.uli), world.acme, world.beta)
    assert response.status_code == 403


def test_locked_customers_can_be_switched_into(world: World) -> None:
    with subtree(world.acme):
        by = world.actor(world.ann)
        set_lock(customer=world.beta, lock=Lock.BOTH, reason="unpaid", by=by)
    client = world.client(world.ann)
    assert _switch(client, world.acme, world.beta).status_code == 302
    assert client.get(_list(world.beta)).status_code == 200


def test_entering_again_prolongs(world: World, ann: Client) -> None:
    with scopes_disabled():
        Switch.objects.update(expires_at=timezone.now() + timedelta(minutes=3))
    assert ann.get(_list(world.beta)).context["shell"]["acting"]["minutes_left"] == 2
    _switch(ann, world.acme, world.beta)
    assert ann.get(_list(world.beta)).context["shell"]["acting"]["minutes_left"] >= 59
    with scopes_disabled():
        assert Switch.objects.filter(ended_at=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_opening_one_switch_twice_at_once() -> None:
    world = build_world()
    client = world.client(world.ann)
    copies = []
    for _each in range(3):
        copy = Client()
        copy.cookies = client.cookies
        copies.append(copy)
    responses = race(
        *[lambda c=copy: _switch(c, world.acme, world.beta) for copy in copies]
    )
    assert [response.status_code for response in responses] == [302] * 3, responses
    with scopes_disabled():
        assert Switch.objects.filter(ended_at=None).count() == 1
        assert Person.objects.filter(is_pseudo=True).count() == 1
    assert client.get(_list(world.beta)).status_code == 200


# --- Rights inside ----------------------------------------------------------------------


def test_chosen_person_lends_its_rights_and_no_more(world: World) -> None:
    client = world.client(world.ann)
    _switch(client, world.acme, world.gamma, person=world.gil.pk)
    assert client.get(_list(world.gamma)).status_code == 403  # an Administrator
    page = client.get(_home(world.gamma, "features/people/"))
    assert page.status_code == 200
    assert page.context["shell"]["acting"]["name"] == "Gil Garcia"
    assert _leave(client, world.gamma).status_code == 302


@pytest.mark.parametrize(
    ("own", "other", "held"),
    [
        ({"commerce", "user", "audit"}, {"commerce", "user"}, {"commerce", "user"}),
        ({"commerce", "user"}, {"commerce", "user", "system"}, {"commerce", "user"}),
        ({"commerce", "user"}, {"audit"}, set()),
    ],
)
def test_rights_inside_are_those_that_both_have(
    unscoped: World, own: set[str], other: set[str], held: set[str]
) -> None:
    roles = [
        Role.objects.create(name=str(sorted(rights)), permissions=sorted(rights))
        for rights in (own, other)
    ]
    unscoped.ann.role, unscoped.gil.role = roles
    unscoped.ann.save()
    unscoped.gil.save()
    switching.open_switch(
        customer=unscoped.gamma,
        session_key="s",
        target=unscoped.gil,
        by=unscoped.actor(unscoped.ann),
    )
    reach = switching.resolve(
        person=unscoped.ann,
        account_id=unscoped.gamma.pk,
        session_key="s",
        source_ip=None,
    )
    assert reach is not None
    assert set(reach.actor.permissions) == held


def test_before_switching_there_are_no_rights_below(unscoped: World) -> None:
    reach = switching.resolve(
        person=unscoped.ann,
        account_id=unscoped.beta.pk,
        session_key="s",
        source_ip=None,
    )
    assert reach is not None
    assert reach.needs_switch
    assert not reach.actor.permissions
    assert not any(reach.actor.can(permission) for permission in Permission)


def test_page_posted_to_without_a_switch_does_nothing(world: World) -> None:
    client = world.client(world.ann)
    url = _home(world.beta, f"commerce/customers/{world.gamma.pk}/lock/")
    response = client.post(url, {"lock": "both", "reason": ""})
    assert _is_asked_to_switch(response)
    with scopes_disabled():
        assert Customer.objects.get(pk=world.gamma.pk).lock == Lock.NONE


def test_losing_the_right_at_home_ends_it_everywhere(world: World, ann: Client) -> None:
    with scopes_disabled():
        world.ann.role = Role.objects.get(name="Administrator")
        world.ann.save()
    assert ann.get(_list(world.beta)).status_code == 404


@pytest.mark.parametrize(
    "page", ["settings/profile/", "settings/password/", "settings/second-factor/"]
)
def test_own_things_are_not_reached_while_switched(
    world: World, ann: Client, page: str
) -> None:
    for response in (
        ann.get(_home(world.beta, page)),
        ann.post(_home(world.beta, page)),
    ):
        assert response.status_code == 404
    assert ann.get(_home(world.acme, page)).status_code == 200


def test_both_identities_stand_in_the_log(world: World, ann: Client) -> None:
    response = send(
        ann,
        _home(world.beta, "commerce/customers/new/normal/"),
        name="Delta",
        email="delta@customer.test",
        has_administrator=None,
    )
    assert response.status_code == 302
    with scopes_disabled():
        created = AuditEvent.objects.get(action="customer.created")
        opened = AuditEvent.objects.get(action="switch.opened")
    assert (created.person, created.person_name) == (world.ann, "Ann Weber")
    assert created.acting_as_name == "[Beta Voice]"
    assert created.acting_as is not None
    assert created.acting_as.customer_id == world.beta.pk
    assert created.source_ip == "127.0.0.1"
    assert (opened.person, opened.acting_as) == (world.ann, None)
    assert (opened.customer, opened.object_name) == (world.beta, "[Beta Voice]")


# --- Pseudo-people ----------------------------------------------------------------------


def test_pseudo_person_never_signs_in(unscoped: World) -> None:
    """Not even with a password and everything ticked, as only SQL could do it."""
    pseudo = switching.pseudo_person(unscoped.beta)
    assert not pseudo.is_active
    Person.objects.filter(pk=pseudo.pk).update(
        is_active=True, password=make_password(PASSWORD)
    )
    request = RequestFactory().post("/login/")
    for username in (pseudo.username, pseudo.username.upper(), f" {pseudo.username}"):
        assert authenticate(request, username=username, password=PASSWORD) is None
    assert PersonBackend().get_user(pseudo.pk) is None


def test_pseudo_person_follows_name_and_default_role(unscoped: World) -> None:
    first = switching.pseudo_person(unscoped.beta)
    assert first.role.name == "Reseller"
    Role.objects.filter(default_for="pseudo").update(default_for="")
    Role.objects.filter(name="User").update(default_for="pseudo")
    Customer.objects.filter(pk=unscoped.beta.pk).update(name="Beta Two")
    unscoped.beta.refresh_from_db()
    again = switching.pseudo_person(unscoped.beta)
    assert again.pk == first.pk
    assert (again.username, again.role.name) == ("[Beta Two]", "User")


@pytest.mark.parametrize("username", ["[Beta Voice]", "\uff3bBeta Voice\uff3d"])
def test_nobody_takes_the_name_of_a_pseudo_person(world: World, username: str) -> None:
    client = world.client(world.eve)
    url = _home(world.rival, "features/people/new/")
    response = send(client, url, username=username, emails="x@rival.test")
    assert response.status_code == 422
    assert _switch(world.client(world.ann), world.acme, world.beta).status_code == 302


# --- The end ----------------------------------------------------------------------------


def _expire(world: World) -> None:
    with scopes_disabled():
        Switch.objects.update(expires_at=timezone.now())


def test_expired_switch_asks_again(world: World, ann: Client) -> None:
    _expire(world)
    assert _is_asked_to_switch(ann.get(_list(world.beta)))


def test_leaving_ends_it_for_good(world: World, ann: Client) -> None:
    response = _leave(ann, world.beta)
    assert response["Location"] == f"{_list(world.acme)}{world.beta.pk}/"
    assert _is_asked_to_switch(ann.get(_list(world.beta)))
    with scopes_disabled():
        event = AuditEvent.objects.get(action="switch.closed")
    assert (event.person, event.acting_as_name) == (world.ann, "[Beta Voice]")


def test_leaving_the_own_account_leads_home(world: World, ann: Client) -> None:
    assert _leave(ann, world.acme)["Location"] == "/"
    assert ann.get(_list(world.beta)).status_code == 200


def test_other_browser_of_the_same_person_has_no_access(
    world: World, ann: Client
) -> None:
    other = world.client(world.ann)
    assert _is_asked_to_switch(other.get(_list(world.beta)))
    assert _leave(other, world.beta).status_code == 200  # asked to switch, not left
    assert ann.get(_list(world.beta)).status_code == 200


def test_other_person_in_the_same_account_has_no_access(
    world: World, ann: Client
) -> None:
    with scopes_disabled():
        world.uli.role = world.ann.role
        world.uli.save()
    assert _is_asked_to_switch(world.client(world.uli).get(_list(world.beta)))
    assert ann.get(_list(world.beta)).status_code == 200


def test_signing_out_ends_every_switch(world: World, ann: Client) -> None:
    ann.post("/logout/")
    assert ann.get(_list(world.beta))["Location"].startswith("/login/")
    signed_in = ann.post("/login/", {"username": "ann@acme.test", "password": PASSWORD})
    assert signed_in.status_code == 302
    assert _is_asked_to_switch(ann.get(_list(world.beta)))


@pytest.mark.parametrize("change", ["deleted", "moved away"])
def test_customer_that_is_gone_is_not_found(
    world: World, ann: Client, change: str
) -> None:
    with subtree(world.root):
        by = world.actor(world.olga)
        if change == "deleted":
            tree.delete_customer(customer=world.gamma, by=by)
            tree.delete_customer(customer=world.beta, by=by)
        else:
            tree.move_customer(
                customer=world.beta, parent=world.rival, plan=world.rival_plan, by=by
            )
    assert ann.get(_list(world.beta)).status_code == 404
    assert ann.get(_list(world.acme)).status_code == 200


# --- One below the other ----------------------------------------------------------------


def test_switches_stack_and_back_goes_one_up(world: World, ann: Client) -> None:
    _switch(ann, world.beta, world.gamma)
    page = ann.get(_home(world.gamma, "features/people/"))
    shell = page.context["shell"]
    assert [each["label"] for each in shell["identities"]] == [
        "Ann Weber",
        "[Beta Voice]",
        "[Gamma Bakery]",
    ]
    assert shell["acting"]["back_label"] == "Beta Voice"
    back = _leave(ann, world.gamma)
    assert back["Location"] == f"{_list(world.beta)}{world.gamma.pk}/"
    assert ann.get(back["Location"]).status_code == 200
    assert _is_asked_to_switch(ann.get(_home(world.gamma, "features/people/")))


def test_leaving_closes_what_was_entered_below(world: World, ann: Client) -> None:
    _switch(ann, world.beta, world.gamma)
    _leave(ann, world.beta)
    for account in (world.beta, world.gamma):
        assert _is_asked_to_switch(ann.get(_home(account)))


def test_skipping_a_level_leads_back_over_it(world: World) -> None:
    client = world.client(world.ann)
    _switch(client, world.acme, world.gamma)
    page = client.get(_home(world.gamma, "features/people/"))
    assert page.context["shell"]["acting"]["back_label"] == "Acme Telecom"
    assert _leave(client, world.gamma)["Location"] == _home(world.acme)
    assert _is_asked_to_switch(client.get(_list(world.beta)))


def test_whom_one_acts_as_is_written_down_when_going_on_down(
    world: World, ann: Client
) -> None:
    _switch(ann, world.beta, world.gamma)
    with scopes_disabled():
        event = AuditEvent.objects.filter(action="switch.opened").latest("pk")
    assert (event.person, event.acting_as_name) == (world.ann, "[Beta Voice]")
    assert event.customer == world.gamma


# --- Deep links -------------------------------------------------------------------------


def test_deep_link_shows_one_button_and_leads_on(world: World) -> None:
    client = world.client(world.ann)
    link = f"{_list(world.beta)}{world.gamma.pk}/?x=1"
    page = client.get(link)
    assert _is_asked_to_switch(page)
    assert page.context["next"] == link
    response = client.post(
        page.context["switch_url"], {"customer": world.beta.pk, "next": link}
    )
    assert response["Location"] == link
    assert client.get(link).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test/",
        "javascript:alert(1)",
        "/",
        "/admin/",
        "/logout/",
        "/a/{acme}/commerce/customers/",
        "/a/{beta}/../{acme}/",
        "/a/{beta}/../../admin/",
        "/a/{beta}/%2e%2e/{acme}/",
        "/a/{beta}/.%2e/../admin/",
        "/a/{beta}0/",
        "/a/{beta}",
        "/a/{beta}/no/such/page/",
        "\\/a/{beta}/",
        "/a/{acme}/?next=/a/{beta}/",
        "/a/{beta}/\0",
        "http:/a/{beta}/",
    ],
)
def test_way_on_never_leaves_the_account(world: World, target: str) -> None:
    asked = target.format(acme=world.acme.pk, beta=world.beta.pk)
    client = world.client(world.ann)
    response = _switch(client, world.acme, world.beta, next=asked)
    assert response["Location"] == _home(world.beta)


@pytest.mark.parametrize("target", [" /a/{beta}/", "/a/{beta}/#top", "\t/a/{beta}/"])
def test_way_on_is_cleaned(world: World, target: str) -> None:
    asked = target.format(beta=world.beta.pk)
    client = world.client(world.ann)
    response = _switch(client, world.acme, world.beta, next=asked)
    assert response["Location"] == _home(world.beta)


def test_start_inside_is_about_the_account_one_is_in(world: World, ann: Client) -> None:
    page = ann.get(_home(world.beta)).content.decode()
    assert "Switch to Gamma Bakery" in page
    assert "Switch to Beta Voice" not in page


# --- What was typed ---------------------------------------------------------------------


def _typed(client: Client, url: str) -> dict[str, Any]:
    return entries_of(
        client.get(url),
        name="Delta Dental",
        email="office@delta.test",
        description="two\nlines & <b>more</b>",
        credit_limit="12,50",
        person_first_name="Dora",
    )


def _assert_is_back(page: Any, world: World) -> None:
    assert page.status_code == 200
    form = page.context["form"]
    assert form["name"].value() == "Delta Dental"
    assert form["description"].value() == "two\nlines & <b>more</b>"
    assert form["credit_limit"].value() == "12,50"
    assert form["person_first_name"].value() == "Dora"
    assert page.context["is_dirty"]


def test_form_whose_switch_expired_is_back_after_switching(
    world: World, ann: Client
) -> None:
    url = _home(world.beta, "commerce/customers/new/normal/")
    entries = _typed(ann, url)
    _expire(world)
    asked = ann.post(url, entries)
    assert _is_asked_to_switch(asked)
    assert asked.context["has_kept_entries"]
    response = ann.post(
        asked.context["switch_url"],
        {"customer": world.beta.pk, "next": asked.context["next"]},
    )
    assert response["Location"] == url
    page = ann.get(url)
    _assert_is_back(page, world)
    assert ann.post(url, entries_of(page)).status_code == 302
    with scopes_disabled():
        assert Customer.objects.get(name="Delta Dental").parent == world.beta
    assert ann.get(url).context["form"]["name"].value() in (None, "")  # once only


def test_form_whose_session_ended_is_back_after_signing_in(world: World) -> None:
    client = world.client(world.ann)
    url = _home(world.acme, "commerce/customers/new/normal/")
    entries = _typed(client, url)
    end_session(client.session.session_key or "")
    asked = client.post(url, entries)
    assert asked["Location"] == f"/login/?next={url}"
    signed_in = client.post(
        asked["Location"], {"username": "ann@acme.test", "password": PASSWORD}
    )
    assert signed_in["Location"] == url
    page = client.get(url)
    _assert_is_back(page, world)
    assert client.post(url, entries_of(page)).status_code == 302
    with scopes_disabled():
        assert Customer.objects.filter(name="Delta Dental").count() == 1


def test_what_one_typed_is_not_shown_to_who_signs_in_next(world: World) -> None:
    client = world.client(world.ann)
    url = _home(world.acme, "commerce/customers/new/normal/")
    entries = _typed(client, url)
    end_session(client.session.session_key or "")
    client.post(url, entries)
    client.post("/login/", {"username": "eve@rival.test", "password": PASSWORD})
    assert client.get(url).status_code == 404
    own = _home(world.rival, "commerce/customers/new/normal/")
    assert client.get(own).context["form"]["name"].value() in (None, "")
