"""Settings » Company: an account's own address, and how it looks to its customers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models, transaction

from customers.branding import forget_page_brand
from customers.logos import digest_of
from customers.models import Company, Customer
from portal.core import audit
from portal.core.actor import Actor
from portal.core.errors import StaleError
from portal.core.permissions import Permission

ADDRESS_FIELDS: tuple[str, ...] = (
    "address1",
    "address2",
    "address3",
    "address_code",
    "address_city",
    "address_state",
    "address_other",
    "country",
    "telephone",
    "fax",
    "time_zone",
    "language",
)
BRAND_FIELDS: tuple[str, ...] = (
    "display_name",
    "colour",
    "sender_name",
    "sender_email",
    "service_email",
    "service_telephone",
    "website",
)
COMPANY_FIELDS: tuple[str, ...] = (*BRAND_FIELDS, "requires_second_factor")
# The root has nobody above it who could change these.
ROOT_FIELDS: tuple[str, ...] = ("email",)


@transaction.atomic
def update_company(
    *,
    customer: Customer,
    values: Mapping[str, Any],
    expected_version: int,
    by: Actor,
    logo: bytes | None = None,
    removes_logo: bool = False,
) -> Customer:
    """Change what an account says about itself.

    ``values`` are some of `ADDRESS_FIELDS` and `COMPANY_FIELDS`, of the root also
    `ROOT_FIELDS`; ``logo`` is a PNG of `customers.logos`.
    Raises StaleError if the account is no longer at ``expected_version``, ValidationError
    by field, PermissionDenied for an account other than the one acted in.
    """
    by.require(Permission.SETTINGS)
    if customer.pk != by.customer.pk:
        raise PermissionDenied
    rows = Customer.objects.select_for_update(of=("self",), no_key=True)
    customer = rows.select_related("parent").get(pk=customer.pk)
    if customer.version != expected_version:
        raise StaleError
    company = _company_of(customer)
    own = {*ADDRESS_FIELDS, *(ROOT_FIELDS if customer.is_root else ())}
    before = _snapshot(customer, company)
    for name, value in values.items():
        if name not in own and name not in COMPANY_FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(customer if name in own else company, name, value)
    if logo is not None or removes_logo:
        company.logo = logo
        company.logo_hash = digest_of(logo) if logo else ""
    _check(customer, {*own} & set(values))
    _check(company, {*COMPANY_FIELDS} & set(values))
    changes = audit.differences(before, _snapshot(customer, company))
    if not changes:
        return customer
    customer.version += 1
    customer.save(update_fields=[*own, "version"])
    if changes.keys() & {*COMPANY_FIELDS, "logo_hash"}:
        company.save()
    audit.record("company.updated", customer, by=by, customer=customer, changes=changes)
    transaction.on_commit(partial(forget_page_brand, customer.pk))
    return customer


def _company_of(customer: Customer) -> Company:
    """The account's company row; a new one, not saved, if it never set one up."""
    return Company.objects.filter(customer=customer).first() or Company(
        customer=customer
    )


def _snapshot(customer: Customer, company: Company) -> dict[str, Any]:
    return {
        **audit.snapshot(customer, (*ADDRESS_FIELDS, *ROOT_FIELDS)),
        **audit.snapshot(company, (*COMPANY_FIELDS, "logo_hash")),
    }


def _check(row: models.Model, names: set[str]) -> None:
    others = {field.name for field in row._meta.fields} - names
    row.full_clean(exclude=others, validate_unique=False, validate_constraints=False)
