"""What people may type as names, e-mail addresses and telephone numbers."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from portal.core.validators import (
    MAX_ADDRESSES,
    clean_emails,
    clean_number,
    split_emails,
    validate_colour,
    validate_digits,
    validate_name,
    validate_number,
)


@pytest.mark.parametrize(
    "name",
    [
        "Acme",
        "7",
        "Müller & Söhne GmbH",
        "مخبز غاما",  # right to left
        "בטא־קול",
        "株式会社ベータ",
        "Cafe\u0301 Olé",  # combining
        "Z\u0351\u036bͫalgo",
        "🍕",
        "👩\u200d💻 Code",  # a zero-width joiner makes one emoji of two
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f Inn",  # a flag
        "می\u200cخواهم",
        "<script>alert(1)</script>",
        "=HYPERLINK(1)",
        'O\'Brien "the" \\ ; -- %s {{ x }}',
        "a [b]",
    ],
)
def test_name_in_any_script_is_welcome(name: str) -> None:
    validate_name(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "no_letter"),
        ("   ", "no_letter"),
        ("---", "no_letter"),
        ("\u200b\u200b", "no_letter"),
        ("\u0301\u0301", "no_letter"),
        ("\u3164", "no_letter"),
        ("a\x00b", "control"),
        ("a\x07b", "control"),
        ("a\tb", "control"),
        ("a\nb", "control"),
        ("a\x85b", "control"),
        ("a\u2028b", "control"),
        ("a\ufffeb", "control"),  # never characters
        ("a\U0001ffffb", "control"),
        ("a\ufdd0b", "control"),
        ("a\ue000b", "control"),  # private use: looks like anything
        ("a\u202eb", "control"),  # turns the rest around
        ("a\u2066b\u2069", "control"),
        ("Be\u200bta", "control"),  # nothing to see, yet another name
        ("Be\u2060ta", "control"),
        ("Be\ufeffta", "control"),
        ("Be\u00adta", "control"),
        ("Beta\u200f", "control"),
        ("Beta\u061c", "control"),
        ("Beta\u3164", "control"),  # a letter by name, a blank to the eye
        ("[Beta]", "bracket"),
        ("  [Beta]", "bracket"),
        ("\uff3bBeta\uff3d", "bracket"),  # full width
        ("\ufdfa" * 120, "too_long"),  # each stands for a sentence
    ],
)
def test_name_that_hides_or_pretends_something_is_refused(name: str, code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        validate_name(name)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a@b.test", "a@b.test"),
        ("  a@b.test ", "a@b.test"),
        ("a@b.test,c@d.test", "a@b.test, c@d.test"),
        ("a@b.test; c@d.test\ne@f.test", "a@b.test, c@d.test, e@f.test"),
        ("a@b.test, a@b.test", "a@b.test"),
        (",,a@b.test,,", "a@b.test"),
        ("", ""),
    ],
)
def test_addresses_are_kept_once_each_and_in_order(typed: str, kept: str) -> None:
    assert clean_emails(typed) == kept
    assert split_emails(kept) == [part for part in kept.split(", ") if part]


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("nonsense", "nonsense"),
        ("a@b.test, c@", "c@"),
        ("a@b", "a@b"),
        ("a@b.test c d@e.test", "c"),
        ("a@b.test\r\nBcc:x@y.test", "Bcc:x@y.test"),
        ("<a@b.test>", "<a@b.test>"),
        ('"<script>"@b.test.', '"<script>"@b.test.'),
    ],
)
def test_wrong_address_is_named(typed: str, named: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        clean_emails(typed)
    assert refusal.value.code == "invalid_email"
    assert f"“{named}”" in refusal.value.messages[0]


def test_five_addresses_are_enough() -> None:
    addresses = [f"a{number}@b.test" for number in range(MAX_ADDRESSES + 1)]
    assert clean_emails(" ".join(addresses[:-1])) == ", ".join(addresses[:-1])
    with pytest.raises(ValidationError) as refusal:
        clean_emails(" ".join(addresses))
    assert refusal.value.code == "too_many"


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("+49 30 901820", "", "+4930901820"),
        ("+1 (212) 555-0123", "", "+12125550123"),
        ("030 901820", "DE", "+4930901820"),
        ("0049 30 901820", "DE", "+4930901820"),
        ("  +4930901820  ", "", "+4930901820"),
    ],
)
def test_number_is_kept_as_e164(typed: str, country: str, kept: str) -> None:
    assert clean_number(typed, country=country) == kept
    validate_number(kept)


@pytest.mark.parametrize(
    "typed",
    ["", "abc", "030 901820", "+49", "+490", "+999123456", "+" + "1" * 30, "911", "\0"],
)
def test_number_that_cannot_exist_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        clean_number(typed)
    assert refusal.value.code == "invalid_number"
    assert "+49 30 901820" in refusal.value.messages[0]


def test_number_in_the_model_has_no_spaces() -> None:
    with pytest.raises(ValidationError) as refusal:
        validate_number("+49 30 901820")
    assert refusal.value.code == "not_e164"


@pytest.mark.parametrize("text", ["1f6feb", "#1f6fe", "#1f6feg", "#1f6feb;", "red"])
def test_colour_is_a_hash_and_six_digits(text: str) -> None:
    validate_colour("#1f6FEb")
    with pytest.raises(ValidationError):
        validate_colour(text)


@pytest.mark.parametrize("text", ["1a", "-1", "1.5", "٣"])
def test_digits_are_ascii_digits_and_nothing_else(text: str) -> None:
    validate_digits("0123")
    with pytest.raises(ValidationError):
        validate_digits(text)
