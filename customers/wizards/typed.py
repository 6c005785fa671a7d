"""What is said beside a customer form by what it holds so far: sense checks and the price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict

from billing.models import BillingAccount, Tax
from billing.party_choices import VatTreatment
from billing.selectors import available_taxes
from billing.services.quotes import Wish, quote_new_customer
from customers.choices import TIME_ZONES
from customers.models import Customer
from customers.price_box import price_box
from customers.selectors import free_numbers
from customers.wizards.checks import warnings
from portal.core.actor import Actor
from portal.core.forms import AmountField
from portal.core.money import ZERO
from portal.core.urls import row_id
from rateplans.choices import BillType, Feature
from rateplans.models import RatePlan
from rateplans.selectors import assignable_plans


def sense_checks(
    parent: Customer, typed: QueryDict, *, balance: Decimal = ZERO
) -> dict[str, Any]:
    """For customers/_warnings.html; ``balance`` is that of a customer that exists."""
    plan = _plan(parent, typed)
    if plan is None:
        return {"warnings": []}
    provider = BillingAccount.objects.filter(customer=parent).first()
    values = _account_values(typed)
    found = warnings(
        plan=plan,
        values=values,
        provider=provider,
        balance=balance,
        taxes=_ticked_taxes(parent, typed),
    )
    return {"warnings": found}


def price_of_newcomer(
    parent: Customer, typed: QueryDict, *, by: Actor
) -> dict[str, Any]:
    """What making the customer costs it, for customers/_warnings.html.

    Nothing as long as no plan is chosen, and where an exchange rate is missing: that is
    said when the form is sent.
    """
    plan = _plan(parent, typed)
    if plan is None:
        return {}
    values = _account_values(typed) | {
        "plan": plan,
        "taxes": _ticked_taxes(parent, typed),
    }
    try:
        quote = quote_new_customer(parent, values, _wishes(parent, typed), by=by)
    except ValidationError:
        return {}
    # That it is free is something seen, too.
    return {"price": price_box(quote), "seen": str(quote.total)}


def _plan(parent: Customer, typed: QueryDict) -> RatePlan | None:
    plans = assignable_plans(owner_id=parent.pk, ancestor_ids=parent.ancestor_ids)
    return plans.filter(pk=row_id(typed.get("plan", "")) or 0).first()


def _ticked_taxes(parent: Customer, typed: QueryDict) -> list[Tax]:
    taxes = available_taxes(owner_id=parent.pk, ancestor_ids=parent.ancestor_ids)
    ticked = [pk for pk in map(row_id, typed.getlist("taxes")) if pk is not None]
    return list(taxes.filter(pk__in=ticked))


def _wishes(parent: Customer, typed: QueryDict) -> list[Wish]:
    """The first administrator, or all that a residential customer consists of."""
    if "person_username" in typed:  # a normal customer's form
        return [Wish(Feature.PERSON)] if typed.get("has_administrator") else []
    numbers = free_numbers(parent).filter(pk=row_id(typed.get("number", "")) or 0)
    return [
        *(
            Wish(Feature.NUMBER, number_class_id=number.number_class_id)
            for number in numbers
        ),
        Wish(Feature.LINE),
        Wish(Feature.MAILBOX),
        Wish(Feature.PERSON),
    ]


def _account_values(typed: QueryDict) -> dict[str, Any]:
    """What the checks and the price need, as far as it is readable."""
    values: dict[str, Any] = {
        name: typed.get(name, "")
        for name in (
            *("currency", "payment_type", "bank_account_number", "debited_iban"),
        )
    }
    bill_type, zone = typed.get("bill_type", ""), typed.get("time_zone", "")
    values["bill_type"] = bill_type if bill_type in BillType else ""
    values["time_zone"] = zone if zone in TIME_ZONES else ""
    treatment = typed.get("vat_treatment", "")
    values["vat_treatment"] = treatment if treatment in VatTreatment else ""
    for name in ("credit_limit", "low_balance", "auto_topup"):
        field = AmountField(required=False, min_value=0)
        try:
            values[name] = field.clean(typed.get(name, ""))
        except ValidationError:
            values[name] = None  # said at the field when the form is sent
    return values
