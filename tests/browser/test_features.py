"""Features and Reports at a browser: what one types is answered, secrets can be copied."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from customers import emails
from customers.models import Number
from customers.services import lines, people
from portal.core import secrets
from portal.core.scope import scopes_disabled, subtree
from tests.browser.conftest import Visitor
from tests.customers.features import url_of
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ben(cast: World, new_visitor: Any) -> Visitor:
    """Beta's reseller at a browser; Beta takes its numbers from Acme."""
    visitor: Visitor = new_visitor()
    visitor.sign_in(cast.ben)
    return visitor


def test_line_is_made_and_its_password_copied(cast: World, ben: Visitor) -> None:
    ben.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = ben.open(url_of(cast.beta, "line-list"))
    page.get_by_role("link", name="Add the first line").click()
    page.get_by_label("Name", exact=False).first.fill("Reception")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", name="Write this down now")).to_be_visible()
    shown = page.get_by_label("SIP password").input_value()
    page.get_by_role("button", name="Copy").first.click()
    assert page.evaluate("navigator.clipboard.readText()") == shown
    with subtree(cast.beta):
        assert secrets.decrypt(cast.beta.lines.get().password) == shown
    ben.look("features-line-made")
    page.reload()
    expect(page.get_by_label("SIP password")).to_have_count(0)


def test_number_is_searched_and_taken(cast: World, ben: Visitor) -> None:
    page = ben.open(url_of(cast.beta, "number-list"))
    page.get_by_role("link", name="Add the first number").click()
    page.get_by_role("link", name="Take from your provider's stock").click()
    expect(page.get_by_role("radio")).to_have_count(3)
    page.get_by_role("radio").first.check()
    page.get_by_label("Digits").fill("0305550102")
    # The chosen one stays in sight beside what was found.
    expect(page.get_by_role("radio")).to_have_count(2)
    page.get_by_role("radio").last.check()
    page.get_by_label("Description").fill("Hotline")
    ben.look("features-number-take")
    page.get_by_role("button", name="Take this number").click()
    expect(page.get_by_role("row", name="+49 30 5550102")).to_contain_text("Hotline")
    with scopes_disabled():
        assert Number.objects.get(number="+49305550102").customer == cast.beta
        assert Number.objects.get(number="+49305550100").customer == cast.acme


def test_user_name_is_checked_while_typing(cast: World, ben: Visitor) -> None:
    page = ben.open(url_of(cast.beta, "person-create"))
    page.get_by_label("User name").fill("ANN@acme.test")
    expect(page.get_by_text("This user name is taken.", exact=False)).to_be_visible()
    page.get_by_label("User name").fill("bea@beta.test")
    expect(page.get_by_text("This user name is free.")).to_be_visible()


def test_form_that_came_too_late_shows_what_others_saved(
    cast: World, ben: Visitor
) -> None:
    page = ben.open(url_of(cast.beta, "person-edit", pk=cast.ben.pk))
    page.get_by_label("Last name").fill("Mine")
    with subtree(cast.beta):
        people.update_person(
            person=cast.ben, values={"last_name": "Theirs"}, by=cast.actor(cast.ben)
        )
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Last name: Braun → Theirs")
    expect(page.get_by_label("Last name")).to_have_value("Mine")
    ben.look("features-stale")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="Ben Mine")).to_be_visible()


def test_switch_into_one_of_the_people(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(url_of(cast.acme, "customer-detail", pk=cast.beta.pk))
    page.get_by_role("button", name="Switch to this customer").click()
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("button", name="Switch to Ben Braun").click()
    expect(page.get_by_text("You are acting as")).to_contain_text("Ben Braun")
    page.goto(page.url.split("/a/")[0] + url_of(cast.beta, "audit-list"))
    newest = page.get_by_role("listitem").filter(has_text="Switched into the customer")
    expect(newest.first).to_contain_text("Ann Weber")
    ann.look("features-switched-audit")


def test_log_follows_the_filters_and_unfolds(cast: World, ben: Visitor) -> None:
    with subtree(cast.beta):
        lines.create_line(
            customer=cast.beta,
            values={
                "name": "Cellar",
                "username": "cel-1",
                "extension": "12",
                "callerid": "+49305550100",
            },
            by=cast.actor(cast.ben),
        )
        people.update_person(
            person=cast.ben, values={"last_name": "Braun-Roth"}, by=cast.actor(cast.ben)
        )
    page = ben.open(url_of(cast.beta, "audit-list"))
    expect(page.get_by_text("Person changed: Ben Braun-Roth")).to_be_visible()
    page.get_by_label("Object").fill("cellar")
    expect(page.get_by_text("Person changed: Ben Braun-Roth")).to_have_count(0)
    expect(page).to_have_url(f"{page.url.split('?')[0]}?object=cellar")
    page.get_by_text("6 values").click()
    expect(page.get_by_text("+49305550100")).to_be_visible()
    ben.look("features-audit")
    page.get_by_role("link", name="Remove the filter Object").click()
    expect(page.get_by_text("Person changed: Ben Braun-Roth")).to_be_visible()


def test_preview_of_a_mail_runs_nothing(cast: World, ben: Visitor) -> None:
    with scopes_disabled():
        email = emails.send_login_details(cast.gil)
        email.html = (
            '<p id="words" style="color: rgb(1, 2, 3)">Hello</p>'
            "<script>document.title = 'run'</script>"
        )
        email.save()
    ben.open(url_of(cast.beta, "email-detail", pk=email.pk))
    with ben.context.expect_page() as opened:
        ben.page.get_by_role("link", name="See it as its reader does").click()
    preview = opened.value
    words = preview.locator("#words")
    expect(words).to_have_css("color", "rgb(1, 2, 3)")
    assert preview.title() == ""
