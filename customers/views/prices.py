"""A form that gives the account something: its price is seen before it is charged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from billing.services.quotes import Quote, Wish, quote_features
from customers.price_box import price_box
from customers.views.features import account_of


class PricedForm:
    """Mixed into a form page that gives the account a feature.

    The form carries the total that its page showed: if another one would be charged by the
    time it is sent, the page comes back with the new price.
    """

    def wishes(self) -> Sequence[Wish]:
        raise NotImplementedError

    @cached_property
    def quote(self: Any) -> Quote:
        return quote_features(account_of(self), self.wishes(), by=self.actor)

    def form_context(self: Any, form: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().form_context(form)  # type: ignore[misc]
        refusal, price = self.quote.refusal, price_box(self.quote)
        return context | {
            "price": price,
            # That it was free is something seen, too.
            "free_seen": "" if price else str(self.quote.total),
            "refusal": " ".join(refusal.messages) if refusal else "",
        }

    def save_once(self: Any, form: Any, key: str) -> tuple[str, bool]:
        seen = self.request.POST.get("price_seen")
        if seen is not None and seen != str(self.quote.total):
            raise ValidationError(
                _("The price has changed meanwhile: look at it and save again."),
                code="price",
            )
        saved: tuple[str, bool] = super().save_once(form, key)  # type: ignore[misc]
        return saved
