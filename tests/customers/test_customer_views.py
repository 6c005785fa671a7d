"""Creating, opening, editing and ending customers in the browser, step by step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing.models import BillingAccount
from customers.choices import Lock
from customers.models import Customer, Note, Number, Person
from customers.services import tree
from customers.services.locks import set_lock
from portal.core.models import AuditEvent, EmailStatus, OutgoingEmail, Submission
from portal.core.scope import scopes_disabled, subtree
from rateplans.models import RatePlan
from tests.books import give
from tests.customers.test_create_customer import _create
from tests.pages import entries_of, errors_of, send
from tests.race import race
from tests.world import World, build_world

MOST_QUERIES = 30


def _url(world: World, page: str = "") -> str:
    return f"/a/{world.acme.pk}/commerce/customers/{page}"


def _one(world: World, page: str = "", customer: Customer | None = None) -> str:
    return _url(world, f"{(customer or world.beta).pk}/{page}")


def _messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


# --- New --------------------------------------------------------------------------------


def test_first_question_is_which_kind(world: World, ann: Client) -> None:
    page = ann.get(_url(world, "new/"))
    urls = [choice["url"] for choice in page.context["choices"]]
    assert urls == [_url(world, "new/normal/"), _url(world, "new/residential/")]


def test_normal_customer_is_made_and_its_page_says_what_happens_next(
    world: World, ann: Client
) -> None:
    response = send(
        ann,
        _url(world, "new/normal/"),
        name="Delta Dental",
        email="office@delta.test, accounts@delta.test",
        person_first_name="Dora",
        person_last_name="Dent",
    )
    with scopes_disabled():
        delta = Customer.objects.get(name="Delta Dental")
        person = Person.objects.get(customer=delta)
    assert response["Location"] == _one(world, customer=delta)
    assert (person.username, person.display_name) == ("office@delta.test", "Dora Dent")
    page = ann.get(response["Location"])
    assert _messages(page) == ["Delta Dental is now your customer."]
    title = page.context["state"]["title"]
    assert "office@delta.test, accounts@delta.test" in title


def test_customer_without_an_administrator_gets_no_mail(
    world: World, ann: Client
) -> None:
    response = send(
        ann,
        _url(world, "new/normal/"),
        name="Delta",
        email="a@b.test",
        has_administrator=None,
    )
    assert ann.get(response["Location"]).context["state"] is None
    with scopes_disabled():
        assert not OutgoingEmail.objects.exists()


def test_residential_customer_shows_its_secrets_once(world: World, ann: Client) -> None:
    response = send(
        ann,
        _url(world, "new/residential/"),
        number=world.numbers[0].pk,
        person_first_name="Rosa",
        person_last_name="Reich",
        email="rosa@home.test",
    )
    page = ann.get(response["Location"])
    assert _messages(page) == ["+49305550100 is now your customer."]
    shown = page.context["secrets"]
    assert set(shown) == {"SIP password", "Mailbox PIN"}
    assert shown["SIP password"] in page.content.decode()
    again = ann.get(response["Location"])
    assert not again.context["secrets"]
    assert shown["SIP password"] not in again.content.decode()


def test_reseller_two_levels_down_creates_by_switching(
    world: World, ann: Client
) -> None:
    ann.post(f"/a/{world.acme.pk}/switch/", {"customer": world.beta.pk})
    url = f"/a/{world.beta.pk}/commerce/customers/new/normal/"
    response = send(ann, url, name="Delta", email="a@b.test", has_administrator=None)
    assert response.status_code == 302
    with scopes_disabled():
        delta = Customer.objects.select_related("account__plan").get(name="Delta")
    assert (delta.parent, delta.account.plan) == (world.beta, world.beta_plan)


# --- Saved once -------------------------------------------------------------------------


def test_form_sent_twice_makes_one_customer(world: World, ann: Client) -> None:
    url = _url(world, "new/normal/")
    entries = entries_of(ann.get(url), name="Delta", email="a@b.test")
    first, second = ann.post(url, entries), ann.post(url, entries)
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    with scopes_disabled():
        assert Customer.objects.filter(name="Delta").count() == 1
        assert OutgoingEmail.objects.count() == 1
    # Told once, too.
    assert _messages(ann.get(first["Location"])) == ["Delta is now your customer."]


def test_form_sent_again_with_changes_is_another_one(world: World, ann: Client) -> None:
    """Who goes back in the browser and types another name means another customer."""
    url = _url(world, "new/normal/")
    changes = {"email": "a@b.test", "has_administrator": None}
    entries = entries_of(ann.get(url), name="Delta", **changes)
    ann.post(url, entries)
    response = ann.post(url, entries | {"name": "Epsilon"})
    assert response.status_code == 302
    with scopes_disabled():
        assert Customer.objects.filter(name__in=["Delta", "Epsilon"]).count() == 2


def test_edit_sent_again_with_changes_is_not_dropped(world: World, ann: Client) -> None:
    url = _one(world, "edit/")
    entries = entries_of(ann.get(url), address_city="Bonn")
    assert ann.post(url, entries).status_code == 302
    response = ann.post(url, entries | {"address_city": "Trier"})
    assert response.status_code == 422  # stale by one's own hand: shown, not lost
    assert "→ Bonn" in str(response.context["stale"])
    assert ann.post(url, entries_of(response)).status_code == 302
    with scopes_disabled():
        assert Customer.objects.get(pk=world.beta.pk).address_city == "Trier"


def test_token_of_somebody_else_is_no_key_to_a_result(
    world: World, ann: Client
) -> None:
    url = _url(world, "new/normal/")
    entries = entries_of(ann.get(url), name="Delta", email="a@b.test")
    ann.post(url, entries)
    olga = world.client(world.olga)
    olga.post(f"/a/{world.root.pk}/switch/", {"customer": world.acme.pk})
    response = olga.post(url, entries)
    assert set(errors_of(response)) >= {"name"}


@pytest.mark.parametrize(
    "token", ["", "x", "\0", "6F1C0D52-7E0B-4B1E-9C55-0B6B7C6E2A11", "9" * 5000]
)
def test_broken_token_saves_like_a_new_one(
    world: World, ann: Client, token: str
) -> None:
    url = _url(world, "new/normal/")
    entries = entries_of(ann.get(url), name="Delta", email="a@b.test", form_token=token)
    assert ann.post(url, entries).status_code == 302


def test_refused_form_uses_up_no_token(world: World, ann: Client) -> None:
    url = _url(world, "new/normal/")
    refused = send(ann, url, name="Beta Voice", email="a@b.test")
    assert refused.status_code == 422
    assert not Submission.objects.exists()
    assert ann.post(url, entries_of(refused, name="Delta")).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["normal", "residential"])
def test_two_clicks_at_once_make_one_customer(kind: str) -> None:
    world = build_world()
    client = world.client(world.ann)
    url = _url(world, f"new/{kind}/")
    changes: dict[str, Any] = {"email": "a@b.test"}
    if kind == "normal":
        changes["name"] = "Delta"
    else:
        changes |= {
            "number": world.numbers[0].pk,
            "person_first_name": "Rosa",
            "person_last_name": "Reich",
        }
    entries = entries_of(client.get(url), **changes)
    clicks = []
    for _click in range(3):
        browser = Client()
        browser.cookies = client.cookies
        clicks.append(lambda c=browser: c.post(url, entries))
    responses: list[Any] = race(*clicks)
    assert [response.status_code for response in responses] == [302] * 3, responses
    assert len({response["Location"] for response in responses}) == 1
    with scopes_disabled():
        assert Customer.objects.filter(parent=world.acme).count() == 2  # Beta and this
        assert OutgoingEmail.objects.count() == 1
        assert AuditEvent.objects.filter(action="customer.created").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_picking_one_number_in_the_browser() -> None:
    world = build_world()
    url = _url(world, "new/residential/")
    posts = []
    for first_name in ("Rosa", "Rita"):
        client = world.client(world.ann)
        entries = entries_of(
            client.get(url),
            number=world.numbers[0].pk,
            person_first_name=first_name,
            person_last_name="Reich",
            email="rosa@home.test",
        )
        posts.append(lambda c=client, e=entries: c.post(url, e))
    responses: list[Any] = race(*posts)
    assert sorted(response.status_code for response in responses) == [302, 422]
    refused = next(each for each in responses if each.status_code == 422)
    assert set(errors_of(refused)) == {"number"}
    form = refused.context["form"]
    assert form["person_first_name"].value() in {"Rosa", "Rita"}
    assert form["email"].value() == "rosa@home.test"
    with scopes_disabled():
        assert Customer.objects.filter(kind="residential").count() == 1


# --- Editing ----------------------------------------------------------------------------


def test_form_shows_what_is_and_saves_what_was_changed(
    world: World, ann: Client
) -> None:
    response = send(
        ann, _one(world, "edit/"), name="Beta Voice GmbH", credit_limit="250"
    )
    assert response["Location"] == _one(world)
    with scopes_disabled():
        beta = Customer.objects.select_related("account").get(pk=world.beta.pk)
        event = AuditEvent.objects.get(action="customer.updated")
        changed = set(event.changes.values_list("field", flat=True))
    assert (beta.name, beta.account.credit_limit) == ("Beta Voice GmbH", 250)
    assert changed == {"name", "credit_limit"}
    history = ann.get(_one(world, "history/")).content.decode()
    assert "Beta Voice GmbH" in history
    assert "Ann Weber" in history


def test_saving_what_is_shown_changes_nothing(world: World, ann: Client) -> None:
    with scopes_disabled():
        Customer.objects.filter(pk=world.beta.pk).update(
            concurrent_calls=-1, bulk_calls=7, callerid_in_external=False
        )
        BillingAccount.objects.filter(customer=world.beta).update(
            credit_limit="12.5",
            call_maximum="7.25",
            due_days=0,
            send_invoices=True,
            contract="1_year",
            affiliate=None,
        )
        before = _row(world.beta)
    assert send(ann, _one(world, "edit/")).status_code == 302
    with scopes_disabled():
        assert _row(world.beta) == before
        assert not AuditEvent.objects.filter(action="customer.updated").exists()


def _row(customer: Customer) -> dict[str, Any]:
    rows = Customer.objects.filter(pk=customer.pk)
    account = BillingAccount.objects.filter(customer=customer)
    return {**rows.values()[0], **account.values()[0]}


def test_plan_that_is_shared_no_more_stays_chosen(world: World, ann: Client) -> None:
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.beta).update(
            plan=world.shared_plan
        )
        RatePlan.objects.filter(pk=world.shared_plan.pk).update(share="no")
    assert send(ann, _one(world, "edit/"), credit_limit="5").status_code == 302
    with scopes_disabled():
        account = BillingAccount.objects.get(customer=world.beta)
    assert (account.plan, account.credit_limit) == (world.shared_plan, 5)


def test_stale_form_shows_every_save_it_missed_and_overwrites_nothing(
    world: World, ann: Client
) -> None:
    url = _one(world, "edit/")
    late = entries_of(ann.get(url), address_city="Trier", fax="+4930901820")
    olga = world.client(world.olga)
    olga.post(f"/a/{world.root.pk}/switch/", {"customer": world.acme.pk})
    send(world.client(world.ann), url, address_city="Bonn")
    send(olga, url, credit_limit="77")
    response = ann.post(url, late)
    assert response.status_code == 422
    told = str(response.context["stale"])
    assert "Ann Weber" in told
    assert "→ Bonn" in told
    assert "Credit limit: 0.00 → 77.00" in told
    assert "Olga" not in told  # who is above Acme stays nameless to it
    assert "Your provider" in told
    assert told in response.content.decode().replace("&gt;", ">")
    assert response.context["form"]["address_city"].value() == "Trier"
    with scopes_disabled():
        assert Customer.objects.get(pk=world.beta.pk).address_city == "Bonn"
    assert ann.post(url, entries_of(response)).status_code == 302
    with scopes_disabled():
        beta = Customer.objects.get(pk=world.beta.pk)
    assert (beta.address_city, beta.fax) == ("Trier", "+4930901820")


@pytest.mark.parametrize("version", ["", "x", "0", "99", "9" * 30])
def test_forged_version_saves_nothing(world: World, ann: Client, version: str) -> None:
    response = send(ann, _one(world, "edit/"), name="Beta Two", version=version)
    assert response.status_code == 422
    with scopes_disabled():
        assert Customer.objects.get(pk=world.beta.pk).name == "Beta Voice"


def test_grandchild_is_edited_with_its_resellers_choices(
    world: World, ann: Client
) -> None:
    url = _one(world, "edit/", world.gamma)
    plans = ann.get(url).context["form"].fields["plan"].choices
    offered = {pk for _group, choices in plans for pk, _name in choices}
    assert offered == {world.beta_plan.pk, world.shared_plan.pk}
    assert send(ann, url, credit_limit="9").status_code == 302


def test_deleted_customer_is_not_edited(world: World, ann: Client) -> None:
    with subtree(world.acme):
        tree.delete_customer(customer=world.gamma, by=world.actor(world.ann))
    assert ann.get(_one(world, "edit/", world.gamma)).status_code == 404
    assert ann.get(_one(world, "", world.gamma)).status_code == 200


def test_residential_customer_has_no_name_to_edit(world: World, ann: Client) -> None:
    send(
        ann,
        _url(world, "new/residential/"),
        number=world.numbers[0].pk,
        person_first_name="Rosa",
        person_last_name="Reich",
        email="rosa@home.test",
    )
    with scopes_disabled():
        customer = Customer.objects.get(kind="residential")
    url = _one(world, "edit/", customer)
    assert "name" not in ann.get(url).context["form"].fields
    assert send(ann, url, name="Rosa", address_city="Bonn").status_code == 302
    with scopes_disabled():
        customer.refresh_from_db()
    assert (customer.name, customer.address_city) == ("+49305550100", "Bonn")


# --- Locking, deleting, restoring, purging ----------------------------------------------


def test_customer_is_locked_and_unlocked_on_its_page(world: World, ann: Client) -> None:
    url = _one(world, "lock/")
    assert send(ann, url, lock="both", reason="unpaid")["Location"] == _one(world)
    page = ann.get(_one(world)).content.decode()
    assert "unpaid" in page
    assert send(ann, url, lock="none").status_code == 302
    assert errors_of(send(ann, url, lock="all"))["lock"]
    assert errors_of(send(ann, url, lock="web", reason="x" * 201))["reason"]


def test_refusal_to_delete_is_said_before_and_after(world: World, ann: Client) -> None:
    url = _one(world, "delete/")
    page = ann.get(url)
    assert page.context["refusal"].startswith("It has 1 customer of its own.")
    response = ann.post(url, entries_of(page))
    assert response.status_code == 422
    with scopes_disabled():
        assert not Customer.objects.get(pk=world.beta.pk).is_deleted


def test_running_contract_asks_what_becomes_of_it(world: World, ann: Client) -> None:
    url = _one(world, "delete/", world.gamma)
    assert "contract" not in ann.get(url).context["form"].fields
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.gamma).update(
            contract_ends_on=timezone.localdate() + timedelta(days=30)
        )
    assert set(errors_of(send(ann, url))) == {"contract"}
    assert send(ann, url, contract="waive").status_code == 302


def test_customer_goes_through_all_its_lives(world: World, ann: Client) -> None:
    gamma = world.gamma
    send(ann, _one(world, "delete/", gamma))
    page = ann.get(_one(world, "", gamma))
    assert _messages(page) == ["Deleted. It can be restored here."]
    listed = ann.get(_url(world), {"reach": "all"}).context["table"].rows
    assert gamma.pk not in [row.pk for row in listed]

    send(ann, _one(world, "undelete/", gamma))
    assert _messages(ann.get(_one(world, "", gamma))) == ["Restored."]

    response = send(ann, _one(world, "purge/", gamma))
    assert response.status_code == 422  # not while it lives
    send(ann, _one(world, "delete/", gamma))
    ann.get(_one(world, "", gamma))
    response = send(ann, _one(world, "purge/", gamma))
    assert response["Location"] == _url(world)
    assert ann.get(_one(world, "", gamma)).status_code == 404
    with scopes_disabled():
        assert not Customer.objects.filter(pk=gamma.pk).exists()


def test_purge_gives_numbers_back_and_says_so(world: World, ann: Client) -> None:
    with scopes_disabled():
        Number.objects.filter(pk=world.numbers[0].pk).update(customer=world.gamma)
    send(ann, _one(world, "delete/", world.gamma))
    consequences = ann.get(_one(world, "purge/", world.gamma)).context["consequences"]
    assert "Its numbers come back to the account above." in consequences
    send(ann, _one(world, "purge/", world.gamma))
    with scopes_disabled():
        assert Number.objects.get(pk=world.numbers[0].pk).customer == world.beta


@pytest.mark.parametrize("page", ["lock/", "delete/", "undelete/", "purge/", "move/"])
def test_reading_an_action_page_does_nothing(world: World, page: str) -> None:
    client = world.client(world.olga)
    url = f"/a/{world.root.pk}/commerce/customers/{world.gamma.pk}/{page}"
    with scopes_disabled():
        before = Customer.objects.filter(pk=world.gamma.pk).values()[0]
    assert client.get(url).status_code == 200
    with scopes_disabled():
        assert Customer.objects.filter(pk=world.gamma.pk).values()[0] == before


# --- Moving -----------------------------------------------------------------------------


def _move(world: World) -> str:
    return f"/a/{world.root.pk}/commerce/customers/{world.beta.pk}/move/"


def test_system_owner_moves_by_name(world: World) -> None:
    olga = world.client(world.olga)
    response = send(
        olga, _move(world), parent_name=" rival  PHONES", plan_name="RIVAL basic"
    )
    assert response.status_code == 302
    with scopes_disabled():
        assert Customer.objects.get(pk=world.beta.pk).parent == world.rival


@pytest.mark.parametrize(
    ("parent", "plan", "field"),
    [
        ("Nobody", "Rival basic", "parent_name"),
        ("", "Rival basic", "parent_name"),
        ("Rival Phones", "Acme basic", "plan_name"),
        ("Beta Voice", "Beta basic", "parent_name"),
        ("Gamma Bakery", "Shared standard", "parent_name"),
        ("Rival Phones\0", "Rival basic", "parent_name"),
    ],
)
def test_impossible_move_is_refused_at_its_field(
    world: World, parent: str, plan: str, field: str
) -> None:
    response = send(
        world.client(world.olga), _move(world), parent_name=parent, plan_name=plan
    )
    assert set(errors_of(response)) == {field}


def test_move_with_a_balance_says_why_not(world: World) -> None:
    with scopes_disabled():
        give(world.beta, 5)
    response = send(
        world.client(world.olga),
        _move(world),
        parent_name="Rival Phones",
        plan_name="Rival basic",
    )
    assert errors_of(response) == {
        "__all__": ["Settle the balance first: it is with the present parent."]
    }


def test_nobody_else_moves(world: World, ann: Client) -> None:
    url = _one(world, "move/")
    assert ann.get(url).status_code == 403
    assert ann.post(url).status_code == 403
    assert not ann.get(_one(world)).context["may_move"]


# --- The login mail ---------------------------------------------------------------------


def _with_mail(world: World, ann: Client, **state: Any) -> Customer:
    send(ann, _url(world, "new/normal/"), name="Delta", email="a@b.test")
    with scopes_disabled():
        OutgoingEmail.objects.update(**state)
        return Customer.objects.get(name="Delta")


@pytest.mark.parametrize(
    ("state", "pill"),
    [
        ({"status": EmailStatus.QUEUED}, "Queued"),
        (
            {
                "status": EmailStatus.SENT,
                "sent_at": timezone.now(),
                "secret": "",
            },
            "Sent",
        ),
        ({"status": EmailStatus.FAILED, "error": "550 <no> such user"}, "Failed"),
        ({"status": EmailStatus.KEPT}, "Kept"),
    ],
)
def test_page_tells_the_state_of_the_login_mail(
    world: World, ann: Client, state: dict[str, Any], pill: str
) -> None:
    delta = _with_mail(world, ann, **state)
    for page in ("", "email/"):
        response = ann.get(_one(world, page, delta))
        assert response.context["state"]["pill"] == pill
        text = response.content.decode()
        assert pill in text
        assert "<no> such" not in text
    if pill == "Failed":
        assert "550 &lt;no&gt; such user" in text


def test_figures_of_a_customer_lead_to_its_account_and_ones_own_plan(
    world: World,
) -> None:
    ann = world.client(world.ann)
    base = f"/a/{world.acme.pk}/commerce"
    for customer, is_ours in ((world.beta, True), (world.gamma, False)):
        page = ann.get(f"{base}/customers/{customer.pk}/")
        urls = {tile["label"]: tile["url"] for tile in page.context["tiles"]}
        account = f"{base}/customers/{customer.pk}/account/"
        assert urls["Balance"] == urls["Available"] == account
        assert urls["Rate plan"] == (
            f"{base}/plans/{world.acme_plan.pk}/" if is_ours else ""
        )
        for url in filter(None, urls.values()):
            assert ann.get(url).status_code == 200


def test_login_details_are_sent_again_with_a_fresh_link(
    world: World, ann: Client
) -> None:
    delta = _with_mail(world, ann, status=EmailStatus.FAILED)
    url = _one(world, "login-details/", delta)
    assert ann.get(url).status_code == 405
    assert ann.post(url)["Location"] == _one(world, "", delta)
    with scopes_disabled():
        old, new = OutgoingEmail.objects.order_by("pk")
    assert new.secret != old.secret
    assert "Login details with a new link go to a@b.test." in _messages(
        ann.get(_one(world, "", delta))
    )


def test_nothing_is_sent_again_where_nothing_was_sent(
    world: World, ann: Client
) -> None:
    assert ann.post(_one(world, "login-details/")).status_code == 404


# --- Cost -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    ["", "edit/", "people/", "history/", "notes/", "lock/", "delete/", "email/"],
)
def test_page_costs_the_same_however_much_there_is(
    world: World, page: str, django_assert_max_num_queries: Any
) -> None:
    client = world.client(world.ann)
    url = _one(world, page)
    client.get(url)  # whatever is read once and kept
    costs = []
    for more in (1, 4):
        _make_more(world, more, prefix=str(more))
        with django_assert_max_num_queries(MOST_QUERIES) as counted:
            assert client.get(url).status_code == 200
        costs.append(len(counted.captured_queries))
    assert costs[0] == costs[1], costs


def _make_more(world: World, count: int, *, prefix: str) -> None:
    """``count`` customers, notes, people and events of Beta more."""
    with subtree(world.acme):
        by = world.actor(world.ann)
        for position in range(count):
            customer = _create(
                world,
                parent=world.beta,
                values={"name": f"Kunde {prefix}-{position}", "email": "a@b.test"},
                account={"plan": world.beta_plan},
            )
            Note.objects.create(customer=world.beta, author_name="A", subject="x")
            Person.objects.create(
                customer=world.beta, username=f"p{customer.pk}", role=world.ann.role
            )
            reason = f"{prefix}-{position}"
            set_lock(customer=world.beta, lock=Lock.CALLS, reason=reason, by=by)


@pytest.mark.parametrize("page", ["new/", "new/normal/", "new/residential/"])
def test_form_costs_the_same_however_much_there_is_to_choose(
    world: World, page: str, django_assert_max_num_queries: Any
) -> None:
    client = world.client(world.ann)
    client.get(_url(world, page))
    costs = []
    for more in range(2):
        with scopes_disabled():
            for position in range(5 * more):
                RatePlan.objects.create(
                    owner=world.acme, name=f"Plan {position}", currency="EUR"
                )
                Number.objects.create(
                    number=f"+493055502{position:02}",
                    customer=world.acme,
                    number_class=world.numbers[0].number_class,
                )
        with django_assert_max_num_queries(MOST_QUERIES) as counted:
            assert client.get(_url(world, page)).status_code == 200
        costs.append(len(counted.captured_queries))
    assert costs[0] == costs[1], costs
