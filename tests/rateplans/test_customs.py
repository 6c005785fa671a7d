"""Texts of one's own with variables: what is refused, and how they are filled in."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from portal.core.errors import StaleError
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled, subtree
from portal.core.staleness import state_of
from rateplans.choices import CustomName
from rateplans.models import CustomSetting
from rateplans.services import customs, plans
from rateplans.texts import (
    LINK,
    LONGEST_TEXT,
    RULES,
    VARIABLES,
    clean_text,
    fill,
    in_braces,
    paragraphs,
    sample_values,
    standard_text,
)
from tests.world import World

SUBJECT = CustomName.LOGIN_DETAILS_SUBJECT
TEXT = CustomName.LOGIN_DETAILS_TEXT
FOOTER, ADDRESS = CustomName.FOOTER_TEXT, CustomName.FOOTER_URL
GOOD = "Hello {name},\n\n{link}\n\nYour user name is {username}."


# --- What may stand in a text ---------------------------------------------------------


def test_everything_a_rule_names_exists() -> None:
    assert set(RULES) == set(CustomName)
    samples = sample_values(brand="Acme", currency="EUR")
    assert set(samples) == set(VARIABLES)
    for rule in RULES.values():
        assert set(rule.variables) <= set(VARIABLES)
        assert set(rule.required) <= set(rule.variables)
        assert not rule.is_line or LINK not in rule.variables


@pytest.mark.parametrize("name", CustomName)
def test_all_allowed_variables_are_taken(name: CustomName) -> None:
    rule = RULES[name]
    text = "https://acme.test/" if rule.is_address else f"A {in_braces(rule.variables)}"
    assert clean_text(name, text) == text
    samples = sample_values(brand="Acme", currency="EUR")
    assert "{" not in fill(text, samples)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", CustomName)
def test_what_the_portal_says_can_be_said_in_ones_own_words(
    name: CustomName, language: str
) -> None:
    """So nothing that a mail needs is missing among the variables."""
    with translation.override(language):
        text = standard_text(name)
    assert text or name in {FOOTER, ADDRESS}
    if text:
        assert clean_text(name, text) == text


@pytest.mark.parametrize(
    ("name", "text", "code", "words"),
    [
        (TEXT, "", "required", "Enter the text"),
        (TEXT, " \n\t\n", "required", "Enter the text"),
        (TEXT, f"{GOOD} {{nmae}}", "unknown", "{nmae} cannot be filled in here"),
        (TEXT, f"{GOOD} {{balance}}", "unknown", "{brand}, {customer}, {name}"),
        (SUBJECT, "Hello {link}", "unknown", "{link} cannot be filled in here"),
        (TEXT, f"{GOOD} {{name.pk}}", "brace", "stands alone near"),
        (TEXT, f"{GOOD} {{name!r}}", "brace", "stands alone near"),
        (TEXT, f"{GOOD} {{name:>99}}", "brace", "stands alone near"),
        (TEXT, f"{GOOD} {{0}}", "brace", "stands alone near"),
        (TEXT, f"{GOOD} {{}}", "brace", "stands alone near"),
        (TEXT, f"{GOOD} {{ name }}", "brace", "stands alone near"),
        (TEXT, f"{GOOD} {{{{name}}}}", "brace", "stands alone near"),
        (TEXT, f"{GOOD} {{name", "brace", "stands alone near"),
        (TEXT, f"{GOOD} name}}", "brace", "{username}, {days}, {link}"),
        (TEXT, "Hello {username}", "missing", "{link} must be in the text"),
        (TEXT, "Hello", "missing", "{username}, {link} must be in the text"),
        (CustomName.PASSWORD_RESET_TEXT, "Hello", "missing", "{link} must be"),
        (TEXT, f"{GOOD}\x00", "control", "nobody can see"),
        (TEXT, f"{GOOD}\x1b[31m", "control", "nobody can see"),
        (TEXT, GOOD + "x" * LONGEST_TEXT, "long", "too long"),
        (SUBJECT, "x" * 151, "long", "too long"),
        (SUBJECT, "One\nBcc: thief@evil.test", "line", "one line"),
        (SUBJECT, "One\r\nBcc: thief@evil.test", "line", "one line"),
        (SUBJECT, "One\u2028Two", "line", "one line"),
        (ADDRESS, "javascript:alert(1)", "invalid", "valid URL"),
        (ADDRESS, "acme.test", "invalid", "valid URL"),
        (ADDRESS, "https://acme.test/{brand}", "brace", "leave out the braces"),
        (FOOTER, "{name}", "unknown", "You can use {brand}."),
    ],
)
def test_refused_with_a_sentence(
    name: CustomName, text: str, code: str, words: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        clean_text(name, text)
    assert code in {error.code for error in refusal.value.error_list}
    assert any(words in message for message in refusal.value.messages)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as refusal:
        clean_text(TEXT, "{nmae} {name} { {foo}")
    codes = [error.code for error in refusal.value.error_list]
    assert codes == ["unknown", "brace", "missing"]
    assert refusal.value.messages[0].startswith("{nmae}, {foo} cannot")


def test_lines_are_kept_and_tidied() -> None:
    assert clean_text(FOOTER, "  One  \r\n\r\nTwo \t\n") == "One\n\nTwo"


# --- Filling in -----------------------------------------------------------------------


def test_what_is_filled_in_is_not_looked_through_again() -> None:
    values = {"name": "{username}", "username": "{name.__class__}"}
    assert fill("{name} {username}", values) == "{username} {name.__class__}"
    (paragraph,) = paragraphs("{name}", values)
    assert paragraph.html == "{username}"


def test_html_is_escaped_and_the_link_alone_can_be_followed() -> None:
    values = {"name": "<b>&", LINK: "https://acme.test/?a=1&b=2"}
    first, button, last = paragraphs(
        "<i>{name}\nNext\n\n{link}\n\n\nOr {link}, {other}", values
    )
    assert first.html == "&lt;i&gt;&lt;b&gt;&amp;<br>Next"
    assert (button.html, button.is_button) == ("https://acme.test/?a=1&amp;b=2", True)
    assert last.html == (
        'Or <a href="https://acme.test/?a=1&amp;b=2">'
        "https://acme.test/?a=1&amp;b=2</a>, {other}"
    )
    assert not first.is_button
    assert not last.is_button


@given(
    text=st.text(st.sampled_from("{}ab_. \n<&{name}"), max_size=40),
    value=st.text(max_size=10),
)
def test_no_text_does_more_than_stand_there(text: str, value: str) -> None:
    filled = fill(text, {"name": value})
    assert filled == text.replace("{name}", value)
    html = "".join(part.html for part in paragraphs(text, {"name": value}))
    assert "<" not in html.replace("<br>", "")


# --- Keeping --------------------------------------------------------------------------


def create(world: World, **values: Any) -> CustomSetting:
    given = {"name": TEXT, "language": "", "reach": "everybody", "value": GOOD}
    with subtree(world.acme):
        return customs.create_custom(
            plan=world.acme_plan, values=given | values, by=world.actor(world.ann)
        )


def refusal_of(world: World, **values: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refusal:
        create(world, **values)
    return refusal.value.message_dict


def events(action: str) -> list[dict[str, tuple[str, str]]]:
    with scopes_disabled():
        return [
            {change.field: (change.old, change.new) for change in event.changes.all()}
            for event in AuditEvent.objects.filter(action=action)
        ]


def test_made_changed_and_reset_with_a_trace(world: World) -> None:
    custom = create(world)
    with subtree(world.acme):
        ann = world.actor(world.ann)
        changed = customs.update_custom(
            custom=custom,
            values={"value": f"{GOOD}!", "language": "de", "name": SUBJECT},
            by=ann,
        )
        assert changed.name == TEXT, "what it is for stays"
        customs.delete_custom(custom=changed, by=ann)
        assert not CustomSetting.objects.exists()
    (made,) = events("custom.created")
    assert made["value"] == ("", GOOD)
    assert events("custom.updated") == [
        {"value": (GOOD, f"{GOOD}!"), "language": ("", "de")}
    ]
    assert events("custom.deleted") == [
        {"value": (f"{GOOD}!", ""), "language": ("de", "")}
    ]


def test_refused_where_it_was_typed(world: World) -> None:
    assert "value" in refusal_of(world, value="Hello {nobody}")
    assert "language" in refusal_of(world, language="xx")
    assert "reach" in refusal_of(world, reach="nobody")
    assert "name" in refusal_of(world, name="logo")
    create(world)
    assert "has this setting already" in refusal_of(world)["language"][0]
    create(world, language="de")
    create(world, reach="direct")


def test_nothing_unseen_is_overwritten(world: World) -> None:
    custom = create(world)
    seen = state_of(custom, customs.FIELDS)
    with subtree(world.acme):
        ann = world.actor(world.ann)
        customs.update_custom(
            custom=custom, values={"language": "de"}, seen=seen, by=ann
        )
        with pytest.raises(StaleError):
            customs.update_custom(
                custom=custom, values={"language": "en"}, seen=seen, by=ann
            )


def test_a_copy_of_the_plan_says_the_same(world: World) -> None:
    create(world)
    with subtree(world.acme):
        copy = plans.copy_plan(
            plan=world.acme_plan, name="Copy", by=world.actor(world.ann)
        )
        assert [row.value for row in copy.customs.all()] == [GOOD]
        assert world.acme_plan.customs.count() == 1


def test_others_may_not(world: World) -> None:
    custom = create(world)
    for actor in (world.actor(world.uli), world.actor(world.eve)):
        with scopes_disabled(), pytest.raises(PermissionDenied):
            customs.update_custom(custom=custom, values={"language": "de"}, by=actor)
