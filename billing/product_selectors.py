"""Reads of products: what is on offer to whom, at which price."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet

from billing.choices import ProductReach
from billing.models import Product, ProductException, Tax
from billing.pricing import Level
from billing.product_pricing import ProductPrice, product_prices
from billing.selectors import Rates
from portal.core.scope import scopes_disabled


def products_on_offer(customer: Any) -> QuerySet[Product]:
    """What ``customer`` may buy: of its provider, and of those above who offer it to all."""
    with scopes_disabled():  # who sells is above the tenant by nature
        products, taxes = Product.objects.all(), Tax.objects.all()
    return (
        products.filter(
            Q(owner_id=customer.parent_id)
            | Q(owner_id__in=customer.ancestor_ids, reach=ProductReach.RECURSIVE),
            archived_at=None,
        )
        .select_related("owner")
        .prefetch_related(Prefetch("taxes", taxes))
        .order_by("name", "pk")
    )


def products_to_price(owner: Any) -> QuerySet[Product]:
    """What customers of ``owner`` may buy, so that its plans can price it."""
    with scopes_disabled():  # some belong to those above
        products = Product.objects.all()
    return (
        products.filter(
            Q(owner_id=owner.pk)
            | Q(owner_id__in=owner.ancestor_ids, reach=ProductReach.RECURSIVE),
            archived_at=None,
        )
        .select_related("owner")
        .order_by("name", "pk")
    )


def load_product_prices(
    products: Iterable[Product], levels: list[Level], *, rates: Rates
) -> dict[int, list[ProductPrice]]:
    """The prices of each product at the levels below its owner, the buyer's own last.

    ``levels`` are those of `billing.selectors.load_levels`, which must not be empty. What
    has no price, since a currency has no rate, is not among them.
    """
    products = list(products)
    plans = {plan.pk for level in levels for plan in level.plan.chain}
    with scopes_disabled():  # plans of every level above take part
        rows = list(
            ProductException.objects.filter(plan__in=plans, product__in=products)
        )
    rules: dict[int, dict[int, ProductException]] = {}
    for row in rows:
        rules.setdefault(row.product_id, {})[row.plan_id] = row
    found: dict[int, list[ProductPrice]] = {}
    for product in products:
        below = [level for level in levels if _is_below(level, product.owner)]
        try:
            found[product.pk] = product_prices(
                product, below, rules.get(product.pk, {}), rates.convert
            )
        except ValidationError:
            continue
    return found


def _is_below(level: Level, owner: Any) -> bool:
    return level.path != owner.path and level.path.startswith(owner.path)
