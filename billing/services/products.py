"""What a reseller sells besides calls, and its prices in plans (D 5.2, 3.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.choices import CALL_TYPES, ProductType
from billing.models import Product, ProductException, Tax
from billing.product_selectors import products_to_price
from billing.services.charge_rows import taxes_of, tickable_taxes
from portal.core import audit
from portal.core.actor import Actor
from portal.core.integrity import refusals
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.staleness import refuse_stale
from rateplans.models import RatePlan

FIELDS: tuple[str, ...] = (
    "name",
    "description",
    "type",
    "amount",
    "information",
    "create_fee",
    "create_buy",
    "period",
    "period_fee",
    "period_buy",
    "currency",
    "reach",
)
EXCEPTION_FIELDS: tuple[str, ...] = (
    "uses_markups",
    "create_fee",
    "period_fee",
    "create_markup",
    "create_margin",
    "period_markup",
    "period_margin",
)
# At once, as many as a limit may say.
MOST_CALLS = 100_000
_CONSTRAINTS = {"product_name_once_per_owner": "name"}


@transaction.atomic
def create_product(
    *, owner: Any, values: Mapping[str, Any], taxes: Iterable[Tax], by: Actor
) -> Product:
    """Offer a product to the customers of ``owner``. Raises ValidationError by field."""
    _require(owner.pk, by)
    product = Product(owner=owner)
    _set(product, values)
    with refusals(Product, _CONSTRAINTS):
        product.save(force_insert=True)
    _set_taxes(product, taxes)
    audit.record(
        "product.created",
        product,
        by=by,
        customer=owner,
        changes=audit.first_values(product, FIELDS),
    )
    return product


@transaction.atomic
def update_product(
    *,
    product: Product,
    values: Mapping[str, Any],
    taxes: Iterable[Tax],
    by: Actor,
    seen: str = "",
) -> Product:
    """Change a product for later purchases; recurring charges sold already stay as they are.

    Raises ValidationError by field, StaleError if it is not as ``seen`` any more.
    """
    product = _locked(product, by)
    refuse_stale(product, FIELDS, seen=seen)
    before, tax_names = audit.snapshot(product, FIELDS), _tax_names(product)
    _set(product, values)
    with refusals(Product, _CONSTRAINTS):
        product.save()
    _set_taxes(product, taxes)
    changes = audit.differences(before, audit.snapshot(product, FIELDS))
    if (names := _tax_names(product)) != tax_names:
        changes["taxes"] = (tax_names, names)
    if changes:
        audit.record(
            "product.updated", product, by=by, customer=product.owner, changes=changes
        )
    return product


@transaction.atomic
def set_archived(*, product: Product, is_archived: bool, by: Actor) -> None:
    """Offer a product no more, or again; what was sold of it goes on."""
    product = _locked(product, by)
    if (product.archived_at is not None) == is_archived:
        return
    product.archived_at = timezone.now() if is_archived else None
    product.save(update_fields=["archived_at"])
    action = "product.archived" if is_archived else "product.restored"
    audit.record(action, product, by=by, customer=product.owner)


@transaction.atomic
def set_exception(
    *,
    plan: RatePlan,
    product: Product,
    values: Mapping[str, Any] | None,
    by: Actor,
) -> None:
    """Give a product its own price in ``plan``; None passes the price above through.

    ``values`` holds some of `EXCEPTION_FIELDS`. Raises ValidationError by field.
    """
    _require(plan.owner_id, by)
    # Of two that save at once, the second goes on from what the first one left.
    RatePlan.objects.select_for_update().get(pk=plan.pk)
    if not products_to_price(plan.owner).filter(pk=product.pk).exists():
        raise PermissionDenied
    present = ProductException.objects.filter(plan=plan, product=product).first()
    before = audit.snapshot(present, EXCEPTION_FIELDS) if present else {}
    after: dict[str, Any] = {}
    if values is None:
        if present is not None:
            present.delete()
    else:
        row = present or ProductException(plan=plan, product=product)
        for name, value in values.items():
            if name not in EXCEPTION_FIELDS:
                raise TypeError(f"{name} is not set through this service")
            setattr(row, name, value)
        row.clean_fields(exclude=["plan", "product"])
        row.save()
        after = audit.snapshot(row, EXCEPTION_FIELDS)
    changes = {
        name: (before.get(name), after.get(name))
        for name in EXCEPTION_FIELDS
        if before.get(name) != after.get(name)
    }
    if changes:
        audit.record(
            "product.priced",
            product,
            by=by,
            customer=plan.owner,
            changes={"plan": (None, plan)} | changes,
        )


def _set(product: Product, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(product, name, value)
    product.clean_fields(exclude=["owner"])
    errors: dict[str, ValidationError] = {}
    is_call_time = product.type == ProductType.CALL_TIME
    if is_call_time and product.period:
        errors["period"] = ValidationError(_("Call time has no recurring price."))
    if is_call_time and not product.amount:
        errors["amount"] = ValidationError(_("Enter how much call time it gives."))
    if product.type in CALL_TYPES and not 1 <= product.amount <= MOST_CALLS:
        text = _("Enter a number of calls from 1 to %(most)d.") % {"most": MOST_CALLS}
        errors["amount"] = ValidationError(text)
    if not product.period and (product.period_fee or product.period_buy):
        errors["period"] = ValidationError(
            _("Choose how often the recurring price is due.")
        )
    if product.period and not product.period_fee:
        errors["period_fee"] = ValidationError(_("Enter the recurring price."))
    if errors:
        raise ValidationError(errors)


def _set_taxes(product: Product, taxes: Iterable[Tax]) -> None:
    wanted = {tax.pk for tax in taxes}
    allowed = set(tickable_taxes(product.owner).values_list("pk", flat=True))
    if not wanted <= allowed:
        raise ValidationError({"taxes": _("Choose taxes from the list.")}, code="taxes")
    with scopes_disabled():  # some were shared from above
        product.taxes.set(wanted)


def _tax_names(product: Product) -> list[str]:
    return [tax.name for tax in taxes_of(product)]


def _require(owner_id: int, by: Actor) -> None:
    by.require(Permission.COMMERCE)
    if owner_id != by.customer.pk:
        raise PermissionDenied


def _locked(product: Product, by: Actor) -> Product:
    locked = (
        Product.objects.select_for_update(of=("self",))
        .select_related("owner")
        .get(pk=product.pk)
    )
    _require(locked.owner_id, by)
    return locked
