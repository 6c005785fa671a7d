"""Commerce » Rate plans: the list and the pages of one plan."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from billing.models import BillingAccount
from customers.models import Customer, TimeGroup
from portal.core.scope import scopes_disabled
from portal.core.urls import account_url
from rateplans.choices import BillingPeriod, Sharing
from rateplans.models import RatePlan
from rateplans.services import preview
from tests.customers.features import ODD_NAMES, queries_of
from tests.pages import entries_of, errors_of, send
from tests.rateplans.test_plans import office_hours
from tests.world import World


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def page_of(customer: Customer, name: str, **kwargs: Any) -> str:
    return account_url(customer.pk, f"rateplans:plan-{name}", **kwargs)


def plan_named(name: str) -> RatePlan:
    with scopes_disabled():
        return RatePlan.objects.get(name=name)


def test_the_list_says_what_a_plan_is(world: World, ann: Client) -> None:
    text = ann.get(page_of(world.acme, "list")).content.decode()
    for word in ("Acme basic", "Post-paid", "EUR", "Active"):
        assert word in text
    assert "Beta basic" not in text  # of a reseller below
    assert "Reseller standard" not in text  # of the account above


def test_the_list_takes_as_many_queries_for_one_plan_as_for_five(
    world: World, ann: Client
) -> None:
    url = page_of(world.acme, "list")
    before = queries_of(ann, url)
    with scopes_disabled():
        for name in ODD_NAMES:
            RatePlan.objects.create(
                owner=world.acme, name=name, currency="EUR", base=world.acme_plan
            )
    assert queries_of(ann, url) == before <= 30


def test_whoever_has_no_plan_is_invited_to_make_one(world: World) -> None:
    with scopes_disabled():
        BillingAccount.objects.filter(plan=world.beta_plan).update(plan=world.acme_plan)
        world.beta_plan.delete()
        RatePlan.objects.filter(pk=world.shared_plan.pk).update(share=Sharing.NO)
    page = world.client(world.ben).get(page_of(world.beta, "list"))
    assert "Make your first rate plan" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=archived", ["Old"]),
        ("q=bas", ["Acme basic"]),
        ("share=direct", []),
        ("signup=offered", ["Web"]),
        ("signup=not-offered", ["Acme basic", "Old"]),  # those of others are not told
    ],
)
def test_the_list_is_narrowed(
    world: World, ann: Client, query: str, found: list[str]
) -> None:
    with scopes_disabled():
        RatePlan.objects.create(
            owner=world.acme,
            name="Old",
            currency="EUR",
            archived_at="2026-01-01T00:00Z",
        )
        RatePlan.objects.create(
            owner=world.acme, name="Web", currency="EUR", offered_at_signup=True
        )
    page = ann.get(page_of(world.acme, "list") + f"?{query}")
    assert [row.label for row in page.context["table"].rows] == found


def test_a_plan_is_made_on_ones_own(world: World, ann: Client) -> None:
    url = page_of(world.acme, "create")
    page = ann.get(url)
    assert "Inherited (14 days" not in page.content.decode()  # nobody sets it above
    answer = ann.post(
        url, entries_of(page, name="Flat", due_days_0="number", due_days_1=9)
    )
    plan = plan_named("Flat")
    assert answer["Location"].startswith(page_of(world.acme, "prices", pk=plan.pk))
    assert plan.inherits_own
    assert plan.due_days == 9
    assert plan.overdue_days is None


def names_of(page: Any) -> list[str]:
    """What the list says below and beside the name of each plan."""
    cells = [row.cells[0] for row in page.context["table"].rows]
    return [" ".join(strip_tags(cell.html).split()) for cell in cells]


def test_a_plan_is_offered_at_sign_up(world: World, ann: Client) -> None:
    with scopes_disabled():  # what another offers is for those who sign up there
        RatePlan.objects.filter(pk=world.shared_plan.pk).update(offered_at_signup=True)
    plain = ["Acme basic", "Shared standard"]
    assert names_of(ann.get(page_of(world.acme, "list"))) == plain
    url = page_of(world.acme, "edit", pk=world.acme_plan.pk)
    assert "user-plus" not in ann.get(url).content.decode()
    send(ann, url, offered_at_signup="on")  # concerns nobody who is on it
    assert plan_named("Acme basic").offered_at_signup
    assert "Offered at sign-up" in pill_of(ann.get(url))
    signed = ["Acme basicOffered at sign-up", "Shared standard"]
    assert names_of(ann.get(page_of(world.acme, "list"))) == signed
    archive = page_of(world.acme, "archive", pk=world.acme_plan.pk)
    assert "no longer offered at sign-up" in ann.get(archive).content.decode()
    send(ann, archive)
    assert "no longer offered at sign-up" not in ann.get(archive).content.decode()
    page = send(ann, url, offered_at_signup="on")
    assert errors_of(page) == {
        "offered_at_signup": [
            "An archived plan is offered to nobody: bring it back first."
        ]
    }


def pill_of(page: Any) -> str:
    """What stands below the plan's name."""
    return str(page.content.decode().partition("page-subtitle")[2].partition("</p>")[0])


def test_class_of_service_times_are_asked_for_once_there_are_any(
    world: World, ann: Client
) -> None:
    url = page_of(world.acme, "edit", pk=world.acme_plan.pk)
    assert "cos_timegroup" not in ann.get(url).context["form"].fields
    office = office_hours()
    with scopes_disabled():
        RatePlan.objects.filter(pk=world.root_plan.pk).update(cos_timegroup=office)
        RatePlan.objects.filter(pk=world.acme_plan.pk).update(inherits_own=True)
    field = ann.get(url).context["form"]["cos_timegroup"]
    times = "Office hours: Mon–Fri 08:00–18:00"
    assert [str(label) for _value, label in field.field.choices] == [
        f"Inherited ({times}, from Reseller standard)",
        times,
    ]


def test_the_form_asks_no_more_for_more_times(world: World, ann: Client) -> None:
    office = office_hours()
    with scopes_disabled():
        RatePlan.objects.update(cos_timegroup=office)
    url = page_of(world.acme, "edit", pk=world.acme_plan.pk)
    before = queries_of(ann, url)
    for name in ODD_NAMES:
        group = TimeGroup.objects.create(name=name)
        group.spans.create(first_day=0, last_day=0, begins=0, ends=60)
        with scopes_disabled():
            RatePlan.objects.create(
                owner=world.acme, name=name, currency="EUR", cos_timegroup=group
            )
    assert queries_of(ann, url) == before <= 30


def test_a_refusal_stands_at_its_field(world: World, ann: Client) -> None:
    page = send(ann, page_of(world.acme, "create"), name="acme basic")
    assert list(errors_of(page)) == ["name"]
    page = send(ann, page_of(world.acme, "create"), name="A", due_days_0="number")
    assert list(errors_of(page)) == ["due_days"]


def test_every_setting_tells_what_it_inherits_and_from_where(world: World) -> None:
    """The plan of the account above is named; whatever that one inherits from is not."""
    with scopes_disabled():
        secret = RatePlan.objects.create(
            owner=world.root, name="Secret base", currency="EUR", due_days=21
        )
        RatePlan.objects.filter(pk=world.root_plan.pk).update(
            base=secret, billing_period=BillingPeriod.QUARTERLY
        )
        RatePlan.objects.filter(pk=world.acme_plan.pk).update(inherits_own=True)
    url = page_of(world.acme, "edit", pk=world.acme_plan.pk)
    text = world.client(world.ann).get(url).content.decode()
    assert "Inherited (Quarterly, from Reseller standard)" in text
    assert "Inherited (21 days, from Reseller standard)" in text
    assert "System default (Summary by kind)" in text
    assert "Secret base" not in text


def test_a_change_for_customers_is_asked_before_it_is_saved(
    world: World, ann: Client
) -> None:
    url = page_of(world.acme, "edit", pk=world.acme_plan.pk)
    typed = {"due_days_0": "number", "due_days_1": "30", "description": "New words"}
    page = send(ann, url, **typed)
    assert page.status_code == 200
    text = page.content.decode()
    assert "“Invoices due after” changes from" in text
    assert "1 customer." in text
    assert "New words" in text  # nothing typed is lost
    assert plan_named("Acme basic").due_days is None
    mark = page.context["unconfirmed"].mark
    answer = ann.post(url, entries_of(page, confirmed=mark, **typed))
    assert answer.status_code == 302
    assert plan_named("Acme basic").due_days == 30


def test_something_else_than_was_confirmed_is_asked_again(
    world: World, ann: Client
) -> None:
    url = page_of(world.acme, "edit", pk=world.acme_plan.pk)
    page = send(ann, url, due_days_0="number", due_days_1="30")
    mark = page.context["unconfirmed"].mark
    changed = {"confirmed": mark, "due_days_0": "number", "due_days_1": "60"}
    page = ann.post(url, entries_of(page, **changed))
    assert "60 days" in page.content.decode()
    assert plan_named("Acme basic").due_days is None


def test_what_concerns_nobody_is_saved_at_once(world: World, ann: Client) -> None:
    url = page_of(world.acme, "edit", pk=world.acme_plan.pk)
    answer = send(ann, url, description="Only words")
    assert answer.status_code == 302
    assert plan_named("Acme basic").description == "Only words"


STAYS = "1 customer of resellers stays on this plan"


def test_unsharing_a_plan_tells_who_stays_on_it(world: World) -> None:
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.beta).update(
            plan=world.shared_plan
        )
    url = page_of(world.root, "edit", pk=world.shared_plan.pk)
    olga = world.client(world.olga)
    assert told_of_kept(olga.get(url)) == []
    page = send(olga, url, share=Sharing.NO)
    assert STAYS in page.content.decode()
    assert plan_named(world.shared_plan.name).share == Sharing.RECURSIVE
    page = confirm(olga, page, share=Sharing.NO)
    # Said once more when it is done, and on the plan's page from then on.
    [message] = page.context["messages"]
    assert str(message).startswith(f"Saved. {STAYS}")
    assert STAYS in told_of_kept(olga.get(url))[0]
    assert send(olga, url, share=Sharing.RECURSIVE).status_code == 302
    assert told_of_kept(olga.get(url)) == []


def confirm(client: Client, page: Any, **changes: Any) -> Any:
    """Save once more what the page says, and go on to where that leads."""
    mark = page.context["unconfirmed"].mark
    answer = client.post(
        page.request["PATH_INFO"], entries_of(page, confirmed=mark, **changes)
    )
    assert answer.status_code == 302
    return client.get(answer["Location"])


def told_of_kept(page: Any) -> list[str]:
    steps = page.context["steps"]
    return [step["text"] for step in steps if step["title"] == "Kept by resellers"]


HEIRS = (
    "1 rate plan of resellers goes on inheriting from it (2 customers), though no other"
    " one there can."
)


@pytest.mark.parametrize("change", [{"share": Sharing.NO}, {"may_be_inherited": False}])
def test_closing_a_plan_tells_which_plans_go_on_inheriting_from_it(
    world: World, change: dict[str, Any]
) -> None:
    """A plan of Acme's inherits from the system owner's, and another of Acme's from it."""
    with scopes_disabled():
        base = world.shared_plan
        base.may_be_inherited = True
        base.save()
        heir = RatePlan.objects.create(
            owner=world.acme, name="Heir", base=base, currency="EUR"
        )
        RatePlan.objects.create(owner=world.root, name="Own", base=base, currency="EUR")
        BillingAccount.objects.filter(customer=world.beta).update(plan=heir)
        grandchild = RatePlan.objects.create(
            owner=world.beta, name="Grandchild", base=heir, currency="EUR"
        )
        BillingAccount.objects.filter(customer=world.gamma).update(plan=grandchild)
    olga, url = world.client(world.olga), page_of(world.root, "edit", pk=base.pk)
    assert told_of_kept(olga.get(url)) == []
    page = send(olga, url, **change)
    assert page.context["unconfirmed"].notes == [HEIRS]
    page = confirm(olga, page, **change)
    [message] = page.context["messages"]
    assert str(message) == f"Saved. {HEIRS}"
    assert told_of_kept(page) == [HEIRS]
    heir.refresh_from_db()
    assert heir.base_id == base.pk
    # Another change of the plan says nothing of them: it closes the plan to nobody.
    assert send(olga, url, description="Words").status_code == 302


def test_sharing_with_own_resellers_only_leaves_out_those_further_below(
    world: World,
) -> None:
    base = world.shared_plan
    with scopes_disabled():
        for number, owner in enumerate((world.acme, world.beta, world.beta)):
            RatePlan.objects.create(
                owner=owner, name=f"Heir {number}", base=base, currency="EUR"
            )
    assert preview.kept(base, share=Sharing.DIRECT, may_be_inherited=True).plans == 2
    assert preview.kept(base, share=Sharing.DIRECT, may_be_inherited=False).plans == 3
    assert preview.kept(base, share=Sharing.NO, may_be_inherited=True).plans == 3
    nobody = preview.kept(base, share=Sharing.RECURSIVE, may_be_inherited=True)
    assert nobody == preview.Kept()


def test_archiving_says_what_goes_on_inheriting(world: World, ann: Client) -> None:
    url = page_of(world.acme, "archive", pk=world.acme_plan.pk)
    text = "1 rate plan goes on inheriting from it."
    assert text not in ann.get(url).context["consequences"]
    with scopes_disabled():
        RatePlan.objects.create(
            owner=world.acme, name="Heir", base=world.acme_plan, currency="EUR"
        )
    assert text in ann.get(url).context["consequences"]


def test_what_must_be_filled_in_is_explained_where_something_must(
    world: World, ann: Client
) -> None:
    for name, is_told in (("edit", True), ("permissions", False)):
        page = ann.get(page_of(world.acme, name, pk=world.acme_plan.pk))
        assert ("must be filled in" in page.content.decode()) is is_told


@pytest.mark.parametrize("archived_at", [None, "2026-01-01T00:00Z"])
def test_only_what_is_not_archived_is_to_be_archived_instead(
    world: World, ann: Client, archived_at: str | None
) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(pk=world.acme_plan.pk).update(archived_at=archived_at)
    for name in ("edit", "delete"):
        text = ann.get(page_of(world.acme, name, pk=world.acme_plan.pk))
        assert "1 customer is on it." in text.content.decode()
        told = "Archive it instead." in text.content.decode()
        assert told is (archived_at is None)


def test_who_saves_late_learns_what_was_saved(world: World, ann: Client) -> None:
    url = page_of(world.acme, "edit", pk=world.acme_plan.pk)
    first, second = ann.get(url), ann.get(url)
    assert ann.post(url, entries_of(first, description="First")).status_code == 302
    page = ann.post(url, entries_of(second, description="Second"))
    assert page.status_code == 422
    assert "First" in page.context["stale"]
    again = entries_of(page, description="Second")
    assert ann.post(url, again).status_code == 302
    assert plan_named("Acme basic").description == "Second"


def test_a_plan_is_copied_archived_and_deleted(world: World, ann: Client) -> None:
    answer = send(
        ann, page_of(world.acme, "copy", pk=world.acme_plan.pk), name="Acme second"
    )
    copy = plan_named("Acme second")
    assert answer["Location"].startswith(page_of(world.acme, "edit", pk=copy.pk))
    for is_archived in (True, False):
        send(ann, page_of(world.acme, "archive", pk=copy.pk))
        assert (plan_named("Acme second").archived_at is not None) is is_archived
    send(ann, page_of(world.acme, "delete", pk=copy.pk))
    with scopes_disabled():
        assert not RatePlan.objects.filter(pk=copy.pk).exists()


def test_a_plan_in_use_has_no_button_to_delete_it(world: World, ann: Client) -> None:
    url = page_of(world.acme, "delete", pk=world.acme_plan.pk)
    assert "1 customer is on it." in ann.get(url).content.decode()
    assert ann.post(url).status_code == 422
    assert plan_named("Acme basic")
