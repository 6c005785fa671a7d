"""What rate plans' custom settings say to a customer, found along plans and up the tree."""

from __future__ import annotations

from collections.abc import Iterable

from billing.models import BillingAccount
from customers.models import Customer
from portal.core.scope import scopes_disabled
from rateplans.choices import CustomName, CustomReach
from rateplans.models import CustomSetting
from rateplans.selectors import chain_ids


def customs_for(
    customer: Customer, names: Iterable[CustomName], *, language: str
) -> dict[CustomName, str]:
    """The texts among ``names`` that somebody above has set for ``customer``.

    The customer's own plan goes first, with the plans it inherits from; then those of the
    accounts above, from below upwards. Of one plan's texts, one for own customers only
    goes before one for everybody, one in ``language`` before one for all languages.
    """
    levels = [customer.pk, *reversed(customer.ancestor_ids)]
    with scopes_disabled():  # what is said comes from above the tenant
        accounts = BillingAccount.objects.filter(customer__in=levels)
        plan_of = dict(accounts.values_list("customer_id", "plan_id"))
        chains = chain_ids(plan_of.values())
        places: dict[int, int] = {}
        for level in levels:
            for plan_id in chains.get(plan_of.get(level, 0), ()):
                places.setdefault(plan_id, len(places))
        rows = CustomSetting.objects.filter(
            plan__in=places, name__in=list(names), language__in=["", language]
        ).select_related("plan")
        found = [row for row in rows if _reaches(row, customer)]
    # The best comes last and overwrites the others.
    found.sort(key=lambda row: _rank(row, places), reverse=True)
    return {CustomName(row.name): row.value for row in found}


def _reaches(custom: CustomSetting, customer: Customer) -> bool:
    if custom.reach == CustomReach.EVERYBODY:
        return True
    return custom.plan.owner_id == customer.parent_id


def _rank(custom: CustomSetting, places: dict[int, int]) -> tuple[int, bool, bool]:
    is_for_everybody = custom.reach == CustomReach.EVERYBODY
    return places[custom.plan_id], is_for_everybody, custom.language == ""
