"""Logging in at a browser: with a second factor, and with the help of the one lost."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page, expect

from tests.world import PASSWORD, World

pytestmark = pytest.mark.django_db(transaction=True)
RECOVERY_CODE = re.compile(r"^\s*\w{4,}(-\w{4,})+\s*$")


def code_for(secret: str) -> str:
    """What the app shows for the secret that was typed into it."""
    text = "".join(secret.split())
    key = base64.b32decode(text + "=" * (-len(text) % 8))
    return f"{TOTP(key).token():06d}"


def type_password(page: Page) -> None:
    page.get_by_label("User name").fill("ann@acme.test")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_second_factor_is_set_up_and_asked_for(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/settings/second-factor/")
    page.get_by_role("link", name="Set it up").click()
    secret = page.get_by_label("Or type this secret into the app").input_value()
    page.get_by_role("textbox", name="Code from the app").fill(code_for(secret))
    page.get_by_role("button", name="Turn it on").click()
    codes = page.get_by_role("listitem").filter(has_text=RECOVERY_CODE)
    expect(codes.first).to_be_visible()
    recovery_code = codes.first.inner_text()
    ann.judge("second-factor-on")

    # The code was good once; another would be due in half a minute.
    TOTPDevice.objects.update(last_t=-1)
    page.get_by_label("Your logins and settings").click()
    page.get_by_role("button", name="Log out").click()
    again = new_visitor()
    page = again.open("/login/")
    type_password(page)
    expect(page.get_by_role("heading", name="Confirm it is you")).to_be_visible()
    again.judge("two-factor")
    page.get_by_role("textbox").fill(code_for(secret))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Customers")).to_be_visible()

    without_telephone = new_visitor()
    page = without_telephone.open("/login/")
    type_password(page)
    page.get_by_role("link", name="Use a recovery code").click()
    without_telephone.judge("two-factor-recovery")
    page.get_by_role("textbox").fill("aaaaa-aaaaa")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter another one.")
    StaticDevice.objects.update(throttling_failure_timestamp=None)  # a second goes by
    page.get_by_role("textbox").fill(recovery_code)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Customers")).to_be_visible()
