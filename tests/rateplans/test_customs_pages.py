"""Commerce » Rate plans » a plan » Custom settings."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from customers.branding import brand_seen_by
from customers.models import Company
from portal.core.scope import scopes_disabled
from portal.core.urls import account_url
from rateplans.models import CustomSetting, RatePlan
from tests.customers.features import queries_of
from tests.pages import entries_of, errors_of, send
from tests.world import World

GOOD = "Hello {name},\n\n{link}\n\nYour user name is {username}."


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def page_of(world: World, name: str, **kwargs: Any) -> str:
    place = {"pk": world.acme_plan.pk, **kwargs}
    return account_url(world.acme.pk, f"rateplans:custom-{name}", **place)


def add(world: World, **values: Any) -> CustomSetting:
    given = {"name": "login_details_text", "value": GOOD, **values}
    with scopes_disabled():
        return CustomSetting.objects.create(plan=world.acme_plan, **given)


def kept() -> list[tuple[str, str, str, str]]:
    with scopes_disabled():
        return list(
            CustomSetting.objects.values_list("name", "language", "reach", "value")
        )


def test_the_plan_leads_to_its_custom_settings(world: World, ann: Client) -> None:
    plan = account_url(world.acme.pk, "rateplans:plan-edit", pk=world.acme_plan.pk)
    assert page_of(world, "list") in ann.get(plan).content.decode()
    page = ann.get(page_of(world, "list")).content.decode()
    assert "Mails say what the portal says" in page


def test_the_list_takes_as_many_queries_for_one_as_for_five(
    world: World, ann: Client
) -> None:
    url = page_of(world, "list")
    add(world)
    before = queries_of(ann, url)
    for name in ("footer_text", "footer_url", "low_balance_subject"):
        add(world, name=name, value="x")
    add(world, language="de")
    assert queries_of(ann, url) == before <= 30


def test_the_list_says_what_is_inherited_and_from_where(
    world: World, ann: Client
) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(pk=world.acme_plan.pk).update(base=world.shared_plan)
        world.shared_plan.may_be_inherited = True
        world.shared_plan.save()
        for name, language, reach in (
            ("footer_text", "", "everybody"),
            ("footer_text", "de", "everybody"),
            ("login_details_text", "de", "everybody"),
            ("login_details_text", "en", "everybody"),
            ("low_balance_text", "", "direct"),
            ("low_balance_subject", "", "everybody"),
        ):
            CustomSetting.objects.create(
                plan=world.shared_plan,
                name=name,
                language=language,
                reach=reach,
                value=f"{name} {language}",
            )
    add(world, language="de")
    add(world, name="low_balance_subject", value="Own", reach="direct")
    page = ann.get(page_of(world, "list"))
    assert [(item["label"], item["help"]) for item in page.context["inherited"]] == [
        ("Foot of mails: text (German)", "From Shared standard"),
        ("Foot of mails: text (All languages)", "From Shared standard"),
        ("Login details: text (English)", "From Shared standard"),
        ("Low balance: subject (All languages)", "From Shared standard"),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=hotline", ["Foot of mails: text"]),
        ("name=login_details_text", ["Login details: text"]),
        ("language=de", ["Foot of mails: text"]),
        ("language=en", []),
    ],
)
def test_the_list_is_narrowed(
    world: World, ann: Client, query: str, found: list[str]
) -> None:
    add(world)
    add(world, name="footer_text", value="Our hotline", language="de")
    page = ann.get(f"{page_of(world, 'list')}?{query}")
    assert [row.label for row in page.context["table"].rows] == found


def test_a_text_is_made_changed_and_reset(world: World, ann: Client) -> None:
    made = send(ann, page_of(world, "create"), value=GOOD, language="de")
    assert made["Location"] == page_of(world, "list")
    assert kept() == [("login_details_text", "de", "everybody", GOOD)]
    with scopes_disabled():
        pk = CustomSetting.objects.get().pk
    send(ann, page_of(world, "edit", custom=pk), value=f"{GOOD}!", reach="direct")
    assert kept() == [("login_details_text", "de", "direct", f"{GOOD}!")]
    send(ann, page_of(world, "delete", custom=pk))
    assert kept() == []


def test_a_mistake_is_told_at_the_text_and_nothing_typed_is_lost(
    world: World, ann: Client
) -> None:
    text = "Hello {nmae}, open {link}, {username}"
    page = send(ann, page_of(world, "create"), value=text)
    assert errors_of(page)["value"][0].startswith("{nmae} cannot be filled in here.")
    assert text in page.content.decode()
    assert kept() == []


def test_somebody_else_s_words_are_not_overwritten(world: World, ann: Client) -> None:
    custom = add(world)
    url = page_of(world, "edit", custom=custom.pk)
    entries = entries_of(ann.get(url), value=f"{GOOD} Mine.")
    send(ann, url, value=f"{GOOD} Theirs.")
    late = ann.post(url, entries)
    assert late.status_code == 422
    assert kept()[0][3] == f"{GOOD} Theirs."
    ann.post(url, entries_of(late, value=f"{GOOD} Mine."))
    assert kept()[0][3] == f"{GOOD} Mine."


# --- Preview --------------------------------------------------------------------------


def test_the_preview_follows_what_is_typed_and_saves_nothing(
    world: World, ann: Client
) -> None:
    typed = {"name": "low_balance_text", "value": "<b>{balance}</b>, {nobody}"}
    page = ann.post(page_of(world, "preview"), typed).content.decode()
    assert "&lt;b&gt;€12.00&lt;/b&gt;, {nobody}" in page
    assert "{nobody} cannot be filled in here." in page
    assert "{credit_left}" in page
    german = ann.post(page_of(world, "preview"), typed | {"language": "de"})
    assert "12,00\u00a0€" in german.content.decode()
    assert kept() == []


def test_the_preview_names_whom_the_mail_comes_from(world: World, ann: Client) -> None:
    typed = {"name": "footer_text", "value": "Yours, {brand}"}

    def shown() -> str:
        return ann.post(page_of(world, "preview"), typed).content.decode()

    def mailed() -> str:
        with scopes_disabled():
            return brand_seen_by(world.beta).name

    assert mailed() == "Acme"  # as its company is called, not "Acme Telecom"
    assert "Yours, Acme</p>" in shown()
    with scopes_disabled():
        world.acme.company.delete()
    assert mailed() == "Trunkline"
    assert "Yours, Trunkline</p>" in shown()
    with scopes_disabled():
        Company.objects.create(customer=world.root, display_name="Trunk")
    assert mailed() == "Trunk"
    assert "Yours, Trunk</p>" in shown()


def test_without_script_a_button_shows_the_preview(world: World, ann: Client) -> None:
    url = page_of(world, "create")
    name = "password_reset_subject"
    entries = entries_of(ann.get(url), name=name, value="For {name}", preview="1")
    page = ann.post(url, entries)
    assert page.status_code == 200
    text = page.content.decode()
    assert "<strong>For Anna Weber</strong>" in text
    assert "For {name}</textarea>" in text
    assert kept() == []


@pytest.mark.parametrize("typed", [{}, {"name": "logo"}, {"language": "xx"}])
def test_the_preview_of_nonsense_is_empty(
    world: World, ann: Client, typed: dict[str, str]
) -> None:
    page = ann.post(page_of(world, "preview"), {"value": "x", **typed})
    assert page.status_code == 200
    assert page.content.strip() == b""


def test_the_form_shows_what_is_kept(world: World, ann: Client) -> None:
    custom = add(world, name="footer_url", value="https://acme.test/help")
    text = ann.get(page_of(world, "edit", custom=custom.pk)).content.decode()
    assert "<strong>https://acme.test/help</strong>" in text
    assert "begins with https://" in text


# --- Whose ----------------------------------------------------------------------------


def test_a_setting_of_another_plan_is_not_found(world: World, ann: Client) -> None:
    custom = add(world)
    with scopes_disabled():
        world.acme_plan.pk = None
        other = world.acme_plan
        other.name = "Other"
        other.save(force_insert=True)
    for name in ("edit", "delete"):
        url = page_of(world, name, pk=other.pk, custom=custom.pk)
        assert ann.get(url).status_code == 404
