"""A person at a browser, and a post box that real mails arrive in."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import default as modern
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from customers.models import Person
from portal.core.sessions import SessionStore
from tests.world import World

# Where to leave pictures for looking at; none are taken without it.
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
# What axe looks for in the dark: nothing else than colours is other there.
COLOURS = ["color-contrast", "link-in-text-block"]
AXE = Axe().axe_script
# What axe calls serious or critical. A rule has one impact for all that it finds, so
# those of less are left out, which halves the work, as does keeping what is in order.
FAULTS = """async (only) => {
    const serious = ["serious", "critical"];
    const lesser = axe._audit.rules.filter((rule) => !serious.includes(rule.impact));
    const some = only ? { runOnly: only } : {
        rules: Object.fromEntries(lesser.map(({ id }) => [id, { enabled: false }])),
    };
    const { violations } = await axe.run({ resultTypes: ["violations"], ...some });
    return violations
        .filter(({ impact }) => serious.includes(impact))
        .map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 160)}`);
}"""
# Pixels by which the page itself scrolls sideways.
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
# Fulfilled once nothing fades or slides any more, as the menu does between two widths.
STILL = """async () => {
    await new Promise(requestAnimationFrame);
    const moving = document.getAnimations().filter(
        (each) => each.effect.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(moving.map((each) => each.finished));
}"""
# Even with reduced motion every element's colour passes through a transition, short as
# it is, and its children's after it: a second's work on a long page.
AT_ONCE = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, ::before, ::after { transition: none !important }");
    document.adoptedStyleSheets.push(sheet);
}"""
AS_BEFORE = "() => { document.adoptedStyleSheets.pop(); }"
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


class Visitor:
    """Somebody with a browser window; complaints in its console fail the test."""

    def __init__(self, context: BrowserContext, base_url: str, look: str) -> None:
        self.context, self.base_url, self.present_look = context, base_url, look
        # Answers that the browser notes as errors though the page means them.
        self.expected = ["status of 4"]
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text)
                if message.type == "error" and not self.is_expected(message.text)
                else None
            ),
        )

    def is_expected(self, text: str) -> bool:
        return any(part in text for part in self.expected)

    def sign_in(self, person: Person) -> None:
        """Come with a session that is signed in, as after the sign-in page."""
        session = SessionStore()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = "customers.backends.PersonBackend"
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.save()
        assert session.session_key is not None
        self.take_session(session.session_key)

    def come_as(self, client: Client) -> None:
        """Come with the session of a test client, with its switches."""
        self.take_session(client.cookies[settings.SESSION_COOKIE_NAME].value)

    def take_session(self, key: str) -> None:
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": key}
        self.context.add_cookies([{**cookie, "url": self.base_url}])  # type: ignore[typeddict-item]

    def open(self, path: str) -> Page:
        self.page.goto(self.base_url + path)
        return self.page

    def look(self, name: str) -> None:
        """Take a picture if somebody wants to look at it."""
        if SCREENSHOTS:
            folder = Path(SCREENSHOTS)
            folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=folder / f"{name}.png", full_page=True)

    def turn_to(self, look: str) -> None:
        """Show the present page in one of `LOOKS`, once its script has followed."""
        if look == self.present_look:
            return
        self.present_look = look
        colours = LOOKS[look]["color_scheme"]
        self.page.evaluate(AT_ONCE)
        self.page.emulate_media(color_scheme=colours)
        self.page.set_viewport_size(LOOKS[look]["viewport"])
        expect(self.page.locator("html")).to_have_attribute("data-bs-theme", colours)
        self.page.evaluate(STILL)
        self.page.evaluate(AS_BEFORE)

    def judge(self, name: str) -> None:
        """The present state is sound in light, in the dark and on a phone."""
        for look in ("dark", "narrow", "light"):
            self.turn_to(look)
            self.look(f"{name}-{look}")
            assert self.accessibility_faults() == []
            assert self.page.evaluate(TOO_WIDE) <= 0

    def accessibility_faults(self) -> list[str]:
        """What axe calls serious or critical on the present page."""
        # What lies scrolled beneath the top bar would be taken for its background.
        self.page.evaluate("scrollTo(0, 0)")
        self.page.evaluate(STILL)
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        is_dark = LOOKS[self.present_look]["color_scheme"] == "dark"
        faults: list[str] = self.page.evaluate(FAULTS, COLOURS if is_dark else None)
        return faults


@pytest.fixture
def cast(transactional_db: None, world: World) -> World:
    """The world in committed rows: the server under test has its own connections."""
    return world


@pytest.fixture
def new_visitor(browser: Browser, live_server: LiveServer) -> Iterator[Any]:
    """Opens browser windows: new_visitor(), new_visitor("dark"), new_visitor("narrow")."""
    visitors: list[Visitor] = []

    def open_window(look: str = "light", **options: Any) -> Visitor:
        context = browser.new_context(
            locale="en-GB",
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",  # nobody looks at colours on their way
            **{**LOOKS[look], **options},
        )
        visitor = Visitor(context, live_server.url, look)
        visitors.append(visitor)
        return visitor

    yield open_window
    complaints = [text for visitor in visitors for text in visitor.complaints]
    for visitor in visitors:
        visitor.context.close()
    assert complaints == []


class PostBox:
    """Takes every mail and keeps it."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=modern))
        return "250 OK"

    def newest_link(self) -> str:
        """The longest link of the newest mail's text: the one that is for once."""
        body = self.mails[-1].get_body(("plain",))
        links: list[str] = re.findall(r"https?://\S+", body.get_content())
        return max(links, key=len)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def post_box(settings: Settings, live_server: LiveServer) -> Iterator[PostBox]:
    """A real mail server that the portal sends through."""
    box = PostBox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_IS_KEPT = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.PUBLIC_URL = live_server.url
    yield box
    controller.stop()
