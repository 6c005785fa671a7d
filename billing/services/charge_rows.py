"""Adding, changing and ending the charges of a customer or a rate plan (D 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.choices import ChargePeriod
from billing.models import BillingAccount, Charge, LedgerEntry, Product, Tax
from billing.schedules import Schedule, schedule_of
from billing.selectors import available_taxes
from billing.services.charge_chains import charges_above, end_above, hold_accounts
from billing.services.charges import charge_now
from billing.types import RULES
from portal.core import audit
from portal.core.actor import Actor
from portal.core.display import format_day
from portal.core.periods import ONE_DAY, local_date
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.staleness import refuse_stale
from portal.core.tree_lock import hold_tree
from rateplans.models import RatePlan
from rateplans.selectors import chain_ids, count_customers, heir_ids
from rateplans.services.holds import hold_plan

FIELDS: tuple[str, ...] = (
    "name",
    "description",
    "amount",
    "buy",
    "quantity",
    "currency",
    "period",
    "number",
    "starts_on",
    "ends_on",
)
# Due days beyond these are slips of the pen, which would charge for all the years between.
MOST_YEARS_AWAY = 10
# What the times that were charged already depend on.
FIXED_ONCE_CHARGED = ("currency", "period", "starts_on")


@transaction.atomic
def add_charge(
    *,
    values: Mapping[str, Any],
    taxes: Iterable[Tax],
    by: Actor,
    account: BillingAccount | None = None,
    plan: RatePlan | None = None,
    is_immediate: bool = False,
) -> Charge:
    """Put a charge on a customer of ``by``, or on one of its plans; bills nothing yet.

    ``is_immediate`` charges it at once, whole, within the customer's credit; it is on a
    customer then, and due once. Only that is left where the customer is deleted: accounts
    are still settled, but nothing falls due on it. Raises ValidationError by field.
    """
    by.require(Permission.COMMERCE)
    hold_tree()
    if account is not None:  # as it is now: perhaps moved, or purged with its customer
        accounts = BillingAccount.objects.select_related("customer")
        account = accounts.filter(pk=account.pk).first()
    owner_id = account.provider_id if account else plan.owner_id if plan else None
    if owner_id != by.customer.pk:
        raise PermissionDenied
    if account is not None and not is_immediate:
        _refuse_on_deleted(account)
    if plan is not None and not hold_plan(plan.pk):
        raise ValidationError(_("The rate plan was deleted meanwhile."), code="gone")
    charge = Charge(owner_id=owner_id, account=account, plan=plan)
    _set(charge, values)
    charge.next_on = _next_on(charge)
    charge.save(force_insert=True)
    _set_taxes(charge, taxes)
    audit.record(
        "charge.created",
        charge,
        by=by,
        customer=_whose_log(charge),
        changes=audit.first_values(charge, FIELDS),
    )
    if is_immediate:
        _charge_at_once(charge, by)
    return charge


def _refuse_on_deleted(account: BillingAccount) -> None:
    """Who deletes a customer holds its account: wait for that, and only then look."""
    locked = BillingAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    if locked.customer.deleted_at is not None:
        text = _("The customer is deleted: it can only be charged immediately.")
        raise ValidationError({"period": text}, code="deleted")


def _charge_at_once(charge: Charge, by: Actor) -> None:
    try:
        charge_now(charge=charge, by=by)
    except ValidationError as error:
        if getattr(error, "code", None) == "nothing":
            raise ValidationError({"amount": error}) from error
        raise


@transaction.atomic
def update_charge(
    *,
    charge: Charge,
    values: Mapping[str, Any],
    taxes: Iterable[Tax],
    by: Actor,
    seen: str = "",
) -> Charge:
    """Change a charge for the times to come; what was charged stays.

    Raises ValidationError by field, StaleError if it is not as ``seen`` any more.
    """
    charge = _locked(charge, by)
    refuse_stale(charge, FIELDS, seen=seen)
    if charge.ended_at is not None:
        raise ValidationError(_("The charge has ended."), code="ended")
    before, tax_names = audit.snapshot(charge, FIELDS), _tax_names(charge)
    schedule = schedule_of(charge)
    _set(charge, values)
    changes = audit.differences(before, audit.snapshot(charge, FIELDS))
    if charge.entries.exists():
        for name in FIXED_ONCE_CHARGED:
            if name in changes:
                text = _("It was charged already: end it and add another one instead.")
                raise ValidationError({name: text}, code="charged")
    charge.next_on = _next_on_as_changed(charge, schedule)
    charge.save()
    _set_taxes(charge, taxes)
    if (names := _tax_names(charge)) != tax_names:
        changes["taxes"] = (tax_names, names)
    if changes:
        audit.record(
            "charge.updated",
            charge,
            by=by,
            customer=_whose_log(charge),
            changes=changes,
        )
    return charge


@transaction.atomic
def end_charge(*, charge: Charge, by: Actor) -> None:
    """Charge it no more, nor the accounts above for it; what was charged stays."""
    by.require(Permission.COMMERCE)
    hold_tree()
    hold_accounts([charge, *charges_above([charge])])
    charge = _locked(charge, by)
    if charge.ended_at is not None:
        return
    charge.ended_at, charge.next_on = timezone.now(), None
    charge.save(update_fields=["ended_at", "next_on"])
    for ended in (charge, *end_above([charge])):
        audit.record("charge.ended", ended, by=by, customer=_whose_log(ended))


def tickable_taxes(owner: Any) -> QuerySet[Tax]:
    """Taxes that a charge or product of ``owner`` can bear."""
    return available_taxes(owner_id=owner.pk, ancestor_ids=owner.ancestor_ids)


def possible_taxes(charge: Charge) -> QuerySet[Tax]:
    """What the charge can bear: what its owner may tick, and what it bears already.

    Taxes of a product from above are among the latter.
    """
    with scopes_disabled():
        taxes = Tax.objects.all()
    own = tickable_taxes(charge.owner).order_by().values("pk")
    wanted = Q(pk__in=own) | Q(pk__in=[tax.pk for tax in taxes_of(charge)])
    return taxes.filter(wanted).order_by("name", "pk")


def inherited_charges(plan: RatePlan) -> list[tuple[Charge, list[RatePlan]]]:
    """Charges of the plans that ``plan`` inherits from, ended ones left out.

    Each comes with the way to it: the plans from ``plan`` to the one that it is on.
    """
    chain = chain_ids([plan.pk])[plan.pk]
    with scopes_disabled():  # what is inherited belongs to accounts above the tenant
        plans = RatePlan.objects.in_bulk(chain)
        found = Charge.objects.filter(plan__in=chain[1:], ended_at=None)
        charges = list(found.select_related("plan"))
    ways = {pk: [plans[step] for step in chain[: n + 1]] for n, pk in enumerate(chain)}
    told = [(charge, ways[charge.plan_id]) for charge in charges if charge.plan_id]
    return sorted(told, key=lambda item: len(item[1]))


def count_payers(plan: RatePlan) -> int:
    """How many customers pay the charges of a plan: those on it, and on what inherits it.

    Customers of a billing type without recurring fees are not among them.
    """
    with_fees = Q(accounts__bill_type__in=_types_with_fees())
    return sum(count_customers(heir_ids(plan.pk), where=with_fees).values())


def payers(plan: RatePlan, charge: Charge | None = None) -> dict[date, int]:
    """Those customers by the day from which on they are charged for plans.

    Who has paid ``charge`` is left out if it is paid once.
    """
    with scopes_disabled():  # customers of resellers are on a shared plan, too
        accounts = BillingAccount.objects.filter(
            plan__in=heir_ids(plan.pk),
            bill_type__in=_types_with_fees(),
            customer__deleted_at=None,
        )
        if charge is not None and charge.period == ChargePeriod.ONCE:
            paid = LedgerEntry.objects.filter(charge=charge, account=OuterRef("pk"))
            accounts = accounts.exclude(Exists(paid))
        counted = accounts.order_by().values_list("charges_from")
        return dict(counted.annotate(customers=Count("pk")))


def _types_with_fees() -> list[str]:
    return [kind for kind, rules in RULES.items() if rules.has_monthly_fees]


def _whose_log(charge: Charge) -> Any:
    """The provider's: what it pays itself for a charge is not the customer's to read."""
    return charge.owner


def _next_on(charge: Charge) -> date | None:
    """The first time not charged yet; for a plan's charge each account has its own."""
    if charge.account_id is None:
        return None
    schedule = schedule_of(charge)
    if charge.pk is None or not (charged := charge.entries.order_by("pk")):
        return next(schedule.days(), None)
    if charge.period == ChargePeriod.ONCE:
        return None
    last = max(entry.period_start for entry in charged if entry.period_start)
    # A part charged before the first time begins before it; the first is due then.
    return (
        schedule.first_after(last)
        if last >= charge.starts_on
        else next(schedule.days(), None)
    )


def _next_on_as_changed(charge: Charge, was: Schedule) -> date | None:
    """Times that passed without being charged stay so, whatever else of it is changed."""
    becomes = schedule_of(charge)
    if becomes == was:
        return charge.next_on
    begins_alike = (becomes.starts_on, becomes.months) == (was.starts_on, was.months)
    if charge.next_on is not None and begins_alike:
        return becomes.first_after(charge.next_on - ONE_DAY)
    return _next_on(charge)


def _set(charge: Charge, values: Mapping[str, Any]) -> None:
    began = charge.starts_on if charge.pk else None
    # What one level sells on for nothing is a charge all the same: others pay above it.
    was_free = charge.pk is not None and not charge.amount
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(charge, name, value)
    if charge.period == ChargePeriod.ONCE:
        charge.number = charge.ends_on = None
    charge.clean_fields(exclude=["owner", "account", "plan", "product"])
    if not charge.amount and not was_free:
        raise ValidationError({"amount": _("Enter a price above 0.")}, code="nothing")
    if charge.starts_on != began:
        _refuse_far(charge)
    if charge.ends_on is not None and charge.ends_on <= charge.starts_on:
        raise ValidationError(
            {"ends_on": _("The end must be after the beginning.")}, code="order"
        )


def _refuse_far(charge: Charge) -> None:
    today = local_date(charge.owner.time_zone)
    away = relativedelta(years=MOST_YEARS_AWAY)
    if not today - away <= charge.starts_on <= today + away:
        text = _("Enter a day from %(first)s to %(last)s.") % {
            "first": format_day(today - away),
            "last": format_day(today + away),
        }
        raise ValidationError({"starts_on": text}, code="far")


def _set_taxes(charge: Charge, taxes: Iterable[Tax]) -> None:
    wanted = {tax.pk for tax in taxes}
    with scopes_disabled():  # some were shared from above
        # Taxes of a product from above stay, though the owner could not tick them.
        present = set(charge.taxes.values_list("pk", flat=True))
        own = set(tickable_taxes(charge.owner).values_list("pk", flat=True))
        if not wanted <= present | own:
            text = _("Choose taxes from the list.")
            raise ValidationError({"taxes": text}, code="taxes")
        charge.taxes.set(wanted)


def _tax_names(charge: Charge) -> list[str]:
    with scopes_disabled():  # some were shared from above
        return list(charge.taxes.order_by("name").values_list("name", flat=True))


def taxes_of(row: Charge | Product) -> list[Tax]:
    """What a charge or a product bears, also what was shared from above."""
    with scopes_disabled():
        return list(row.taxes.order_by("name"))


def _locked(charge: Charge, by: Actor) -> Charge:
    by.require(Permission.COMMERCE)
    hold_tree()
    if charge.account_id is not None:
        # The account before its charges, as the run locks them.
        accounts = BillingAccount.objects.select_for_update(no_key=True)
        accounts.get(pk=charge.account_id)
    locked = (
        Charge.objects.select_for_update(of=("self",))
        .select_related("owner", "account__customer", "plan")
        .get(pk=charge.pk)
    )
    if locked.owner_id != by.customer.pk:
        raise PermissionDenied
    return locked
