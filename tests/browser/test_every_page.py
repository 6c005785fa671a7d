"""Every page there is, seen by everybody who may: in light, in the dark, on a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page

from portal.core.scope import scopes_disabled
from tests.browser.conftest import TOO_WIDE, Visitor
from tests.browser.sitemap import Audience, Route, audiences, parts
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

# Opened by nobody as the story goes, and where they are looked at instead.
NOT_HERE = {
    "two-factor": "second step of logging in: test_signing_in.py",
    "brand-logo": "a picture",
    "brand-styles": "a style sheet",
    "customers:email-file": "a file",
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", parts())
def test_pages_are_sound(part: str, cast: World, new_visitor: Any) -> None:
    with scopes_disabled():  # addresses are made of rows of several tenants
        tour = Tour(audiences(cast), new_visitor)
        for route in parts()[part]:
            tour.visit(route)
    assert tour.faults == []


class Tour:
    """Goes through pages and notes what is wrong with them.

    Who can see a page first looks at it thoroughly. Of the others only those in another
    frame, with the banner of a switch, see it in a browser, on a phone, where room is
    scarce; for the rest its text is read.
    """

    def __init__(self, audiences: list[Audience], new_visitor: Any) -> None:
        self.audiences = audiences
        self.new_visitor = new_visitor
        self.visitors: dict[str, Visitor] = {}
        self.seen_templates: set[str] = set()
        self.faults: list[str] = []

    def visit(self, route: Route) -> None:
        was_opened = False
        for audience in self.in_order(route):
            for address in audience.addresses(route):
                answer = audience.client.get(address, follow=audience.person is None)
                if is_opened(answer, route):
                    if is_page(answer):
                        self.judge(route, audience, address, answer, not was_opened)
                    was_opened = True
                if is_opened(answer, route) or answer.status_code == 403:
                    break  # no other row of the account would change the answer
        if not was_opened and route.name not in NOT_HERE:
            self.faults.append(f"{route.name}: nobody can open it")

    def in_order(self, route: Route) -> list[Audience]:
        """Those who see most of a page first: of the login, who is signed out."""
        if route.section == "signed-out":
            return self.audiences[::-1]
        return self.audiences

    def judge(
        self,
        route: Route,
        audience: Audience,
        address: str,
        answer: Any,
        is_first: bool,
    ) -> None:
        if is_first:
            looks = self.looks(page_template(answer))
            faults = self.look(route, audience, address, looks)
        elif audience.name == "switched":
            faults = self.look(route, audience, address, ["narrow"])
        else:
            faults = text_faults(answer.content.decode())
        self.faults += [f"{route.name} ({audience.name}): {fault}" for fault in faults]

    def looks(self, template: str) -> list[str]:
        """In the dark one page of each template is enough: the colours are its own."""
        if template in self.seen_templates:
            return ["light", "narrow"]
        self.seen_templates.add(template)
        return ["light", "dark", "narrow"]

    def look(
        self, route: Route, audience: Audience, address: str, looks: list[str]
    ) -> list[str]:
        """What is wrong in any of the looks; the console fails the test by itself."""
        visitor = self.visitor_of(audience)
        page = visitor.open(address)
        faults = text_faults(page.content())
        # Turning round takes as long as loading: begin as the page before has ended.
        for look in sorted(looks, key=lambda each: each != visitor.present_look):
            visitor.turn_to(look)
            found = width_faults(page)
            if look != "narrow":
                found += visitor.accessibility_faults()
            faults += [f"{look}: {fault}" for fault in found]
            visitor.look(f"{picture(route, audience)}-{look}")
        return faults

    def visitor_of(self, audience: Audience) -> Visitor:
        if audience.name not in self.visitors:
            is_passing = audience.name == "switched"
            visitor = self.new_visitor("narrow" if is_passing else "light")
            if audience.person is not None:
                visitor.come_as(audience.client)
            self.visitors[audience.name] = visitor
        return self.visitors[audience.name]


def is_opened(answer: Any, route: Route) -> bool:
    """Whether it is the route's own answer: a page, or the way to another one."""
    if answer.status_code == 302:
        return not str(answer["Location"]).startswith("/login/")
    return bool(
        answer.status_code == 200 and answer.resolver_match.view_name == route.name
    )


def is_page(answer: Any) -> bool:
    """A whole page of ours: no part for htmx, no download, no mail to look at."""
    if answer.streaming or not answer.headers["Content-Type"].startswith("text/html"):
        return False
    return b'id="content"' in answer.content


def page_template(answer: Any) -> str:
    """The template of the page itself: the first that is no part of one."""
    names = (str(template.name) for template in answer.templates)
    return next(name for name in names if not name.startswith(("_components", "boot")))


def picture(route: Route, audience: Audience) -> str:
    return f"{route.name.rpartition(':')[2]}-{audience.name}"


def text_faults(html: str) -> list[str]:
    """A page has one headline and a title of its own."""
    faults = []
    headlines = re.findall(r"<h1[^>]*>(.*?)</h1>", html, flags=re.DOTALL)
    if len(headlines) != 1 or not headlines[0].strip():
        faults.append(f"headlines: {headlines}")
    title = re.search(r"<title>(.*?)</title>", html, flags=re.DOTALL)
    words = " ".join(title[1].split()) if title else ""
    if not re.match(r"\S.* · \S", words):
        faults.append(f"title: {words!r}")
    return faults


def width_faults(page: Page) -> list[str]:
    """Nothing makes the page itself scroll sideways."""
    beyond = page.evaluate(TOO_WIDE)
    return [f"{beyond} px too wide"] if beyond > 0 else []
