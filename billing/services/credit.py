"""What is said when a credit limit or a plan refuses something; each is told what is theirs."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.ledger import CreditError, Shortage
from billing.pricing import Level
from portal.core.actor import Actor
from portal.core.money import ZERO, format_money
from rateplans.choices import Feature


def shortage_refusal(
    error: CreditError, levels: Sequence[Level], *, by: Actor, is_new: bool = False
) -> ValidationError:
    """The refusal as ``by`` may read it: accounts above its own stay closed.

    ``is_new`` says that the lowest account is just being opened: that it falls short is the
    fault of the credit limit that was entered for it.
    """
    shortages = {shortage.account_id: shortage for shortage in error.shortages}
    for level in reversed(levels):
        shortage = shortages.get(level.account.pk)
        if shortage is not None and is_new and level is levels[-1]:
            return _first_limit_too_low(shortage)
        if shortage is not None:
            return _shortage(shortage, level, by)
    return _from_above()


def _shortage(shortage: Shortage, level: Level, by: Actor) -> ValidationError:
    if not level.path.startswith(by.home.path):
        return _from_above()
    values = {
        "name": level.account.customer.name,
        "wanted": format_money(shortage.wanted, shortage.currency),
        # Beyond its limit already: nothing is available, and less than that cannot be.
        "available": format_money(
            max(ZERO, shortage.balance + shortage.credit_limit), shortage.currency
        ),
        "missing": format_money(shortage.missing, shortage.currency),
    }
    if level.path != by.home.path:
        text = _(
            "The credit of %(name)s is not enough: this costs %(wanted)s, and"
            " %(available)s are available. Raise its credit limit by at least"
            " %(missing)s, or credit as much to its balance."
        )
    elif by.customer.path == by.home.path:
        text = _(
            "Your credit is not enough: this costs %(wanted)s, and %(available)s are"
            " available. Top up at least %(missing)s, or ask your provider to raise your"
            " credit limit by that much."
        )
    else:  # inside a customer, whose credit is another matter
        text = _(
            "Your own credit with your provider is not enough: this costs you %(wanted)s,"
            " and %(available)s are available. Top up at least %(missing)s, or ask your"
            " provider to raise your credit limit by that much."
        )
    return ValidationError(text % values, code="credit")


def _first_limit_too_low(shortage: Shortage) -> ValidationError:
    """For an account with nothing on it yet, and which nobody can put anything on."""
    wanted = format_money(shortage.wanted, shortage.currency)
    text = _(
        "The first fees come to %(wanted)s, and a new customer has no balance to pay them"
        " from. Enter a credit limit of at least %(wanted)s, or choose a rate plan that"
        " costs less at the beginning."
    )
    refusal = ValidationError(text % {"wanted": wanted}, code="credit")
    return ValidationError({"credit_limit": refusal})


def _from_above() -> ValidationError:
    return ValidationError(_above(), code="provider")


def _above() -> str:
    return _("Your provider cannot supply this at present.")


def maximum_refusal(
    level: Level, feature: Feature, *, maximum: int, by: Actor
) -> ValidationError:
    """A rate plan forbids it, or allows no more of it (D 3.4)."""
    if not level.path.startswith(by.home.path):
        return _from_above()
    name = level.account.customer.name
    text = maximum_text(level.path, name, feature, maximum=maximum, by=by)
    return ValidationError(text, code="maximum" if maximum else "forbidden")


def maximum_text(
    path: str, name: str, feature: Feature, *, maximum: int, by: Actor
) -> str:
    """What is said where the plan of the account at ``path`` allows no more."""
    if not path.startswith(by.home.path):
        return _above()
    values = {"name": name, "feature": feature.label, "maximum": maximum}
    is_own = path == by.home.path
    if maximum == 0:
        text = (
            _("Your rate plan does not allow this: %(feature)s.")
            if is_own
            else _("The rate plan of %(name)s does not allow this: %(feature)s.")
        )
        return text % values
    text = (
        ngettext(
            "%(feature)s: your rate plan allows %(maximum)d, and you have it.",
            "%(feature)s: your rate plan allows %(maximum)d, and you have them.",
            maximum,
        )
        if is_own
        else ngettext(
            "%(feature)s: the rate plan of %(name)s allows %(maximum)d in all.",
            "%(feature)s: the rate plan of %(name)s allows %(maximum)d in all.",
            maximum,
        )
    )
    return text % values
