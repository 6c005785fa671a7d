"""Taxes of a reseller, and which of its customers are liable for them (D 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.choices import TaxDefault
from billing.models import Tax
from portal.core import audit
from portal.core.actor import Actor
from portal.core.integrity import constraint_message, refusals
from portal.core.money import has_minor_unit_precision
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.staleness import refuse_stale
from portal.core.tree_lock import hold_tree

FIELDS: tuple[str, ...] = (
    "name",
    "description",
    "rate",
    "amount",
    "currency",
    "is_vat",
    "applies_accounts",
    "applies_features",
    "applies_numbers",
    "applies_calls",
    "applies_messages",
    "applies_products",
    "applies_charges",
    "liable",
    "is_shared",
)
_CONSTRAINTS = {"tax_name_once_per_owner": "name"}
# Users of a tax are counted up to here: of millions nobody wants the exact number.
MOST_COUNTED = 1000


@transaction.atomic
def create_tax(*, owner: Any, values: Mapping[str, Any], by: Actor) -> Tax:
    """Make a tax of ``owner``; if all are liable by default, its customers become so.

    ``values`` holds some of `FIELDS`, at least name; a tax with a flat amount is no VAT
    unless they say so, which is refused. Raises ValidationError by field.
    """
    _require(owner, by)
    if values.get("liable") == TaxDefault.ALL:
        _hold_customers(owner)
    tax = Tax(owner=owner, is_vat=not values.get("amount"))
    _set(tax, values)
    with refusals(Tax, _CONSTRAINTS):
        tax.save(force_insert=True)
    if tax.liable == TaxDefault.ALL:
        make_everybody_liable(tax)
    audit.record(
        "tax.created",
        tax,
        by=by,
        customer=owner,
        changes=audit.first_values(tax, FIELDS),
    )
    return tax


@transaction.atomic
def update_tax(
    *, tax: Tax, values: Mapping[str, Any], by: Actor, seen: str = ""
) -> Tax:
    """Change a tax; what was posted keeps the tax that it had.

    If all are liable by default from now on, the present customers become so. ``seen`` is
    the state (portal.core.staleness) that the change was made from.
    Raises ValidationError by field, StaleError if the tax is not as ``seen`` any more.
    """
    if values.get("liable") == TaxDefault.ALL:
        _hold_customers(tax.owner)
    tax = _locked(tax, by)
    refuse_stale(tax, FIELDS, seen=seen)
    before, was_for = audit.snapshot(tax, FIELDS), tax.liable
    _set(tax, values)
    with refusals(Tax, _CONSTRAINTS):
        tax.save()
    if tax.liable == TaxDefault.ALL and was_for != TaxDefault.ALL:
        make_everybody_liable(tax)
    changes = audit.differences(before, audit.snapshot(tax, FIELDS))
    if changes:
        audit.record("tax.updated", tax, by=by, customer=tax.owner, changes=changes)
    return tax


@transaction.atomic
def delete_tax(*, tax: Tax, by: Actor) -> None:
    """Remove a tax that nothing uses; raises ValidationError that says what does."""
    tax = _locked(tax, by)
    if reasons := deletion_refusals(tax):
        raise ValidationError(reasons, code="in_use")
    audit.record("tax.deleted", tax, by=by, customer=tax.owner)
    tax.delete()


def deletion_refusals(tax: Tax) -> list[str]:
    """What uses the tax, and how many; empty if it can be deleted."""
    with scopes_disabled():  # a shared tax is used by resellers all over the tree below
        return list(_users(tax))


def _users(tax: Tax) -> Iterator[str]:
    if count := _count(tax.liabilities.all()):
        yield ngettext(
            "%(count)d customer is liable for it.",
            "%(count)d customers are liable for it.",
            count,
        ) % {"count": count}
    if count := _count(tax.charges.all()):
        yield ngettext(
            "%(count)d charge bears it.", "%(count)d charges bear it.", count
        ) % {"count": count}
    if count := _count(tax.products.all()):
        yield ngettext(
            "%(count)d product bears it.", "%(count)d products bear it.", count
        ) % {"count": count}
    if count := _count(tax.entry_taxes.all()):
        yield ngettext(
            "%(count)d ledger entry states it.",
            "%(count)d ledger entries state it.",
            count,
        ) % {"count": count}


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:MOST_COUNTED].count()


def make_everybody_liable(tax: Tax) -> int:
    """Make the owner's own living customers liable; how many were not yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_taxliability (account_id, tax_id)"
            " SELECT account.id, %s FROM billing_billingaccount account"
            " JOIN customers_customer customer ON customer.id = account.customer_id"
            " WHERE account.provider_id = %s AND customer.deleted_at IS NULL"
            " ON CONFLICT DO NOTHING",
            [tax.pk, tax.owner_id],
        )
        made: int = cursor.rowcount
        return made


def _hold_customers(owner: Any) -> None:
    """Until this transaction ends ``owner`` gets no customer that the tax would miss.

    Customers move and come back under the lock of the tree; who makes one locks the row of
    the parent, which gives it its account number.
    """
    hold_tree()
    type(owner).objects.select_for_update(no_key=True).get(pk=owner.pk)


def may_share(owner: Any) -> bool:
    """Only the system owner's taxes can be shared with everybody (D 4)."""
    return bool(owner.parent_id is None)


def _set(tax: Tax, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(tax, name, value)
    tax.clean_fields(exclude=["owner"])
    if tax.is_shared and not may_share(tax.owner):
        raise ValidationError(
            {"is_shared": _("Only the system owner shares taxes.")}, code="share"
        )
    if not tax.rate and not tax.amount:
        raise ValidationError(
            {"rate": _("Enter a rate, an amount, or both.")}, code="nothing"
        )
    if tax.is_vat and tax.amount:
        raise ValidationError(
            {"is_vat": constraint_message(Tax, "tax_vat_is_a_percentage")},
            code="not_vat",
        )
    if not has_minor_unit_precision(tax.amount, tax.currency):
        raise ValidationError(
            {
                "amount": _("%(currency)s does not have that many decimal places.")
                % {"currency": tax.currency}
            },
            code="minor_unit",
        )


def _require(owner: Any, by: Actor) -> None:
    by.require(Permission.COMMERCE)
    if not owner.is_within(by.customer):
        raise PermissionDenied


def _locked(tax: Tax, by: Actor) -> Tax:
    locked = (
        Tax.objects.select_for_update(of=("self",))
        .select_related("owner")
        .get(pk=tax.pk)
    )
    _require(locked.owner, by)
    return locked
