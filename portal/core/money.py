"""Money: Decimal only, one rounding rule, minor units by ISO 4217.

Scales (docs/adr/0004): prices numeric(18,9), ledger entries and balances numeric(20,6),
documents at the currency's minor unit, with two places at most (docs/adr/0021).
"""

from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel import Locale
from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision
from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _

ZERO = Decimal(0)
STATED_PLACES = 2  # of an amount on an electronic invoice, whatever the currency


def _is_in_use(code: str) -> bool:
    return any(
        code == currency and ends is None and is_tender
        for spans in get_global("territory_currencies").values()
        for currency, _starts, ends, is_tender in spans
    )


# Currencies that are legal tender somewhere today.
CURRENCIES: tuple[str, ...] = tuple(
    sorted(code for code in get_global("all_currencies") if _is_in_use(code))
)


def minor_unit(currency: str) -> int:
    """Decimal places of a currency by ISO 4217: JPY 0, EUR 2, KWD 3."""
    return int(get_currency_precision(currency))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round half up (away from zero for negatives) to the currency's minor unit.

    Never to -0.00, which rules of electronic invoices take for another number than 0.00.
    """
    unit = Decimal(1).scaleb(-minor_unit(currency))
    return amount.quantize(unit, ROUND_HALF_UP) + 0


def round_stated(amount: Decimal, currency: str) -> Decimal:
    """Round as `round_money`, but to hundredths at most: what an invoice may state.

    EN 16931 allows no amount more places, dinars of three neither (BR-DEC).
    """
    places = min(minor_unit(currency), STATED_PLACES)
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0


def has_minor_unit_precision(amount: Decimal, currency: str) -> bool:
    return amount == round_money(amount, currency)


def format_money(amount: Decimal, currency: str) -> str:
    """An amount as people of the active language write it: "€1,234.50", "1.234,50 €"."""
    return str(
        format_currency(
            round_money(amount, currency),
            currency,
            locale=_locale(),
            currency_digits=True,
        )
    )


def format_price(amount: Decimal, currency: str) -> str:
    """Like `format_money`, with every decimal place: unit prices are finer than money."""
    if has_minor_unit_precision(amount, currency):
        return format_money(amount, currency)
    return str(
        format_currency(
            amount.normalize(), currency, locale=_locale(), decimal_quantization=False
        )
    )


def plain_amount(amount: Decimal, *, places: int = 2) -> str:
    """An amount as people of the active language type it: "1234.50", "1234,50".

    At least ``places`` decimal places, no useless zeros.
    """
    exponent = amount.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    text = f"{amount:.{max(places, -exponent)}f}"
    return text.replace(".", str(get_format("DECIMAL_SEPARATOR")))


def currency_name(code: str) -> str:
    return str(_locale().currencies.get(code, code))


def currency_choices() -> list[tuple[str, str]]:
    """(code, "EUR – Euro") of every currency in use, in the active language."""
    return [(code, f"{code} – {currency_name(code)}") for code in CURRENCIES]


def validate_currency(code: str) -> None:
    if code not in CURRENCIES:
        raise ValidationError(
            _("“%(code)s” is not a currency code of ISO 4217, such as EUR or USD."),
            code="invalid_currency",
            params={"code": code[:10]},
        )


def _locale() -> Locale:
    return _parsed(get_language() or "en")


@cache
def _parsed(language: str) -> Locale:
    return Locale.parse(to_locale(language))
