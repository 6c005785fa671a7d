"""Charges of one purchase, one at each level: each lasts as long as that of the level below.

A product that is sold on (D 5.2) is a charge at every level, and only the one who sells it to
the customer hears that it is given up. See docs/adr/0018.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from django.utils import timezone

from billing.models import BillingAccount, Charge
from billing.schedules import schedule_of
from portal.core.scope import scopes_disabled

_BELOW = Charge._meta.get_field("below")


def charges_below(charge: Charge) -> Iterator[Charge]:
    """Those of the same purchase at the levels below, the nearest first."""
    while charge.below_id is not None:
        below = charge.below if _BELOW.is_cached(charge) else None  # read with it
        if below is None:
            with scopes_disabled():  # asked for any level of any tree
                rows = Charge.objects.select_related("account__customer")
                below = rows.get(pk=charge.below_id)
        charge = below
        yield charge


def charges_above(charges: Iterable[Charge]) -> list[Charge]:
    """Those of the same purchases at the levels above, the nearest first."""
    found: list[Charge] = []
    wanted = [charge.pk for charge in charges]
    with scopes_disabled():  # what accounts above pay is theirs
        while wanted:
            rows = Charge.objects.select_related("owner", "account").filter(
                below__in=wanted
            )
            level = list(rows.order_by("pk"))
            found += level
            wanted = [charge.pk for charge in level]
    return found


def still_due(charge: Charge, days: Sequence[date]) -> list[date]:
    """Those of ``days``, times of ``charge``, that every level below pays for, too.

    None while a customer below is deleted, nor after the end of a charge below. Times go by
    their number: in another zone the same one may be due a day earlier.
    """
    chain = list(charges_below(charge)) if days else []
    if not all(_runs(below) for below in chain):
        return []
    schedules = [schedule_of(below) for below in chain]
    own = schedule_of(charge)
    return [
        day for day in days if all(each.has(own.index_of(day)) for each in schedules)
    ]


def _runs(charge: Charge) -> bool:
    assert charge.account is not None  # what is on a plan was not bought
    return charge.ended_at is None and charge.account.customer.deleted_at is None


def has_ended_below(charge: Charge) -> bool:
    """Whether it never will be due again, since a level below has ended its own."""
    return any(below.ended_at is not None for below in charges_below(charge))


def hold_accounts(charges: Iterable[Charge]) -> None:
    """Lock the accounts of ``charges`` in the order of their ids, before their rows."""
    with scopes_disabled():  # accounts above are among them
        accounts = BillingAccount.objects.select_for_update(no_key=True).order_by("pk")
        list(accounts.filter(pk__in={charge.account_id for charge in charges}))


def end_above(charges: Iterable[Charge]) -> list[Charge]:
    """End what runs above ``charges`` for the same purchases; returns it.

    The accounts must be locked (`hold_accounts`).
    """
    above = [charge for charge in charges_above(charges) if charge.ended_at is None]
    with scopes_disabled():
        Charge.objects.filter(pk__in=[charge.pk for charge in above]).update(
            ended_at=timezone.now(), next_on=None
        )
    return above


def paid_above(account: BillingAccount) -> list[Charge]:
    """What accounts above pay for what ``account`` has bought of them."""
    with scopes_disabled():
        own = list(Charge.objects.filter(account=account, ended_at=None))
    return [charge for charge in charges_above(own) if charge.ended_at is None]
