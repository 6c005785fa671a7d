"""A form that gives the account something: its price is seen before it is charged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from billing.services.quotes import Quote, Wish, quote_each, quote_features
from customers.models import Customer
from customers.price_box import NO_TOTAL, class_prices, price_box, total_of
from customers.views.features import account_of
from rateplans.choices import Feature
from rateplans.models import NumberClass


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
            "seen": [] if price else [str(self.quote.total)],
            "refusal": " ".join(refusal.messages) if refusal else "",
        }


class PricedByClass:
    """Mixed into a form page that gives the account numbers, which cost by their class.

    The form carries what its page showed, each as "class:quantity:total": the price of one
    number of every class and, after a refusal, that of as many as were asked for.
    """

    def came_from(self) -> Customer | None:
        """The account above that holds the numbers until now; None for new ones."""
        return None

    def wish(self, form: Any) -> Wish | None:
        """What the form asks for; None as long as it does not say."""
        raise NotImplementedError

    def price_seen(self: Any, form: Any) -> Decimal | None:
        """The total that the page showed for what is asked for; None if it carries none.

        Whoever saw the price of one has seen that of several where it is so many times as
        much. Where it is not, the page comes back and shows it.
        """
        carried = self.request.POST.getlist("price_seen")
        if not carried:
            return None
        parts = (text.rpartition(":") for text in carried)
        seen = {key: total_of(total) for key, _colon, total in parts}
        wish: Wish = self.wish(form)
        total = seen.get(_key(wish))
        if total is None:
            total = seen.get(_key(replace(wish, quantity=1)), NO_TOTAL) * wish.quantity
        return total

    def form_context(self: Any, form: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().form_context(form)  # type: ignore[misc]
        classes = list(NumberClass.objects.all())
        wishes = [Wish(Feature.NUMBER, number_class_id=each.pk) for each in classes]
        wish = self.wish(form)
        if wish and wish.quantity > 1:
            wishes.append(wish)
        quotes = quote_each(
            account_of(self), wishes, by=self.actor, came_from=self.came_from()
        )
        of_one, of_several = quotes[: len(classes)], quotes[len(classes) :]
        for quote in of_several:
            price = price_box(quote)
            # The form carries it below, with the class and the quantity.
            context["price"] = price and price | {"seen": ""}
        return context | {
            "classes": classes,
            "class_prices": class_prices(classes, of_one),
            "seen": [
                f"{_key(wish)}:{quote.total}"
                for wish, quote in zip(wishes, quotes, strict=True)
            ],
        }


def _key(wish: Wish) -> str:
    return f"{wish.number_class_id}:{wish.quantity}"
