"""Template helpers: addresses inside the account, amounts, dates, pills."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import phonenumbers
from django import template
from django.template import Context
from django.utils.functional import Promise

from portal.core import display, money
from portal.core.urls import account_url as build_account_url

register = template.Library()


@register.simple_tag(takes_context=True)
def account_url(context: Context, name: str, **kwargs: Any) -> str:
    """An address inside the account of the page: {% account_url "customers:list" %}."""
    return build_account_url(context["request"].actor.customer.pk, name, **kwargs)


@register.filter
def day(value: date | None) -> str:
    """A date in the reader's format."""
    return display.format_day(value) if value else ""


@register.filter
def moment(value: datetime | None) -> str:
    """A date and time in the reader's zone and format."""
    return display.format_moment(value) if value else ""


@register.filter
def whole_dates(value: object) -> object:
    """Text in which no date is broken at the end of a line; a number stays one."""
    is_text = isinstance(value, str | Promise)
    return display.whole_dates(value) if is_text else value


@register.filter
def amount(value: Decimal | None, currency: str) -> str:
    """An amount with its currency, in the reader's language."""
    return "" if value is None else money.format_money(value, currency)


@register.simple_tag(takes_context=True)
def can(context: Context, permission: str) -> bool:
    """Whether the actor of this page has ``permission``."""
    return permission in context["request"].actor.permissions


@register.filter
def telephone(number: str) -> str:
    """An E.164 number in groups: +49 30 5550100."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(
        parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
