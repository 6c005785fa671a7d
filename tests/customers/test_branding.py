"""Whose colours people see, and that every colour can be read."""

from __future__ import annotations

import re
from email.utils import parseaddr

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from customers import branding
from customers.models import Company, Customer
from customers.services import company as services
from portal.core.colours import DEFAULT_COLOUR, contrast_of
from portal.core.scope import scopes_disabled
from tests.world import World


def own_brand(customer: Customer, **values: object) -> Company:
    with scopes_disabled():
        return Company.objects.create(customer=customer, **values)


# --- Whose ----------------------------------------------------------------------------


def test_brand_is_that_of_the_nearest_account_above(world: World) -> None:
    assert branding.brand_seen_by(world.gamma).name == "Acme"
    assert branding.brand_seen_by(world.beta).name == "Acme"
    assert branding.brand_seen_by(world.acme).name == "Trunkline"
    assert branding.brand_seen_by(world.root).name == "Trunkline"
    assert branding.brand_seen_by(world.rival).name == "Trunkline"
    own_brand(world.beta, colour="#004488")
    assert branding.brand_seen_by(world.gamma).name == "Beta Voice"
    assert branding.brand_seen_by(world.beta).name == "Acme"


def test_pages_carry_the_same_brand_as_mails(world: World) -> None:
    for customer in (world.root, world.acme, world.beta, world.gamma, world.rival):
        brand = branding.page_brand(customer)
        assert (brand.name if brand else "Trunkline") == (
            branding.brand_seen_by(customer).name
        )


def test_brand_of_pages_is_asked_once_and_then_known(world: World) -> None:
    with CaptureQueriesContext(connection) as first:
        branding.page_brand(world.gamma)
    with CaptureQueriesContext(connection) as second:
        branding.page_brand(world.gamma)
        branding.page_brand(world.beta)
    assert (len(first), len(second)) == (1, 0)


def test_saving_shows_at_the_next_page(
    world: World, django_capture_on_commit_callbacks: object
) -> None:
    before = branding.page_brand(world.gamma)
    assert before is not None
    with scopes_disabled(), django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        services.update_company(
            customer=world.acme,
            values={"colour": "#123456", "display_name": "Acme New"},
            expected_version=1,
            by=world.actor(world.ann),
        )
    after = branding.page_brand(world.gamma)
    assert after is not None
    assert after.name == "Acme New"
    assert after.css_url != before.css_url


def test_first_brand_of_an_account_shows_at_the_next_page(
    world: World, django_capture_on_commit_callbacks: object
) -> None:
    assert branding.page_brand(world.gamma) is not None
    with scopes_disabled(), django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        services.update_company(
            customer=world.beta,
            values={"display_name": "Beta!"},
            expected_version=1,
            by=world.actor(world.ben),
        )
    brand = branding.page_brand(world.gamma)
    assert brand is not None
    assert (brand.name, brand.css_url) == ("Beta!", "")


def test_lost_cache_is_filled_again(world: World) -> None:
    before = branding.page_brand(world.gamma)
    cache.clear()
    assert branding.page_brand(world.gamma) == before


def test_signed_out_pages_are_trunklines(world: World) -> None:
    page = Client().get("/login/")
    assert "Trunkline" in page.content.decode()
    assert "/brand/" not in page.content.decode()


# --- The stylesheet -------------------------------------------------------------------


def test_stylesheet_sets_the_colour_for_everybody(world: World) -> None:
    brand = branding.page_brand(world.gamma)
    assert brand is not None
    answer = Client().get(brand.css_url)
    assert answer["Content-Type"] == "text/css"
    assert answer["Cache-Control"] == "public, immutable, max-age=31536000"
    css = answer.content.decode()
    assert "--brand: #7a1fa2;" in css
    assert "--brand-contrast: #ffffff;" in css


@pytest.mark.parametrize("digest", ["0" * 16, "7a1fa2", "x"])
def test_stylesheet_of_another_colour_is_not_there(world: World, digest: str) -> None:
    assert Client().get(f"/brand/{world.acme.pk}/{digest}.css").status_code == 404


def test_account_without_colour_has_no_stylesheet(world: World) -> None:
    company = own_brand(world.beta, display_name="Beta")
    assert branding.css_url(company) == ""
    digest = branding.colour_digest("")
    assert Client().get(f"/brand/{world.beta.pk}/{digest}.css").status_code == 404


def test_brands_are_read_only(world: World) -> None:
    brand = branding.page_brand(world.gamma)
    assert brand is not None
    assert Client().post(brand.css_url).status_code == 405


# --- Contrast -------------------------------------------------------------------------


def ratio(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio, from its own formula."""

    def luminance(colour: str) -> float:
        total = 0.0
        for at, weight in ((1, 0.2126), (3, 0.7152), (5, 0.0722)):
            value = int(colour[at : at + 2], 16) / 255
            linear = (
                value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
            )
            total += weight * linear
        return total

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@given(st.integers(min_value=0, max_value=0xFFFFFF))
def test_text_can_be_read_on_every_colour(number: int) -> None:
    colour = f"#{number:06x}"
    chosen = contrast_of(colour)
    other = "#ffffff" if chosen == "#000000" else "#000000"
    assert ratio(colour, chosen) >= 4.5
    assert ratio(colour, chosen) >= ratio(colour, other) - 0.01


@pytest.mark.parametrize(
    ("colour", "contrast"),
    [
        ("#ffffff", "#000000"),
        ("#000000", "#ffffff"),
        ("#FFFF00", "#000000"),
        ("#0000ff", "#ffffff"),
        (DEFAULT_COLOUR, "#ffffff"),
    ],
)
def test_contrast_of_known_colours(colour: str, contrast: str) -> None:
    assert contrast_of(colour) == contrast


# --- Who mails come from --------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "name", "address"),
    [
        ({}, "Beta Voice", "portal@localhost"),
        ({"sender_email": "x@beta.test"}, "Beta Voice", "x@beta.test"),
        ({"sender_name": "Büro"}, "Büro", "portal@localhost"),
        ({"sender_name": 'A "B" <c>, D'}, 'A "B" <c>, D', "portal@localhost"),
        (
            {"sender_name": "A\r\nBcc: all@evil.test"},
            "A Bcc: all@evil.test",
            "portal@localhost",
        ),
    ],
)
def test_sender_is_one_address_whatever_the_name(
    world: World, values: dict[str, str], name: str, address: str
) -> None:
    own_brand(world.beta, **values)
    sender = branding.brand_seen_by(world.gamma).sender
    assert "\n" not in sender
    assert "\r" not in sender
    shown, found = parseaddr(sender)
    assert found == address
    if name.isascii():
        assert shown == name
    else:
        assert re.fullmatch(r"=\?utf-8\?b\?.+\?=", shown)
