"""Settings » Company: the account's address, its looks, and what is refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from customers.logos import KEPT_BYTES, read_logo
from customers.models import Company, Customer
from customers.services import company as services
from portal.core.errors import StaleError
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled, subtree
from tests.pages import entries_of, errors_of, send
from tests.world import World


def url_of(customer: Customer) -> str:
    return f"/a/{customer.pk}/settings/company/"


def company_of(customer: Customer) -> Company:
    with scopes_disabled():
        return Company.objects.get(customer=customer)


def picture(
    size: tuple[int, int] = (80, 40), kind: str = "PNG", mode: str = "RGB", **save: Any
) -> bytes:
    stream = BytesIO()
    Image.new(mode, size).save(stream, kind, **save)
    return stream.getvalue()


def upload(content: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/png")


# --- Saving ---------------------------------------------------------------------------


def test_reseller_changes_address_and_looks(world: World) -> None:
    client = world.client(world.ann)
    answer = send(
        client,
        url_of(world.acme),
        address1="Lange Straße 1",
        address_code="10115",
        address_city="Berlin",
        country="DE",
        telephone="030 901820",
        time_zone="Europe/Vienna",
        language="de",
        display_name="Acme ☎",
        colour="#1F6FEB",
        sender_name="Acme billing",
        sender_email="billing@acme.test",
        service_telephone="+49 30 901820-99",
        website="acme.test",
        requires_second_factor="on",
    )
    assert answer["Location"] == url_of(world.acme)
    world.acme.refresh_from_db()
    assert world.acme.postal_lines == ["Lange Straße 1", "10115 Berlin"]
    assert (world.acme.telephone, world.acme.language) == ("+4930901820", "de")
    assert world.acme.version == 2
    company = company_of(world.acme)
    assert (company.display_name, company.colour) == ("Acme ☎", "#1F6FEB")
    assert company.website == "https://acme.test"
    assert company.requires_second_factor
    assert company.service_email == "care@acme.test", "left as it was"
    with scopes_disabled():
        event = AuditEvent.objects.get(action="company.updated")
        changes = {c.field: (c.old, c.new) for c in event.changes.all()}
    assert (event.person, event.customer) == (world.ann, world.acme)
    assert changes["colour"] == ("#7a1fa2", "#1F6FEB")
    assert changes["requires_second_factor"] == ("no", "yes")
    assert "service_email" not in changes


def test_saving_nothing_changes_nothing(world: World) -> None:
    send(world.client(world.ann), url_of(world.acme))
    world.acme.refresh_from_db()
    assert world.acme.version == 1
    with scopes_disabled():
        assert not AuditEvent.objects.filter(action="company.updated").exists()


def test_account_without_company_gets_one_when_it_says_something(world: World) -> None:
    client = world.client(world.ben)
    send(client, url_of(world.beta), address1="Hauptstraße 2")
    with scopes_disabled():
        assert not Company.objects.filter(customer=world.beta).exists()
    send(client, url_of(world.beta), colour="#004488")
    assert company_of(world.beta).colour == "#004488"


def test_customer_without_customers_is_not_asked_for_a_brand(world: World) -> None:
    client = world.client(world.gil)
    answer = send(
        client,
        url_of(world.gamma),
        address1="Backgasse 3",
        colour="#ff0000",
        sender_email="gil@gamma.test",
    )
    assert answer.status_code == 302
    page = client.get(url_of(world.gamma))
    assert "colour" not in page.context["form"].fields
    assert not page.context["form"].is_multipart()
    world.gamma.refresh_from_db()
    assert world.gamma.address1 == "Backgasse 3"
    with scopes_disabled():
        assert not Company.objects.filter(customer=world.gamma).exists()


def test_billing_address_is_the_providers_to_change(world: World) -> None:
    client = world.client(world.ann)
    send(client, url_of(world.acme), email="thief@evil.test", name="Thief")
    world.acme.refresh_from_db()
    assert (world.acme.email, world.acme.name) == ("billing@acme.test", "Acme Telecom")
    assert "billing@acme.test" in client.get(url_of(world.acme)).content.decode()


def test_root_has_nobody_above_and_changes_it_itself(world: World) -> None:
    client = world.client(world.olga)
    send(client, url_of(world.root), email="a@root.test, b@root.test")
    world.root.refresh_from_db()
    assert world.root.email == "a@root.test, b@root.test"
    page = client.get(url_of(world.root)).content.decode()
    assert "Kept by your provider" not in page


# --- Who ------------------------------------------------------------------------------


def test_page_takes_the_permission(world: World) -> None:
    client = world.client(world.uli)
    assert client.get(url_of(world.acme)).status_code == 403
    assert client.post(url_of(world.acme), {"colour": "#000000"}).status_code == 403


@pytest.mark.parametrize("method", ["get", "post"])
def test_foreign_account_is_not_there(world: World, method: str) -> None:
    client = world.client(world.ann)
    for customer in (world.rival, world.root):
        assert getattr(client, method)(url_of(customer)).status_code == 404


def test_while_switched_it_is_about_the_account_one_is_in(world: World) -> None:
    client = world.client(world.ann)
    client.post(f"/a/{world.acme.pk}/switch/", {"customer": world.beta.pk})
    send(client, url_of(world.beta), address_city="Hamburg", colour="#004488")
    world.beta.refresh_from_db()
    world.acme.refresh_from_db()
    assert (world.beta.address_city, world.acme.address_city) == ("Hamburg", "")
    with scopes_disabled():
        event = AuditEvent.objects.get(action="company.updated")
    assert (event.person, event.acting_as_name) == (world.ann, "[Beta Voice]")
    assert event.customer == world.beta


def test_service_refuses_every_other_account(world: World) -> None:
    by = world.actor(world.ann)
    with scopes_disabled():
        for customer in (world.beta, world.root, world.rival):
            with pytest.raises(PermissionDenied):
                services.update_company(
                    customer=customer, values={}, expected_version=1, by=by
                )
        with pytest.raises(TypeError, match="name"):
            services.update_company(
                customer=world.acme, values={"name": "X"}, expected_version=1, by=by
            )
        with pytest.raises(TypeError, match="email"):
            services.update_company(
                customer=world.acme, values={"email": "x"}, expected_version=1, by=by
            )


# --- What is refused ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("display_name", "x" * 81, "at most 80"),
        ("display_name", "[Acme]", "square bracket"),
        ("display_name", "\u202eemcA", "control characters"),
        ("display_name", "!!!", "letter or digit"),
        ("sender_name", "Acme\nBcc: all@evil.test", "control characters"),
        ("colour", "red", "hexadecimal"),
        ("colour", "#12345g", "hexadecimal"),
        ("colour", "#fff", "hexadecimal"),
        ("colour", "#000;}", "hexadecimal"),
        ("sender_email", "acme", "valid email"),
        ("sender_email", "a@b.test, c@d.test", "valid email"),
        ("service_email", "a@b\nBcc: x@y.test", "valid email"),
        ("website", "javascript:alert(1)", "valid URL"),
        ("time_zone", "", "required"),
        ("time_zone", "Mars", "valid choice"),
        ("country", "XX", "valid choice"),
        ("language", "xx", "valid choice"),
        ("telephone", "abc", "E.164"),
        ("address1", "x" * 101, "at most 100"),
        ("version", "", "required"),
    ],
)
def test_bad_value_is_told_at_its_field(
    world: World, field: str, value: str, words: str
) -> None:
    client = world.client(world.ann)
    answer = send(client, url_of(world.acme), **{field: value})
    assert words in " ".join(errors_of(answer)[field])
    world.acme.refresh_from_db()
    assert world.acme.version == 1


def test_company_saved_by_somebody_else_is_not_overwritten(world: World) -> None:
    client = world.client(world.ann)
    page = client.get(url_of(world.acme))
    other = world.client(world.ann)
    send(other, url_of(world.acme), address_city="Bonn")
    answer = client.post(
        url_of(world.acme), entries_of(page, address_city="Köln", colour="#004488")
    )
    assert answer.status_code == 422
    html = answer.content.decode()
    assert "Somebody else changed this" in html
    assert "Köln" in html
    world.acme.refresh_from_db()
    assert world.acme.address_city == "Bonn"
    again = client.post(url_of(world.acme), entries_of(answer))
    assert again.status_code == 302
    world.acme.refresh_from_db()
    assert world.acme.address_city == "Köln"
    with scopes_disabled(), pytest.raises(StaleError):
        services.update_company(
            customer=world.acme,
            values={},
            expected_version=1,
            by=world.actor(world.ann),
        )


# --- The logo -------------------------------------------------------------------------


def test_logo_is_shown_to_the_customers_below(world: World) -> None:
    client = world.client(world.ann)
    send(client, url_of(world.acme), logo=upload(picture((1200, 300))))
    company = company_of(world.acme)
    url = f"/brand/{world.acme.pk}/{company.logo_hash}.png"
    assert client.get(url_of(world.acme)).context["logo_url"] == url
    below = world.client(world.ben).get(url_of(world.beta))
    assert below.context["shell"]["brand"].logo_url == url
    own = client.get(url_of(world.acme))
    assert own.context["shell"]["brand"] is None, "one's own people see the provider's"

    stranger = Client().get(url)
    assert stranger["Content-Type"] == "image/png"
    assert stranger["Cache-Control"] == "public, immutable, max-age=31536000"
    assert stranger["X-Content-Type-Options"] == "nosniff"
    with Image.open(BytesIO(stranger.content)) as logo:
        assert (logo.format, logo.size) == ("PNG", (600, 150))


def test_another_logo_has_another_address(world: World) -> None:
    client = world.client(world.ann)
    send(client, url_of(world.acme), logo=upload(picture((80, 40))))
    first = company_of(world.acme).logo_hash
    send(client, url_of(world.acme), logo=upload(picture((90, 40))))
    second = company_of(world.acme).logo_hash
    assert first != second
    assert Client().get(f"/brand/{world.acme.pk}/{first}.png").status_code == 404
    assert Client().get(f"/brand/{world.acme.pk}/{second}.png").status_code == 200
    assert Client().get(f"/brand/{world.beta.pk}/{second}.png").status_code == 404


def test_logo_is_removed(world: World) -> None:
    client = world.client(world.ann)
    send(client, url_of(world.acme), logo=upload(picture()))
    digest = company_of(world.acme).logo_hash
    assert "remove_logo" in client.get(url_of(world.acme)).context["form"].fields
    send(client, url_of(world.acme), remove_logo="on")
    company = company_of(world.acme)
    assert (company.logo, company.logo_hash) == (None, "")
    assert Client().get(f"/brand/{world.acme.pk}/{digest}.png").status_code == 404
    assert "remove_logo" not in client.get(url_of(world.acme)).context["form"].fields


def test_logo_stays_when_something_else_changes(world: World) -> None:
    client = world.client(world.ann)
    send(client, url_of(world.acme), logo=upload(picture()))
    digest = company_of(world.acme).logo_hash
    send(client, url_of(world.acme), address_city="Bonn")
    assert company_of(world.acme).logo_hash == digest


def animated() -> bytes:
    stream = BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    return stream.getvalue()


def svg() -> bytes:
    return b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def xml() -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>'


def html() -> bytes:
    return b"<html><script>alert(1)</script></html>"


def cut_off() -> bytes:
    return picture((400, 400), "JPEG")[:300]


def bitmap() -> bytes:
    return picture(kind="BMP")


def too_large() -> bytes:
    return picture() + b"\0" * 1024 * 1024


def too_wide() -> bytes:
    return picture((4001, 10))


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 10 billion pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def nothing() -> bytes:
    return b"\0"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (animated, "Moving pictures"),
        (svg, "SVG"),
        (xml, "SVG"),
        (html, "not a picture"),
        (cut_off, "damaged"),
        (bitmap, "not a picture"),
        (too_large, "at most 1 MB"),
        (too_wide, "too many pixels"),
        (bomb, "too many pixels"),
        (nothing, "not a picture"),
    ],
)
def test_bad_logo_is_told_what_to_do(
    world: World, make: Callable[[], bytes], words: str
) -> None:
    client = world.client(world.ann)
    answer = send(client, url_of(world.acme), logo=upload(make()), address_city="Bonn")
    assert words in " ".join(errors_of(answer)["logo"])
    assert answer.context["form"]["address_city"].value() == "Bonn"
    assert company_of(world.acme).logo is None


def rows(size: tuple[int, int]) -> bytes:
    """Noise: what compresses worst."""
    image = Image.effect_noise(size, 200).convert("RGB")
    stream = BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "size", "mode"),
    [
        (picture((10, 10)), (10, 10), "RGB"),
        (picture((300, 1200)), (50, 200), "RGB"),
        (picture((80, 40), "JPEG", "CMYK"), (80, 40), "RGB"),
        (picture((80, 40), "WEBP", "RGBA"), (80, 40), "RGBA"),
        (picture((80, 40), "GIF", "P"), (80, 40), "RGB"),
        (picture((80, 40), "PNG", "LA"), (80, 40), "RGBA"),
        (picture((80, 40), "PNG", "1"), (80, 40), "RGB"),
        (picture((80, 40), "PNG", "L"), (80, 40), "RGB"),
        (picture((1, 4000)), (1, 200), "RGB"),
    ],
)
def test_every_kind_of_picture_becomes_a_small_png(
    content: bytes, size: tuple[int, int], mode: str
) -> None:
    with Image.open(BytesIO(read_logo(BytesIO(content)))) as logo:
        assert (logo.format, logo.size, logo.mode) == ("PNG", size, mode)


def test_picture_that_hardly_compresses_is_made_smaller() -> None:
    assert len(read_logo(BytesIO(rows((590, 190))))) <= KEPT_BYTES


def test_what_hides_beside_the_picture_is_gone() -> None:
    stream = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "<script>secret place</script>"
    exif[0x0112] = 6  # lies on its side
    Image.new("RGB", (80, 40), "red").save(stream, "JPEG", exif=exif)
    png = read_logo(BytesIO(stream.getvalue() + b"<?php evil(); ?>"))
    assert b"secret place" not in png
    assert b"evil" not in png
    with Image.open(BytesIO(png)) as logo:
        assert logo.size == (40, 80)


def test_reader_stops_at_the_limit() -> None:
    class Endless(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= 1024 * 1024 + 1
            return b"\0" * size

    with pytest.raises(ValidationError, match="too large"):
        read_logo(Endless())


# --- Speed ----------------------------------------------------------------------------


def test_page_costs_little(world: World, django_assert_max_num_queries: Any) -> None:
    client = world.client(world.ann)
    client.get(url_of(world.acme))
    with django_assert_max_num_queries(7):
        client.get(url_of(world.acme))


def test_logo_is_not_read_at_every_click(world: World) -> None:
    with subtree(world.acme):
        Company.objects.filter(customer=world.acme).update(logo=picture())
    client = world.client(world.ann)
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/a/{world.acme.pk}/settings/profile/")
    assert not any('"customers_company"."logo"' in query["sql"] for query in queries)
