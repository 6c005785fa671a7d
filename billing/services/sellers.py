"""Settings » Invoicing: what an account says of itself on the invoices it issues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from billing.models import Seller
from billing.selectors import seller_of
from portal.core import audit
from portal.core.actor import Actor
from portal.core.permissions import Permission
from portal.core.staleness import refuse_stale

FIELDS: tuple[str, ...] = (
    "legal_name",
    "trading_name",
    "register_number",
    "legal_form",
    "vat_id",
    "tax_number",
    "endpoint_scheme",
    "endpoint_id",
    "contact_name",
    "contact_telephone",
    "contact_email",
    "account_holder",
    "iban",
    "bic",
    "bank_name",
    "bank_code",
    "account_number",
    "creditor_id",
    "payment_terms",
    "tax_rounding",
    "untaxed_category",
    "untaxed_reason",
    "books_currency",
    "reviews_invoices",
    "copy_invoices",
)


@transaction.atomic
def update_seller(
    *, customer: Any, values: Mapping[str, Any], by: Actor, seen: str = ""
) -> Seller:
    """Change what ``customer`` says of itself; the first change makes its row.

    ``values`` holds some of `FIELDS`; ``seen`` is the state that the form was opened in.
    Raises StaleError if somebody else saved in between, ValidationError by field,
    PermissionDenied for an account other than the one acted in.
    """
    by.require(Permission.SETTINGS)
    by.require(Permission.COMMERCE)
    if customer.pk != by.customer.pk:
        raise PermissionDenied
    # Two who save the first time at once would both make a row: the account waits.
    type(customer).objects.select_for_update(no_key=True).get(pk=customer.pk)
    seller = seller_of(customer)
    refuse_stale(seller, FIELDS, seen=seen)
    before = audit.snapshot(seller, FIELDS)
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(seller, name, value)
    seller.full_clean(exclude=["customer"], validate_constraints=False)
    changes = audit.differences(before, audit.snapshot(seller, FIELDS))
    if changes:
        seller.save()
        audit.record(
            "seller.updated", seller, by=by, customer=customer, changes=changes
        )
    return seller
