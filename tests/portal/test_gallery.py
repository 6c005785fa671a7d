"""The gallery shows every part: rendering finds missing icons and broken templates."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from django.urls import include, path, reverse

from portal.dashboard.gallery import pages
from portal.urls import urlpatterns as site_urls

# The gallery is mounted with DEBUG only, and tests run without.
urlpatterns = [*site_urls, path("gallery/", include("portal.dashboard.gallery"))]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

INLINE = re.compile(r"""\s(style|on[a-z]+)=["']|<style|<script(?![^>]*\ssrc=)""")


def page_names() -> list[str]:
    """Of the files, not of the view: the names are needed before there are any URLs."""
    source = Path(settings.BASE_DIR, "portal/dashboard/gallery.py").read_text()
    return re.findall(r'^        "([a-z0-9-]+)": \(', source, flags=re.MULTILINE)


def test_the_names_are_all_pages(rf: RequestFactory) -> None:
    assert set(page_names()) == set(pages(rf.get("/gallery/")))


@pytest.mark.parametrize("name", page_names())
@pytest.mark.parametrize("query", ["", "?acting=1", "?brand=1"])
def test_renders_without_anything_the_policy_forbids(
    client: Client, name: str, query: str
) -> None:
    response = client.get(reverse("gallery:page", args=[name]) + query)

    assert response.status_code == 200
    assert not INLINE.search(response.content.decode())


def test_mail_says_the_link_in_words_too(client: Client) -> None:
    text = client.get(reverse("gallery:mail")).content.decode()

    assert text.count("https://portal.example/welcome/MTI/c3x-9f2/") == 3
    assert (
        "unsafe-inline"
        in client.get(reverse("gallery:mail"))["Content-Security-Policy"]
    )


def test_awkward_names_are_text_not_markup(client: Client) -> None:
    text = client.get(reverse("gallery:page", args=["list"])).content.decode()

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
