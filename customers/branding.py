"""How an account looks to the customers below it: on pages, in mails."""

from __future__ import annotations

from email.utils import formataddr, parseaddr

from django.conf import settings

from customers.models import Company, Customer
from customers.models.company import DEFAULT_COLOUR
from portal.core.mail import Brand
from portal.core.scope import scopes_disabled


def brand_seen_by(customer: Customer) -> Brand:
    """The brand of the nearest account above that set one up; the system's own otherwise."""
    with scopes_disabled():  # the brand of those above is what those below see
        companies = {
            company.customer_id: company
            for company in Company.objects.filter(
                customer__in=customer.ancestor_ids
            ).select_related("customer")
        }
    nearest = next(
        (companies[pk] for pk in reversed(customer.ancestor_ids) if pk in companies), None
    )
    return brand_of(nearest)


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
        sender=formataddr((sender_name, sender)),
        reply_to=company.service_email if company else "",
        telephone=company.service_telephone if company else "",
        website=company.website if company else "",
        logo=bytes(company.logo) if company and company.logo else None,
    )


def contrast_of(colour: str) -> str:
    """Black or white, whichever reads better on ``colour`` (WCAG 2.2, relative luminance)."""
    channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    # Thousandths of the luminance with a gamma of 2 instead of 2.4: exact enough to choose.
    luminance = sum(
        weight * channel * channel
        for weight, channel in zip((213, 715, 72), channels, strict=True)
    ) // (255 * 255)
    return "#000000" if luminance > 190 else "#ffffff"
