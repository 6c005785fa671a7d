"""Every text has its translation, compiled and whole; `make messages` mends the files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from django.core.management import call_command
from django.template.base import Lexer, TokenType
from django.test import Client
from django.utils.html import strip_tags

from billing.models import BillingAccount
from customers import emails
from customers.models import Customer, Person
from portal import translations
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled
from portal.translations import Key
from tests.books import give
from tests.pages import entries_of, errors_of
from tests.world import World

LANGUAGES = translations.languages()
TEMPLATES = sorted(
    path
    for path in (translations.ROOT / "templates").rglob("*")
    if path.suffix in {".html", ".txt"} and "gallery" not in path.name
)

# What a translation must repeat: values to fill in, tags, and how the sentence ends.
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z%]|\{\w*\}")
TAG = re.compile(r"<[^>]+>")
END = re.compile(r"[.?!…:»]?$")
EDGES = re.compile(r"^\s*|\s*$")

NAME = "Trunkline"
KEYS = {"Esc", "Enter"}
CLASSES = {"is-wide", "colM"}
ATTRIBUTE = re.compile(r"\b(?:aria-label|alt|label|placeholder|title)=\"([^\"]*)\"")
WORD = re.compile(r"[^\W\d_][\w'-]+")


@pytest.fixture(params=LANGUAGES)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return translations.read(request.param)


@pytest.fixture(scope="module")
def in_use() -> set[Key]:
    return set(translations.texts_in_use())


def texts(catalogue: Catalog) -> dict[Key, tuple[str, ...]]:
    """What the catalogue says for every text, form by form."""
    return {
        (_context(message.context), _forms(message.id)): _forms(message.string)
        for message in catalogue
        if message.id
    }


def _context(context: str | bytes | None) -> str | None:
    return context.decode() if isinstance(context, bytes) else context  # read_mo's


def pairs(catalogue: Catalog) -> Iterator[tuple[str, str]]:
    """Each form of each text with its translation."""
    for (_context, forms), translated in texts(catalogue).items():
        yield from zip(forms, translated, strict=True)


def _forms(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)  # type: ignore[arg-type]


# --- The files ------------------------------------------------------------------------


def test_catalogue_has_every_text_of_the_code(
    catalogue: Catalog, in_use: set[Key]
) -> None:
    assert in_use - texts(catalogue).keys() == set(), "run: make messages"


def test_catalogue_has_no_text_that_is_gone(
    catalogue: Catalog, in_use: set[Key]
) -> None:
    assert texts(catalogue).keys() - in_use == set(), "run: make messages"
    assert not catalogue.obsolete


def test_every_text_is_translated(catalogue: Catalog) -> None:
    assert translations.untranslated(catalogue) == []


def test_no_translation_is_a_guess(catalogue: Catalog) -> None:
    assert [message.id for message in catalogue if message.fuzzy] == []


def test_plural_texts_have_all_forms(catalogue: Catalog) -> None:
    wrong = [
        message.id
        for message in catalogue
        if message.pluralizable and len(_forms(message.string)) != catalogue.num_plurals
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_catalogue_is_that_of_the_source(language: str) -> None:
    with translations.compiled(language).open("rb") as file:
        compiled = read_mo(file)
    assert texts(compiled) == texts(translations.read(language)), "run: make messages"


@pytest.mark.parametrize("language", LANGUAGES)
def test_source_says_nothing_of_who_or_where(language: str) -> None:
    source = translations.source(language).read_text()
    assert "#:" not in source
    assert "EMAIL@ADDRESS" not in source
    assert "Date:" not in source


@pytest.mark.parametrize("language", LANGUAGES)
def test_update_writes_the_same_again(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "django.po"
    copy.write_bytes(translations.source(language).read_bytes())
    monkeypatch.setattr(translations, "source", lambda language: copy)
    assert translations.update(language) == []
    first = copy.read_bytes()
    assert translations.update(language) == []
    assert copy.read_bytes() == first
    assert copy.with_suffix(".mo").stat().st_size > 0


def test_command_lists_what_lacks_a_translation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "django.po"
    source = translations.source("de").read_text()
    copy.write_text(source.replace('msgstr "Kontonummer"', 'msgstr ""'))
    monkeypatch.setattr(translations, "languages", lambda: ["de"])
    monkeypatch.setattr(translations, "source", lambda language: copy)
    call_command("messages")
    assert capsys.readouterr().out.splitlines() == [
        "de: 2 texts without translation",
        "  Account number",
        "  account number",
    ]


# --- The translations -----------------------------------------------------------------


@pytest.mark.parametrize("pattern", [PLACEHOLDER, TAG, EDGES], ids=lambda p: p.pattern)
def test_translations_repeat(catalogue: Catalog, pattern: re.Pattern[str]) -> None:
    wrong = [
        (text, translation)
        for text, translation in pairs(catalogue)
        if Counter(pattern.findall(text)) != Counter(pattern.findall(translation))
    ]
    assert wrong == []


def test_translations_end_as_the_text_does(catalogue: Catalog) -> None:
    wrong = [
        (text, translation)
        for text, translation in pairs(catalogue)
        if _end(text) != _end(translation)
    ]
    assert wrong == []


def _end(text: str) -> str:
    """The sign at the end; an abbreviation's point is none."""
    found = END.search(text.removesuffix("USt-IdNr."))
    assert found is not None
    return found[0]


def test_babel_finds_nothing_wrong(catalogue: Catalog) -> None:
    errors = [
        f"{message.id}: {error}"
        for message in catalogue
        if message.id
        for error in message.check(catalogue)
    ]
    assert errors == []


def test_german_quotes_are_german() -> None:
    wrong = [
        translation
        for _text, translation in pairs(translations.read("de"))
        if translation.count("„") != translation.count("“") or "”" in translation
    ]
    assert wrong == []


# --- What is marked -------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: str(path.relative_to(translations.ROOT))
)
def test_template_holds_no_unmarked_word(path: Path) -> None:
    assert set(_words_of(path.read_text())) - {NAME} - KEYS - CLASSES == set()


def _words_of(template: str) -> Iterator[str]:
    """Words that people would read or hear and that no tag translates."""
    html = "".join(_outside_of_tags(template))
    html = re.sub(r"(?s)<!--.*?-->|<(style|script)\b.*?</\1>", "", html)
    for attribute in ATTRIBUTE.findall(html):
        yield from WORD.findall(attribute)
    yield from WORD.findall(re.sub(r"(?s)<[^>]*>", " ", html))


def _outside_of_tags(template: str) -> Iterator[str]:
    end = ""
    for token in Lexer(template).tokenize():
        if token.token_type == TokenType.BLOCK:
            tag = token.split_contents()[0]
            if tag in {"blocktranslate", "comment"}:
                end = f"end{tag}"
            elif tag == end:
                end = ""
        elif not end and token.token_type == TokenType.TEXT:
            yield token.contents


def test_unmarked_words_are_seen() -> None:
    template = (
        '{# A note. #}<a title="Go {{ way }}">{% translate "Home" %}</a> <b>Now</b>'
        "{% blocktranslate %}Here{% endblocktranslate %}<script>let it = 1;</script>"
    )
    assert list(_words_of(template)) == ["Go", "Now"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('_("One")', [(None, ("One",))]),
        ('gettext_lazy("One" " and two")', [(None, ("One and two",))]),
        ("f'{name}: {_(\"One\")}'", [(None, ("One",))]),
        ('translation.gettext("One")', [(None, ("One",))]),
        (
            'ngettext("%(n)d row", "%(n)d rows", n)',
            [(None, ("%(n)d row", "%(n)d rows"))],
        ),
        ('pgettext("noun", "Lock")', [("noun", ("Lock",))]),
        ('npgettext_lazy("c", "a", "b", 2)', [("c", ("a", "b"))]),
        ("_(variable)", []),
        ('other("One")', []),
    ],
)
def test_texts_in_python(code: str, found: list[Key]) -> None:
    assert list(translations.texts_in_python(code, name="code.py")) == found


def test_a_marked_text_that_nobody_can_know_is_refused() -> None:
    with pytest.raises(ValueError, match=r"code.py:1: a marked text"):
        list(translations.texts_in_python('_(f"Hello {name}")', name="code.py"))


def test_texts_in_template() -> None:
    template = """
        {% translate "It's 5 %" %}{% translate 'Auto' context "look" %}
        {% firstof label _("Save") %}{{ name|default:_("none") }}
        {% blocktranslate trimmed count n=rows|length %}
          {{ n }} “row”
        {% plural %}
          {{ n }} rows
        {% endblocktranslate %}
        {% comment %}{% translate "Never" %}{% endcomment %}
    """
    assert list(translations.texts_in_template(template, name="page.html")) == [
        (None, ("It's 5 %%",)),
        ("look", ("Auto",)),
        (None, ("Save",)),
        (None, ("none",)),
        (None, ("%(n)s “row”", "%(n)s rows")),
    ]


# --- A German person ------------------------------------------------------------------


@pytest.fixture
def german(world: World) -> Client:
    """Ann's browser, who reads German and dates as Germans write them."""
    with scopes_disabled():
        Person.objects.filter(pk=world.ann.pk).update(
            language="de", date_format="d.m.Y"
        )
        Customer.objects.filter(pk=world.beta.pk).update(
            created_at=datetime(2026, 3, 31, 12, tzinfo=UTC)
        )
        BillingAccount.objects.filter(customer=world.beta).update(
            credit_limit=Decimal(2000)
        )
        give(world.beta, "-1234.5")
    world.ann.refresh_from_db()
    return world.client(world.ann)


def read(response: Any) -> str:
    """The page's words; blanks that do not break, as in "5,00 €", are blanks."""
    page: str = response.content.decode()
    return page.replace("\u00a0", " ")


def test_german_list(world: World, german: Client) -> None:
    page = read(german.get(f"/a/{world.acme.pk}/commerce/customers/"))
    assert '<html lang="de"' in page
    for text in ("Kunden", "Kontonummer", "Wechseln", "1–1 von 1"):
        assert text in page
    assert "31.03.2026" in page
    assert "-1.234,50 €" in strip_tags(page)


def test_german_form_says_what_is_wrong_in_german(world: World, german: Client) -> None:
    url = f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}/edit/"
    page = german.get(url)
    assert page.context["form"]["credit_limit"].value() == "2000,00"
    answer = german.post(
        url, entries_of(page, name="", email="nobody", credit_limit="1.234,50")
    )
    errors = errors_of(answer)
    assert errors["name"] == ["Geben Sie den Namen des Kunden ein."]
    assert errors["email"] == ["„nobody“ ist keine E-Mail-Adresse."]
    assert errors["credit_limit"] == [
        "Geben Sie einen Betrag ohne Tausendertrennzeichen ein, zum Beispiel 50 oder"
        " 12,50."
    ]


def test_german_sentence_of_django(world: World, german: Client) -> None:
    answer = german.post(f"/a/{world.acme.pk}/features/people/new/", {})
    assert "Dieses Feld ist zwingend erforderlich." in read(answer)


def test_german_saves_an_amount_with_a_comma(world: World, german: Client) -> None:
    url = f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}/edit/"
    answer = german.post(url, entries_of(german.get(url), credit_limit="2500,50"))
    assert answer.status_code == 302
    with scopes_disabled():
        account = BillingAccount.objects.get(customer=world.beta)
    assert account.credit_limit == Decimal("2500.50")
    history = f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}/history/"
    page = read(german.get(history))
    assert "Kunde geändert" in page
    assert "2000,00" in page
    assert "2500,50" in page


def test_german_mail(world: World) -> None:
    with scopes_disabled():
        Person.objects.filter(pk=world.ben.pk).update(language="de")
        world.ben.refresh_from_db()
        mail = emails.send_login_details(world.ben)
    assert mail.subject == "Ihr Zugang zu Acme"
    for part in (mail.text, mail.html):
        assert "Guten Tag Ben Braun," in part
        assert "hat für Sie einen Zugang zum Konto Beta Voice eingerichtet." in part
        assert "Der Link gilt einmal und 7 Tage lang." in part


def test_log_is_written_in_one_language_and_read_in_each(
    world: World, german: Client
) -> None:
    url = f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}"
    german.post(f"{url}/lock/", {"lock": "web", "reason": ""})
    with scopes_disabled():
        change = AuditEvent.objects.get(action="customer.locked").changes.get(
            field="lock"
        )
    assert (change.old, change.new) == ("Not locked", "Web interface")
    german_page = read(german.get(f"{url}/history/"))
    assert "Kunde gesperrt" in german_page
    assert "Weboberfläche" in german_page
    with scopes_disabled():
        Person.objects.filter(pk=world.ann.pk).update(language="en")
    english_page = read(german.get(f"{url}/history/"))
    assert "Customer locked" in english_page
    assert "Web interface" in english_page


def test_browser_that_asks_for_german_logs_in_in_german(db: None) -> None:
    page = read(Client(headers={"accept-language": "de-DE,de;q=0.9"}).get("/login/"))
    assert '<html lang="de"' in page
    assert "Passwort vergessen?" in page
