"""What mails to customers look like and say in their senders' own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils import translation

from billing.models import BillingAccount
from customers.branding import brand_seen_by
from customers.customs import customs_for
from customers.mail_kinds import BUTTONS
from customers.models import Customer
from portal.core.mail import Brand, OwnTexts
from rateplans.choices import CustomName
from rateplans.texts import fill, paragraphs

Said = Mapping[CustomName, str]


class SenderBook:
    """Brands and own words, each read once: for work that mails many customers.

    All customers of one provider on one plan are told the same. Kept for a short piece of
    work only, since both change.
    """

    def __init__(self) -> None:
        self._brands: dict[tuple[int | None, int], Brand] = {}
        self._said: dict[tuple[int | None, int, str, str], Said] = {}

    def brand(self, account: BillingAccount) -> Brand:
        """What the account's customer sees: `customers.branding.brand_seen_by`."""
        key = account.customer.parent_id, account.plan_id
        if key not in self._brands:
            self._brands[key] = brand_seen_by(account.customer)
        return self._brands[key]

    def said(self, account: BillingAccount, kind: str, language: str) -> Said:
        """What plans say in such mails, with its fields not filled in yet."""
        key = account.customer.parent_id, account.plan_id, kind, language
        if key not in self._said:
            names = names_of(kind)
            self._said[key] = customs_for(account.customer, names, language=language)
        return self._said[key]


def names_of(kind: str) -> tuple[CustomName, ...]:
    """The custom settings that a mail of this kind asks for."""
    own = CustomName(f"{kind}_subject"), CustomName(f"{kind}_text")
    return (*own, CustomName.FOOTER_TEXT, CustomName.FOOTER_URL)


def in_own_words(
    kind: str,
    customer: Customer,
    brand: Brand,
    said: Said,
    language: str,
    values: Mapping[str, Any],
) -> tuple[Brand, OwnTexts]:
    """What the customer's plan and those above it say in place of the portal's texts."""
    subject, text, footer, address = names_of(kind)
    values = {"brand": brand.name, "customer": customer.name, **values}
    brand = replace(
        brand,
        footer=fill(said.get(footer, ""), values),
        website=said.get(address, brand.website),
    )
    with translation.override(language):
        button = str(BUTTONS.get(kind, ""))
    own = OwnTexts(
        subject=fill(said.get(subject, ""), values),
        text=fill(said.get(text, ""), values),
        paragraphs=paragraphs(said.get(text, ""), values),
        button=button,
    )
    return brand, own
