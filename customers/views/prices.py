"""A form that gives the account something: its price is seen before it is charged."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from billing.services.quotes import Quote, Wish, quote_features
from customers.price_box import price_box
from customers.views.features import account_of

# What nothing costs: for a form that was changed on its way.
NO_TOTAL = Decimal(-1)


class PricedForm:
    """Mixed into a form page that gives the account a feature.

    The form carries the total that its page showed; ``save`` hands `price_seen` to the
    service. If another one would be charged, the page comes back with the new price.
    """

    def wishes(self) -> Sequence[Wish]:
        raise NotImplementedError

    @cached_property
    def quote(self: Any) -> Quote:
        return quote_features(account_of(self), self.wishes(), by=self.actor)

    def price_seen(self: Any) -> Decimal | None:
        """The total that the page showed; None if the form carries none."""
        seen = self.request.POST.get("price_seen")
        return None if seen is None else total_of(seen)

    def form_context(self: Any, form: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().form_context(form)  # type: ignore[misc]
        refusal, price = self.quote.refusal, price_box(self.quote)
        return context | {
            "price": price,
            # That it was free is something seen, too.
            "free_seen": "" if price else str(self.quote.total),
            "refusal": " ".join(refusal.messages) if refusal else "",
        }


def total_of(text: str) -> Decimal:
    """The amount that a form carries; one that nothing costs if it is none."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return NO_TOTAL
    return amount if amount.is_finite() else NO_TOTAL
