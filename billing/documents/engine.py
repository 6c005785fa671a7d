"""WeasyPrint, with our faces and stylesheet, and a fetcher that fetches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.template.loader import render_to_string

from billing.documents import fonts

# What documents name: nothing else is ever opened.
SCHEME = "document:"
STYLESHEET = "billing/documents/document.css"
FACES = f"""
@font-face {{
  font-family: {fonts.FAMILY};
  src: url("{SCHEME}{fonts.REGULAR}");
}}
@font-face {{
  font-family: {fonts.FAMILY};
  font-weight: bold;
  src: url("{SCHEME}{fonts.BOLD}");
}}
"""


def render(html: str, style: str, files: Mapping[str, bytes]) -> Any:
    """Lay out ``html`` in the look of document.css; ``style`` is what differs by document.

    ``files`` are named "document:NAME" in it. Anything else is refused.
    """
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    # One for all documents would save a tenth of the time of a short one, but its caches grow,
    # and worker processes would leave its folder behind when they end.
    configuration = FontConfiguration()
    faces = {name: fonts.face(name) for name in fonts.FACES}
    others, left_out = fonts.others_for(html)
    faces |= {name: fonts.other_face(name) for name in others}
    own = CSS(
        string=FACES + _others(others) + style,
        font_config=configuration,
        url_fetcher=_fetcher(faces),
    )
    page = HTML(string=html.translate(left_out), url_fetcher=_fetcher(files))
    return page.render(font_config=configuration, stylesheets=[own, _stylesheet()])


def _others(names: Sequence[str]) -> str:
    """The rules for further faces; their families are not those that systems know."""
    families = [f'"Trunkline {name}"' for name in names]
    rules = [
        f'@font-face {{ font-family: {family}; src: url("{SCHEME}{name}") }}'
        for name, family in zip(names, families, strict=True)
    ]
    order = ", ".join([fonts.FAMILY, *families, f'"{fonts.EAST_ASIAN_FACE}"'])
    return "\n".join([*rules, f":root {{ --faces: {order}, sans-serif }}"])


@cache
def _stylesheet() -> Any:
    from weasyprint import CSS

    return CSS(string=render_to_string(STYLESHEET), url_fetcher=_fetcher({}))


def _fetcher(files: Mapping[str, bytes]) -> Any:
    return _fetcher_class()(files)


@cache
def _fetcher_class() -> Any:
    """Made when first asked for: importing WeasyPrint takes most of a second."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Fetcher(URLFetcher):
        """Hands out ``files``; every other address is an error."""

        def __init__(self, files: Mapping[str, bytes]) -> None:
            super().__init__(allowed_protocols=())
            self.files = files

        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
            name = url.removeprefix(SCHEME)
            if name == url or name not in self.files:
                raise ValueError(f"Documents fetch nothing: {url[:80]}")
            return URLFetcherResponse(url, self.files[name])

    return Fetcher
