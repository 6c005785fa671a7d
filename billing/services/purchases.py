"""Buying a product: what it costs at every level, and what comes of it (D 5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing import keys, ledger
from billing.calls_at_once import calls_at_once
from billing.choices import CALL_TYPES, EntryKind, ProductType
from billing.models import BillingAccount, CallTime, Charge, ExtraCalls, Product, Tax
from billing.pricing import Level
from billing.product_pricing import ProductPrice
from billing.product_selectors import load_product_prices, products_on_offer
from billing.schedules import schedule_of
from billing.selectors import Rates, load_levels
from billing.services.charge_lines import ChargeLine, full_line
from billing.services.credit import shortage_refusal
from billing.services.products import MOST_CALLS
from billing.taxes import TaxPart, on_sold, tax_parts
from portal.core import audit
from portal.core.actor import Actor
from portal.core.money import ZERO, round_money
from portal.core.periods import period_of
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.tree_lock import hold_place

MOST_AT_ONCE = 1000
# Seconds, as many as the database keeps in one number.
MOST_CALL_TIME = 2**31 - 1
PRICE_PLACES = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class OnceLine:
    """The one-off price at one level; amounts are positive, in the account's currency."""

    price: ProductPrice
    product: Product
    quantity: int
    net: Decimal
    taxes: tuple[TaxPart, ...]
    is_on_balance: bool

    @property
    def account(self) -> BillingAccount:
        return self.price.level.account

    @property
    def gross(self) -> Decimal:
        return self.net + sum((part.amount for part in self.taxes), ZERO)

    @property
    def description(self) -> str:
        times = f" × {self.quantity}" if self.quantity > 1 else ""
        return f"{self.product.name}{times}"

    def posting(self, key: str) -> ledger.Posting:
        rate, currency = self.price.rate, self.price.said_currency
        said = round_money(self.price.said * self.quantity, currency)
        return ledger.debit(
            self.account.pk,
            key,
            EntryKind.PRODUCT,
            self.net,
            self.description,
            taxes=self.taxes,
            is_on_balance=self.is_on_balance,
            quantity=self.quantity,
            product_id=self.product.pk,
            original_amount=None if rate is None else -said,
            original_currency="" if rate is None else currency,
            exchange_rate=rate,
        )


@dataclass(frozen=True, slots=True)
class LevelPurchase:
    """What one level pays: at once, and from now on again and again."""

    price: ProductPrice
    once: OnceLine
    charge: Charge | None  # not saved; None if nothing recurs
    first: ChargeLine | None  # the first time of the charge, due at once
    taxes: tuple[Tax, ...]

    @property
    def level(self) -> Level:
        return self.price.level

    @property
    def lines(self) -> list[OnceLine | ChargeLine]:
        lines: list[OnceLine | ChargeLine] = [self.once]
        if self.first is not None:
            lines.append(self.first)
        return [line for line in lines if line.gross]

    @property
    def total(self) -> Decimal:
        return sum((line.gross for line in self.lines), ZERO)

    @property
    def terms(self) -> str:
        """What a buyer agrees to: what it gets, what it pays now, and how often again."""
        product = self.once.product
        given = product.amount * self.once.quantity
        again = "" if self.first is None else f"{self.first.gross} {product.period}"
        return f"{product.type} {given} {self.total} {again}".strip()


def quote_purchase(customer: Any, product: Product, quantity: int) -> LevelPurchase:
    """What ``customer`` itself would pay for so many, first and later.

    Raises ValidationError if the product is not on offer to it, or not as many of it.
    """
    return _purchases(customer, product, quantity)[-1]


@dataclass(frozen=True, slots=True)
class PriceOfOne:
    """What one costs a buyer with taxes: at once, and each time it recurs."""

    once: Decimal
    again: Decimal


def price_of_one(product: Product, price: ProductPrice, *, rates: Rates) -> PriceOfOne:
    """The price as the offer shows it. Raises ValidationError if a tax has no rate."""
    recurs = bool(price.period)
    bought = _purchase_at(product, price, ZERO, 1, rates, recurs=recurs)
    return PriceOfOne(bought.once.gross, bought.first.gross if bought.first else ZERO)


def _purchases(customer: Any, product: Product, quantity: int) -> list[LevelPurchase]:
    on_offer = products_on_offer(customer).filter(pk=product.pk).first()
    levels = load_levels(customer)
    if on_offer is None or not levels:
        raise ValidationError(_("This is not on offer any more."), code="offer")
    _refuse_useless(on_offer, quantity, levels[-1])
    rates = Rates(levels[-1].today)
    prices = load_product_prices([on_offer], levels, rates=rates).get(on_offer.pk)
    if prices is None:
        raise ValidationError(
            _("There is no price for it now: an exchange rate is missing."), code="rate"
        )
    buys = _costs(on_offer, prices, rates)
    found: list[LevelPurchase] = []
    for price, buy in zip(prices, buys, strict=True):
        # Below a level that pays again and again all do, be it nothing: what is paid above
        # lasts until the one below is ended.
        is_sold_on = bool(found) and found[-1].charge is not None
        found.append(
            _purchase_at(
                on_offer,
                price,
                buy,
                quantity,
                rates,
                recurs=bool(price.period or is_sold_on),
            )
        )
    return found


def _refuse_useless(product: Product, quantity: int, own: Level) -> None:
    """Raise ValidationError for more than can be counted, or what raises nothing."""
    given = product.amount * quantity
    if product.type in CALL_TYPES:
        if given > MOST_CALLS:
            text = _("At most %(most)d calls at once can be bought: choose fewer.")
            text %= {"most": MOST_CALLS}
            raise ValidationError({"quantity": text}, code="calls")
        if calls_at_once(own.account, plan=own.plan).is_unlimited:
            raise ValidationError(
                _("There is no limit on calls at once, so there is nothing to raise."),
                code="unlimited",
            )
    elif given > MOST_CALL_TIME:
        text = _("So much call time cannot be bought at once: choose fewer.")
        raise ValidationError({"quantity": text}, code="call_time")


def _costs(
    product: Product, prices: Sequence[ProductPrice], rates: Rates
) -> list[Decimal]:
    """What the recurring part costs each level's provider: the owner its own cost."""
    costs = []
    cost, currency = product.period_buy, product.currency
    for price in prices:
        costs.append(rates.convert(cost, currency, price.level.currency))
        cost, currency = price.period, price.level.currency
    return costs


def _purchase_at(
    product: Product,
    price: ProductPrice,
    buy: Decimal,
    quantity: int,
    rates: Rates,
    *,
    recurs: bool,
) -> LevelPurchase:
    level, account = price.level, price.level.account
    taxes = on_sold(level.taxes, product, "applies_products")
    net = round_money(price.create * quantity, level.currency)
    once = OnceLine(
        price=price,
        product=product,
        quantity=quantity,
        net=net,
        taxes=tax_parts(net, taxes, currency=level.currency, convert=rates.convert),
        is_on_balance=level.rules.transactions_move_balance,
    )
    charge = first = None
    if recurs:
        charge = Charge(
            owner_id=account.provider_id,
            account=account,
            product=product,
            name=product.name,
            amount=price.period.quantize(PRICE_PLACES),
            buy=buy.quantize(PRICE_PLACES),
            quantity=quantity,
            currency=level.currency,
            period=product.period,
            starts_on=level.today,
        )
        charge.next_on = schedule_of(charge).first_after(level.today)
        first = full_line(account, charge, level.today, taxes)
    return LevelPurchase(price, once, charge, first, tuple(taxes))


@transaction.atomic
def purchase(
    *,
    customer: Any,
    product: Product,
    quantity: int,
    by: Actor,
    expected: str = "",
) -> LevelPurchase:
    """Buy ``quantity`` of ``product`` for ``customer``: paid at every level, or not at all.

    The one-off price is posted at once, with the first time of a recurring one, whose later
    times become a charge at each level; call time may be used until the month ends, and
    calls at once as long as billing.calls_at_once says.
    ``expected`` are the `LevelPurchase.terms` that the buyer agreed to.
    Raises ValidationError, code ``terms`` if they are others by now, ``offer`` if it is
    not on offer, ``credit`` or ``provider`` if somebody's credit does not reach.
    """
    by.require(Permission.ADMINISTRATOR)
    if not customer.path.startswith(by.customer.path):
        raise ValidationError(_("This is not on offer any more."), code="offer")
    if not 1 <= quantity <= MOST_AT_ONCE:
        raise ValidationError({"quantity": _("Enter a quantity from 1 to 1000.")})
    hold_place(customer, by=by)  # everybody above pays, too
    purchases = _purchases(customer, product, quantity)
    own = purchases[-1]
    product = own.once.product  # as it is priced: it may have been changed meanwhile
    if expected and expected != own.terms:
        raise ValidationError(
            _(
                "Check what you get and pay, which is not the same any more; then confirm."
            ),
            code="terms",
        )
    key = keys.purchase(uuid4())
    postings: list[ledger.Posting] = []
    with scopes_disabled():  # every account above buys it, too
        _save_charges(purchases)
        for each in purchases:
            if each.once.gross:
                postings.append(each.once.posting(key))
            if each.charge is not None:
                postings.append(_first_line(each, each.charge).posting())
        try:
            posted = ledger.post(postings, by=by, within_limits=True)
        except ledger.CreditError as error:
            levels = [each.level for each in purchases]
            raise shortage_refusal(error, levels, by=by) from error
    if product.type == ProductType.CALL_TIME:
        _give_call_time(own, product, quantity, posted)
    if product.type in CALL_TYPES:
        _give_calls(own, product, quantity, posted)
    audit.record(
        "product.purchased",
        product,
        by=by,
        customer=customer,
        changes={"quantity": (None, quantity)},
    )
    return own


def _save_charges(purchases: Sequence[LevelPurchase]) -> None:
    """From the buyer's upwards: each knows the one below, which it lasts as long as."""
    below = None
    for each in reversed(purchases):
        if each.charge is not None:
            each.charge.below = below
            each.charge.save(force_insert=True)
            each.charge.taxes.set(each.taxes)
            below = each.charge


def _first_line(each: LevelPurchase, charge: Charge) -> ChargeLine:
    """The first time of a charge that is made, so that it has its key."""
    return full_line(each.level.account, charge, each.level.today, each.taxes)


def _give_call_time(
    own: LevelPurchase,
    product: Product,
    quantity: int,
    posted: Sequence[ledger.Posted],
) -> None:
    seconds = product.amount * quantity
    CallTime.objects.create(
        account=own.level.account,
        entry_id=_entry_of(own, posted),
        seconds=seconds,
        remaining=seconds,
        expires_on=end_of_month(own.level.today),
    )


def _give_calls(
    own: LevelPurchase,
    product: Product,
    quantity: int,
    posted: Sequence[ledger.Posted],
) -> None:
    ExtraCalls.objects.create(
        account=own.level.account,
        type=product.type,
        calls=product.amount * quantity,
        entry_id=_entry_of(own, posted),
        charge=own.charge,
    )


def _entry_of(own: LevelPurchase, posted: Sequence[ledger.Posted]) -> int | None:
    """The buyer's first entry; None if it was free."""
    pk = own.level.account.pk
    return next((entry.entry_id for entry in posted if entry.account_id == pk), None)


def end_of_month(day: date) -> date:
    """The first day of the next month: what expires then lasts until the day before."""
    return period_of(day, 1)[1]
