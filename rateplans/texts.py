"""Texts of one's own with variables: which there are, checking them, filling them in.

A variable is a name in braces, ``{username}``. Nothing else in a text means anything: no
attributes, no formats, no expressions; what is filled in is never looked through again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.template.loader import render_to_string
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core.money import format_money
from rateplans.choices import CustomName

LINK = "link"
_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BRACE = re.compile(r"[{}]")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
LONGEST_TEXT = 5000
_LONGEST_SUBJECT = 150
_LONGEST_ADDRESS = 200

# What each variable stands for.
VARIABLES: dict[str, Any] = {
    "brand": gettext_lazy("The name that the mail comes from"),
    "customer": gettext_lazy("The customer's name"),
    "name": gettext_lazy("The person's name"),
    "username": gettext_lazy("The person's user name"),
    "days": gettext_lazy("How many days the link works"),
    "hours": gettext_lazy("How many hours the link works"),
    "emails": gettext_lazy("The addresses that mails go to from now on"),
    "account_number": gettext_lazy("The customer's account number"),
    "balance": gettext_lazy("The balance now"),
    "threshold": gettext_lazy("The balance below which the mail is sent"),
    "credit_left": gettext_lazy("What can still be spent: balance and credit limit"),
    "advice": gettext_lazy("What to do, by the customer's billing type"),
    "document": gettext_lazy("“Invoice”, or “Credit note”"),
    "number": gettext_lazy("The number of the invoice"),
    "total": gettext_lazy("The total of the invoice"),
    "settlement": gettext_lazy("What is to be paid until when, or that nothing is"),
    "open": gettext_lazy("What is still to be paid"),
    "due_on": gettext_lazy("The day it was due"),
    "late": gettext_lazy("How many days ago that was"),
    "payment": gettext_lazy("Where to pay it to, with the reference"),
    LINK: gettext_lazy("The address to open; alone between empty lines, a button"),
}


@dataclass(frozen=True, slots=True)
class TextRule:
    """What a custom setting may hold: ``required`` are among ``variables``."""

    variables: tuple[str, ...]
    required: tuple[str, ...] = ()
    is_line: bool = False
    is_address: bool = False


_PERSON = ("brand", "customer", "name", "username")
_INVOICE = ("brand", "customer", "account_number", "document", "number", "total")
_REMINDER = ("brand", "customer", "account_number", "number", "open", "due_on", "late")
_BALANCE = ("brand", "customer", "account_number", "balance", "threshold")
RULES: dict[CustomName, TextRule] = {
    CustomName.FOOTER_TEXT: TextRule(("brand",)),
    CustomName.FOOTER_URL: TextRule((), is_line=True, is_address=True),
    CustomName.LOGIN_DETAILS_SUBJECT: TextRule(_PERSON, is_line=True),
    CustomName.LOGIN_DETAILS_TEXT: TextRule(
        (*_PERSON, "days", LINK), required=("username", LINK)
    ),
    CustomName.PASSWORD_RESET_SUBJECT: TextRule(_PERSON, is_line=True),
    CustomName.PASSWORD_RESET_TEXT: TextRule(
        (*_PERSON, "hours", LINK), required=(LINK,)
    ),
    CustomName.PASSWORD_CHANGED_SUBJECT: TextRule(_PERSON, is_line=True),
    CustomName.PASSWORD_CHANGED_TEXT: TextRule((*_PERSON, LINK)),
    CustomName.EMAIL_CHANGED_SUBJECT: TextRule(_PERSON, is_line=True),
    CustomName.EMAIL_CHANGED_TEXT: TextRule((*_PERSON, "emails")),
    CustomName.LOW_BALANCE_SUBJECT: TextRule(_BALANCE, is_line=True),
    CustomName.LOW_BALANCE_TEXT: TextRule((*_BALANCE, "credit_left", "advice", LINK)),
    CustomName.INVOICE_SUBJECT: TextRule(_INVOICE, is_line=True),
    CustomName.INVOICE_TEXT: TextRule((*_INVOICE, "settlement", LINK)),
    CustomName.REMINDER_SUBJECT: TextRule(_REMINDER, is_line=True),
    CustomName.REMINDER_TEXT: TextRule((*_REMINDER, "payment", LINK)),
}


def clean_text(name: CustomName, value: str) -> str:
    """``value`` as it is kept; ValidationError says what is wrong with it."""
    rule = RULES[name]
    text = "\n".join(line.rstrip() for line in value.strip().splitlines())
    if not text:
        raise ValidationError(_("Enter the text."), code="required")
    if any(ord(sign) < 32 and sign not in "\n\t" for sign in text):
        raise ValidationError(
            _("The text holds signs that nobody can see. Type it anew."), code="control"
        )
    if rule.is_line and "\n" in text:
        raise ValidationError(_("This is one line: leave out the others."), code="line")
    longest = _LONGEST_SUBJECT if rule.is_line else LONGEST_TEXT
    if len(text) > (_LONGEST_ADDRESS if rule.is_address else longest):
        raise ValidationError(_("Shorten it: it is too long."), code="long")
    if rule.is_address:
        if _BRACE.search(text):
            raise ValidationError(
                _("Nothing can be filled into an address: leave out the braces."),
                code="brace",
            )
        URLValidator(schemes=["http", "https"])(text)
        return text
    _refuse_variables(rule, text)
    return text


def _refuse_variables(rule: TextRule, text: str) -> None:
    errors = []
    used = list(dict.fromkeys(_VARIABLE.findall(text)))
    if unknown := [name for name in used if name not in rule.variables]:
        errors.append(
            ValidationError(
                _("%(unknown)s cannot be filled in here. You can use %(known)s."),
                code="unknown",
                params={
                    "unknown": in_braces(unknown),
                    "known": in_braces(rule.variables),
                },
            )
        )
    rest = _VARIABLE.sub("", text)
    if place := _BRACE.search(rest):
        start = max(place.start() - 10, 0)
        errors.append(
            ValidationError(
                _(
                    "A brace stands alone near “%(near)s”. Braces are only for variables:"
                    " %(known)s."
                ),
                code="brace",
                params={
                    "near": " ".join(rest[start : place.start() + 15].split()),
                    "known": in_braces(rule.variables),
                },
            )
        )
    if missing := [name for name in rule.required if name not in used]:
        errors.append(
            ValidationError(
                _("%(missing)s must be in the text: the mail is of no use without."),
                code="missing",
                params={"missing": in_braces(missing)},
            )
        )
    if errors:
        raise ValidationError(errors)


def sample_values(*, brand: str, currency: str) -> dict[str, str]:
    """Something for each variable, for previews in the active language."""
    advice = _("Top up your balance, or ask %(brand)s for more credit.")
    return {
        "brand": brand,
        "customer": "Weber & Co.",
        "name": "Anna Weber",
        "username": "anna@example.com",
        "days": str(_days()),
        "hours": str(_hours()),
        "emails": "anna@example.com",
        "account_number": "100042",
        "balance": format_money(Decimal(12), currency),
        "threshold": format_money(Decimal(50), currency),
        "credit_left": format_money(Decimal(37), currency),
        "advice": advice % {"brand": brand},
        "document": _("Invoice"),
        "number": "2026-00042",
        "total": format_money(Decimal(119), currency),
        "settlement": _("Please pay %(amount)s by %(day)s.")
        % {"amount": format_money(Decimal(119), currency), "day": "2026-12-15"},
        "open": format_money(Decimal(119), currency),
        "due_on": "2026-12-15",
        "late": "7",
        "payment": _("Please quote %(number)s.") % {"number": "2026-00042"},
        LINK: f"{settings.PUBLIC_URL}/login/",
    }


def standard_text(name: CustomName) -> str:
    """What the portal says, in the active language, to begin one's own text with."""
    kind, _underscore, part = name.value.rpartition("_")
    if kind == "footer":
        return ""
    values = {variable: in_braces([variable]) for variable in VARIABLES}
    context = {
        **values,
        "brand": {"name": values["brand"]},
        "customer": {
            "name": values["customer"],
            "account_number": values["account_number"],
        },
        "person": {"display_name": values["name"], "username": values["username"]},
        "new_emails": [values["emails"]],
        "account_url": values[LINK],
        "forgotten_url": values[LINK],
        "portal_url": settings.PUBLIC_URL,
        "valid_days": _days(),
        "valid_hours": _hours(),
    }
    if part == "subject":
        return render_to_string(f"emails/{kind}/subject.txt", context).strip()
    text = render_to_string(f"emails/{kind}/body.txt", context)
    return text.partition("\n-- \n")[0].strip()


def _days() -> int:
    return settings.WELCOME_LINK_TIMEOUT // 86400


def _hours() -> int:
    return settings.PASSWORD_RESET_TIMEOUT // 3600


def in_braces(names: Any) -> str:
    """Names of variables as they are typed: "{name}, {link}"."""
    return ", ".join(f"{{{name}}}" for name in names)


def fill(text: str, values: Mapping[str, Any]) -> str:
    """``text`` with its variables filled in; one that has no value stays as it is."""
    return _VARIABLE.sub(lambda match: str(values.get(match[1], match[0])), text)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One of a text in HTML; ``is_button`` if it is the link and nothing else."""

    html: SafeString
    is_button: bool = False


def paragraphs(text: str, values: Mapping[str, Any]) -> list[Paragraph]:
    """``text`` filled in as HTML: all of it is escaped, the link can be followed."""
    return [_paragraph(part, values) for part in _BLANK_LINES.split(text) if part]


def _paragraph(part: str, values: Mapping[str, Any]) -> Paragraph:
    if part.strip() == in_braces([LINK]) and LINK in values:
        return Paragraph(escape(values[LINK]), is_button=True)
    pieces = []
    end = 0
    for match in _VARIABLE.finditer(part):
        pieces.append(_lines(part[end : match.start()]))
        pieces.append(_value(match, values))
        end = match.end()
    pieces.append(_lines(part[end:]))
    return Paragraph(mark_safe("".join(pieces)))


def _value(match: re.Match[str], values: Mapping[str, Any]) -> SafeString:
    value = values.get(match[1], match[0])
    if match[1] == LINK and LINK in values:
        return format_html('<a href="{}">{}</a>', value, value)
    return _lines(str(value))


def _lines(text: str) -> SafeString:
    return mark_safe(escape(text).replace("\n", "<br>"))
