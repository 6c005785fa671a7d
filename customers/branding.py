"""How an account looks to the customers below it: on pages, in mails."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from email.utils import formataddr, parseaddr
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.urls import reverse

from customers.models import Company, Customer
from portal.core.colours import DEFAULT_COLOUR, contrast_of
from portal.core.mail import Brand
from portal.core.scope import scopes_disabled
from portal.core.validators import split_emails
from rateplans.selectors import own_settings

# Seconds. Saving drops the entry; this only bounds what a reader and a writer who meet
# at the wrong moment can leave behind.
CACHED_FOR = 5 * 60


@dataclass(frozen=True, slots=True)
class PageBrand:
    """What a page needs to look like a reseller's: addresses, not the things themselves."""

    name: str
    logo_url: str = ""
    css_url: str = ""


def brand_seen_by(customer: Customer) -> Brand:
    """The brand of the nearest account above that set one up; else the system's own.

    With the customer service that the customer's rate plan names (D 3.2), unless that is
    inherited from further up than the brand comes from.
    """
    nearest = _nearest_company(customer.ancestor_ids)
    return _with_service(brand_of(nearest), nearest, customer)


def brand_name_below(customer: Customer) -> str:
    """What mails to the customers of ``customer`` come from: `brand_seen_by` of each."""
    return brand_of(_nearest_company([*customer.ancestor_ids, customer.pk])).name


def _nearest_company(levels: list[int]) -> Company | None:
    """The last of ``levels``, from the root down, that set up a brand."""
    with scopes_disabled():  # the brand of those above is what those below see
        companies = {
            company.customer_id: company
            for company in Company.objects.filter(customer__in=levels).select_related(
                "customer"
            )
        }
    return next((companies[pk] for pk in reversed(levels) if pk in companies), None)


def _with_service(brand: Brand, company: Company | None, customer: Customer) -> Brand:
    plan = own_settings(customer.pk)
    above = customer.ancestor_ids
    further = above[: above.index(company.customer_id)] if company else []

    def said(name: str, otherwise: str) -> str:
        found = plan.setting(name)
        is_nearer = found.plan is not None and found.plan.owner_id not in further
        return str(found.value) if is_nearer else otherwise or str(found.value)

    addresses = split_emails(said("service_email", brand.reply_to))
    return replace(
        brand,
        reply_to=addresses[0] if addresses else "",
        telephone=said("service_telephone", brand.telephone),
        copies=tuple(addresses) if plan.value("copy_service_email") else (),
    )


def brand_of(company: Company | None) -> Brand:
    """A company's brand; of None, Trunkline's own."""
    default_name, default_address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    colour = (company.colour if company else "") or DEFAULT_COLOUR
    name = str(company) if company else "Trunkline"
    sender_name = (company.sender_name if company else "") or name or default_name
    sender = (company.sender_email if company else "") or default_address
    return Brand(
        name=name,
        colour=colour,
        contrast=contrast_of(colour),
        # One line, whatever a name holds: it becomes a header of mails.
        sender=formataddr((" ".join(sender_name.split()), sender)),
        reply_to=company.service_email if company else "",
        telephone=company.service_telephone if company else "",
        website=company.website if company else "",
        logo=bytes(company.logo) if company and company.logo else None,
    )


def page_brand(customer: Customer) -> PageBrand | None:
    """The brand that pages of ``customer``'s people carry; None for Trunkline's own.

    One question to the cache, whatever the depth; one to the database if it is empty.
    """
    keys = {pk: _cache_key(pk) for pk in customer.ancestor_ids}
    known = cache.get_many(keys.values())
    missing = [pk for pk, key in keys.items() if key not in known]
    if missing:
        found = {keys[pk]: values for pk, values in _page_brands(missing).items()}
        cache.set_many(found, CACHED_FOR)
        known |= found
    for pk in reversed(customer.ancestor_ids):
        if values := known[keys[pk]]:
            return PageBrand(**values)
    return None


def forget_page_brand(customer_id: int) -> None:
    """Called when a company was saved: the next page looks like the new one."""
    cache.delete(_cache_key(customer_id))


def logo_url(company: Company) -> str:
    """Where the logo is served; the address changes with the logo, so it is cacheable."""
    if not company.logo_hash:
        return ""
    values = {"customer": company.customer_id, "digest": company.logo_hash}
    return reverse("brand-logo", kwargs=values)


def css_url(company: Company) -> str:
    """The stylesheet that sets the colour; empty if the company chose none."""
    if not company.colour:
        return ""
    values = {"customer": company.customer_id, "digest": colour_digest(company.colour)}
    return reverse("brand-styles", kwargs=values)


def colour_digest(colour: str) -> str:
    return hashlib.sha256(colour.lower().encode()).hexdigest()[:16]


def stylesheet(colour: str) -> str:
    """Tokens of the brand. css/tokens.css derives the rest from ``--brand`` where the
    browser can calculate colours; elsewhere the colour stands as it is."""
    return (
        f":root {{ --brand: {colour}; }}\n"
        "@supports not (color: oklch(from red l c h)) {\n"
        "  :root, [data-bs-theme] {\n"
        f"    --brand-solid: {colour};\n"
        f"    --brand-solid-hover: {colour};\n"
        f"    --brand-contrast: {contrast_of(colour)};\n"
        "  }\n"
        "}\n"
    )


def _page_brands(customer_ids: list[int]) -> dict[int, dict[str, Any]]:
    """By customer; empty where there is no company, so that this is known as well."""
    with scopes_disabled():  # the brand of those above is what those below see
        companies = Company.objects.filter(customer__in=customer_ids)
        rows = list(companies.select_related("customer").defer("logo"))
    brands: dict[int, dict[str, Any]] = {pk: {} for pk in customer_ids}
    for company in rows:
        brands[company.customer_id] = asdict(
            PageBrand(str(company), logo_url(company), css_url(company))
        )
    return brands


def _cache_key(customer_id: int) -> str:
    return f"brand:{customer_id}"
