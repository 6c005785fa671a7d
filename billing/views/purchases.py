"""Actions » Purchase: what is on offer to the account, and buying it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.calls_at_once import CallsAtOnce, calls_at_once
from billing.choices import CALL_TYPES, ChargePeriod, ProductType
from billing.forms.products import PurchaseForm
from billing.models import Product
from billing.pricing import Level
from billing.product_pricing import ProductPrice
from billing.product_selectors import load_product_prices, products_on_offer
from billing.selectors import Rates, has_customers, load_levels
from billing.services import purchases
from billing.services.purchases import LevelPurchase, quote_purchase
from billing.views.call_parts import call_items, more_calls
from billing.views.charge_actions import line_rows
from billing.views.parts import account_of, due_text, sums_of
from portal.core.display import format_day
from portal.core.money import format_money
from portal.core.periods import ONE_DAY
from portal.core.permissions import Permission
from portal.core.urls import row_id
from portal.core.views import ConfirmPage, Crumb, PortalView

OFFER = "billing:purchase"
MOST_SHOWN = 200
NOTHING_SEEN = "-"  # terms that no purchase has


class Purchase(PortalView):
    """Products as cards, each with what this account pays for it, taxes included."""

    permission = Permission.ADMINISTRATOR

    def title(self) -> str:
        return _("Purchase")

    def get(self, request: Any) -> HttpResponse:
        cards = self.cards()
        context = self.page_context(
            cards=cards,
            order_url=self.url("billing:purchase-order"),
            call_items=self.call_items()
            if any(card["calls"] for card in cards)
            else [],
        )
        return render(request, "billing/purchase.html", context)

    @cached_property
    def levels(self) -> list[Level]:
        return load_levels(account_of(self))

    @cached_property
    def calls(self) -> CallsAtOnce:
        own = self.levels[-1]
        return calls_at_once(own.account, plan=own.plan)

    def call_items(self) -> list[dict[str, Any]]:
        account = self.levels[-1].account
        return call_items(self.calls, has_customers=has_customers(account))

    def cards(self) -> list[dict[str, Any]]:
        customer = account_of(self)
        products = list(products_on_offer(customer)[:MOST_SHOWN])
        levels = self.levels
        if not levels:
            return []  # the system owner has nobody to buy from
        rates = Rates(levels[-1].today)
        prices = load_product_prices(products, levels, rates=rates)
        cards = list(_cards(products, prices, rates))
        for each in cards:
            each["is_useless"] = bool(each["calls"]) and self.calls.is_unlimited
        return cards


def _cards(
    products: Iterable[Product], prices: dict[int, list[ProductPrice]], rates: Rates
) -> Iterator[dict[str, Any]]:
    for product in products:
        try:
            own = prices[product.pk][-1]
            yield card(product, price_texts(product, own, rates))
        except (KeyError, ValidationError):
            continue  # no exchange rate: there is no price to show


def card(product: Product, prices: list[str]) -> dict[str, Any]:
    is_call_time = product.type == ProductType.CALL_TIME
    is_calls = product.type in CALL_TYPES
    icon = "timer" if is_call_time else "phone-call" if is_calls else "package"
    return {
        "pk": product.pk,
        "name": product.name,
        "information": product.information,
        "icon": icon,
        "minutes": product.amount // 60 if is_call_time else 0,
        "calls": more_calls(product.type, product.amount) if is_calls else "",
        "prices": prices,
    }


def price_texts(product: Product, price: ProductPrice, rates: Rates) -> list[str]:
    """ "€59.50 once", "€5.95 monthly": for one, with this buyer's taxes."""
    price_of = purchases.price_of_one(product, price, rates=rates)
    texts = []
    if price_of.once:
        once = format_money(price_of.once, price.level.currency)
        texts.append(due_text(once, ChargePeriod.ONCE))
    if price_of.again:
        again = format_money(price_of.again, price.level.currency)
        texts.append(due_text(again, product.period))
    return texts or [_("free of charge")]


class PurchaseOrder(ConfirmPage):
    """How many, what they cost, and the button that buys them.

    The page carries the terms it showed: of another quantity, or when price or product have
    changed meanwhile, it comes back with what that gives and costs and asks again.
    """

    permission = Permission.ADMINISTRATOR
    template_name = "billing/purchase_order.html"
    submit_label = gettext_lazy("Buy")
    is_danger = False

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.actor.require(self.permission)
        if not request.GET.get("product"):
            return redirect(self.url(OFFER))
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def product(self) -> Product:
        pk = row_id(self.request.GET.get("product", ""))
        return get_object_or_404(products_on_offer(account_of(self)), pk=pk or 0)

    @cached_property
    def form(self) -> PurchaseForm:
        quantity = row_id(self.request.GET.get("quantity", "")) or 1
        data = self.request.POST if self.request.method == "POST" else None
        return PurchaseForm(data, initial={"quantity": quantity})

    @property
    def quantity(self) -> int:
        self.form.is_valid()  # a refusal that comes later takes nothing of it back
        typed = getattr(self.form, "cleaned_data", {}).get("quantity")
        asked: int = typed or self.form.initial["quantity"]
        return min(max(asked, 1), purchases.MOST_AT_ONCE)

    @cached_property
    def quote(self) -> LevelPurchase | str:
        try:
            return quote_purchase(account_of(self), self.product, self.quantity)
        except ValidationError as error:
            return " ".join(error.messages)

    def title(self) -> str:
        return self.product.name

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Purchase"), self.cancel_url())]

    def cancel_url(self) -> str:
        return self.url(OFFER)

    def build_form(self, data: Any = None, files: Any = None) -> PurchaseForm:
        return self.form

    def form_context(self, form: Any) -> dict[str, Any]:
        context = super().form_context(form) | {"product": self.product}
        if isinstance(self.quote, str):
            return context | {"refusal": self.quote}
        quote = self.quote
        return context | {
            "lines": line_rows(quote.lines),
            **sums_of(quote.level.account, quote.total),
            "terms_seen": quote.terms,
            "consequences": list(self.what_comes_of_it(quote)),
        }

    def what_comes_of_it(self, quote: LevelPurchase) -> list[str]:
        texts = []
        first, charge = quote.first, quote.charge
        if first and first.gross and charge and charge.next_on:
            price = format_money(first.gross, quote.level.currency)
            texts.append(
                _("You are charged %(price)s, the next time on %(day)s.")
                % {
                    "price": due_text(price, self.product.period),
                    "day": format_day(charge.next_on),
                }
            )
        if self.product.type == ProductType.CALL_TIME:
            last = purchases.end_of_month(quote.level.today) - ONE_DAY
            minutes = self.product.amount // 60 * self.quantity
            texts.append(
                ngettext(
                    "You may call for %(minutes)d more minute until %(day)s.",
                    "You may call for %(minutes)d more minutes until %(day)s.",
                    minutes,
                )
                % {"minutes": minutes, "day": format_day(last)}
            )
        if self.product.type in CALL_TYPES:
            texts += self.calls_given(quote)
        return texts

    def calls_given(self, quote: LevelPurchase) -> list[str]:
        kind = ProductType(self.product.type)
        count = self.product.amount * self.quantity
        level = quote.level
        present = calls_at_once(level.account, plan=level.plan)
        total = (present.allowed(*kind.call_kinds) or 0) + count
        return [
            _("%(calls)s: then %(total)d in all.")
            % {"calls": more_calls(kind, count), "total": total},
            _("You have them until the recurring charge for them ends.")
            if quote.charge
            else _("They stay for good; nothing more is charged for them."),
        ]

    def save(self, form: PurchaseForm) -> str:
        purchases.purchase(
            customer=account_of(self),
            product=self.product,
            quantity=self.quantity,
            expected=self.request.POST.get("terms_seen") or NOTHING_SEEN,
            by=self.actor,
        )
        return self.cancel_url()

    def success_message(self, form: PurchaseForm) -> str:
        return _("You have bought %(name)s.") % {"name": self.product.name}
