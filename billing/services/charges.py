"""Billing what charges are due (D 5.1), and charging now.

Each time has its own key in the ledger: a run that is repeated, late or killed, and two
that press "charge now", give one entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Max, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import keys, ledger
from billing.choices import ChargePeriod
from billing.models import BillingAccount, Charge, Tax, TaxLiability
from billing.pricing import Level
from billing.schedules import schedule_of
from billing.selectors import load_levels
from billing.services.charge_chains import has_ended_below, paid_above, still_due
from billing.services.charge_lines import (
    ChargeLine,
    full_line,
    key_of,
    part_line,
    taxes_on,
)
from billing.services.credit import shortage_refusal
from billing.types import RULES, rules_of
from portal.core import audit
from portal.core.actor import Actor, system_actor
from portal.core.display import format_day
from portal.core.periods import ONE_DAY, local_date, start_of_day
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.tree_lock import hold_tree
from rateplans.selectors import chain_ids

# A plan's charges that reach an account and are not posted yet, for the latest time due.
_PLAN_CHARGES = f"""
SELECT DISTINCT account.id
FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::boolean[])
     AS wanted (charge_id, plan_id, day, is_once)
JOIN billing_billingaccount account ON account.plan_id = wanted.plan_id
JOIN customers_customer customer ON customer.id = account.customer_id
WHERE customer.deleted_at IS NULL
  AND account.bill_type = ANY(%s)
  AND (%s::bigint[] IS NULL OR account.id = ANY(%s))
  AND account.charges_from <= CASE WHEN wanted.is_once THEN %s ELSE wanted.day END
  AND NOT EXISTS (
      SELECT 1 FROM billing_ledgerentry entry
      WHERE entry.account_id = account.id
        AND entry.key = {keys.charge_time_sql("wanted")})
ORDER BY account.id
"""


def accounts_with_due_charges(
    on: date, *, among: Sequence[int] | None = None
) -> list[int]:
    """Ids of the accounts on which something is due by the day ``on``; some queries only.

    With ``among`` those of these accounts.
    """
    with scopes_disabled():  # the run goes over all trees
        own = Charge.objects.filter(
            account__isnull=False,
            account__customer__deleted_at=None,
            ended_at=None,
            next_on__lte=on,
        )
        if among is not None:
            own = own.filter(account__in=among)
        found = set(own.values_list("account", flat=True))
        found.update(_accounts_with_plan_charges(on, among))
    return sorted(found)


def _accounts_with_plan_charges(on: date, among: Sequence[int] | None) -> list[int]:
    charges = list(
        Charge.objects.filter(plan__isnull=False, ended_at=None, starts_on__lte=on)
    )
    if not charges:
        return []
    heirs: dict[int, list[int]] = {}
    used = BillingAccount.objects.order_by().values_list("plan", flat=True).distinct()
    for plan_id, chain in chain_ids(used).items():
        for base_id in chain:
            heirs.setdefault(base_id, []).append(plan_id)
    wanted: list[tuple[int, int, date, bool]] = []
    for charge in charges:
        days = schedule_of(charge).due(since=charge.starts_on, until=on)
        is_once = charge.period == ChargePeriod.ONCE
        assert charge.plan_id is not None
        wanted += (
            (charge.pk, plan_id, days[-1], is_once)
            for plan_id in heirs.get(charge.plan_id, ())
            if days
        )
    types = [
        str(bill_type) for bill_type, rules in RULES.items() if rules.has_monthly_fees
    ]
    with connection.cursor() as cursor:
        columns = [[row[place] for row in wanted] for place in range(4)]
        ids = None if among is None else list(among)
        cursor.execute(_PLAN_CHARGES, [*columns, types, ids, ids, on])
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def charge_due(
    account_id: int, *, on: date | None = None, by: Actor | None = None
) -> int:
    """Post what charges are due on the account by the day ``on``, its own today by default.

    Both those on the customer and those of its plan, inherited ones included; credit limits
    do not stop them. Returns how many entries were written; running it again writes none.
    Raises ValidationError where a currency has no rate.
    """
    with scopes_disabled():  # the run goes over all trees
        account = _locked_account(account_id)
        if account.customer.deleted_at is not None:
            return 0
        zone = account.customer.time_zone
        day = on or local_date(zone)
        own = _charges().select_for_update(of=("self",), no_key=True)
        due = list(own.filter(account=account, ended_at=None, next_on__lte=day))
        lines = _due_lines(account, due, day)
        posted = 0
        actor = by or system_actor(account.customer)
        if rules_of(account.bill_type).has_monthly_fees:
            for line in lines:
                at = start_of_day(line.day, zone)
                posted += len(
                    ledger.post([line.posting()], by=actor, within_limits=False, at=at)
                )
        for charge in due:
            # Where nothing is billed the days pass all the same.
            charge.next_on = schedule_of(charge).first_after(day)
            if has_ended_below(charge):
                charge.next_on, charge.ended_at = None, timezone.now()
            charge.save(update_fields=["next_on", "ended_at"])
    return posted


def lines_due(account: BillingAccount, day: date) -> list[ChargeLine]:
    """What `charge_due` would post by the day ``day``, as things stand; locks nothing.

    For an account with fees, whose liabilities are read already. Used with scopes disabled.
    """
    # A reseller has one for each that it sold on: the levels below are read with them.
    levels = ("below__account__customer", "below__below__account__customer")
    own = _ticked().select_related(*levels)
    own = own.filter(account=account, ended_at=None, next_on__lte=day)
    return _due_lines(account, own, day)


def _due_lines(
    account: BillingAccount, own: Iterable[Charge], day: date
) -> list[ChargeLine]:
    lines = [line for charge in own for line in _own_lines(account, charge, day)]
    lines += _plan_lines(account, day)
    return sorted(lines, key=lambda line: line.day)


def _own_lines(account: BillingAccount, charge: Charge, day: date) -> list[ChargeLine]:
    assert charge.next_on is not None
    days = still_due(charge, schedule_of(charge).due(since=charge.next_on, until=day))
    taxes = taxes_on(account, charge)
    return [full_line(account, charge, each, taxes) for each in days]


def _plan_lines(account: BillingAccount, day: date) -> list[ChargeLine]:
    chain = chain_ids([account.plan_id])[account.plan_id]
    charges = list(_charges().filter(plan__in=chain, ended_at=None, starts_on__lte=day))
    if not charges or account.charges_from > day:
        return []
    posted = dict(
        account.entries.filter(charge__in=charges, key__startswith=keys.CHARGES)
        .order_by()
        .values_list("charge")
        .annotate(last=Max("period_start"))
    )
    lines: list[ChargeLine] = []
    for charge in charges:
        taxes = taxes_on(account, charge)
        if charge.period == ChargePeriod.ONCE:
            if charge.pk not in posted and schedule_of(charge).first_after(date.min):
                when = max(charge.starts_on, account.charges_from)
                lines.append(full_line(account, charge, when, taxes))
            continue
        since = account.charges_from
        if last := posted.get(charge.pk):
            since = max(since, last + ONE_DAY)
        days = schedule_of(charge).due(since=since, until=day)
        lines += (full_line(account, charge, each, taxes) for each in days)
    return lines


def pass_over(account: BillingAccount, until: date) -> None:
    """Let the times before the day ``until`` pass without being charged.

    With them those that accounts above pay for what this one has bought. What is paid once
    is of no days: it stays due. The rows of all these accounts must be locked.
    """
    with scopes_disabled():  # what is above is of other tenants
        charges = Charge.objects.select_for_update(of=("self",), no_key=True)
    above = [charge.pk for charge in paid_above(account)]
    recurring = charges.filter(
        Q(account=account) | Q(pk__in=above), ended_at=None, next_on__lt=until
    ).exclude(period=ChargePeriod.ONCE)
    for charge in recurring:
        charge.next_on = schedule_of(charge).first_after(until - ONE_DAY)
        charge.save(update_fields=["next_on"])
    account.charges_from = max(account.charges_from, until)
    account.save(update_fields=["charges_from"])


def lines_now(charge: Charge, *, today: date) -> list[ChargeLine]:
    """What "charge now" would post: all of what is due or paid once, else a part (D 5.1).

    Raises ValidationError where there is nothing to charge now, code ``nothing`` where
    that comes to 0 in the account's currency.
    """
    charge = _charges().get(pk=charge.pk)
    lines = _lines_now(charge, today)
    if not any(line.gross for line in lines):
        raise ValidationError(
            _("This comes to 0 in %(currency)s: there is nothing to charge."),
            code="nothing",
            params={"currency": lines[0].account.currency},
        )
    return lines


def _lines_now(charge: Charge, today: date) -> list[ChargeLine]:
    account = charge.account
    if account is None:
        raise _charged_by_the_run()
    if charge.ended_at is not None or charge.next_on is None:
        raise ValidationError(
            _("All times of this charge were charged, or it has ended."), code="over"
        )
    taxes = taxes_on(account, charge)
    if charge.period == ChargePeriod.ONCE:
        return [full_line(account, charge, charge.next_on, taxes)]
    if not still_due(charge, [charge.next_on]):
        raise ValidationError(
            _("The customer below does not pay its own charge for it any more."),
            code="below",
        )
    if charge.next_on <= today:
        return _own_lines(account, charge, today)
    if charge.next_on > charge.starts_on:
        raise ValidationError(
            _("The running period is charged. The next time is on %(day)s."),
            code="charged",
            params={"day": format_day(charge.next_on)},
        )
    begin, end = schedule_of(charge).before_the_first()
    if today < begin:
        raise ValidationError(
            _("The charge begins on %(day)s, more than one period from now."),
            code="later",
            params={"day": format_day(end)},
        )
    if account.entries.filter(key=key_of(charge, begin)).exists():
        raise ValidationError(
            _("The days before %(day)s are charged already."),
            code="charged",
            params={"day": format_day(end)},
        )
    return [part_line(account, charge, today, taxes)]


def _charged_by_the_run() -> ValidationError:
    return ValidationError(
        _("What is on a plan is charged by the hourly run."), code="plan"
    )


@transaction.atomic
def charge_now(*, charge: Charge, by: Actor) -> list[ledger.Posted]:
    """Post what `lines_now` says, within the customer's credit.

    Raises ValidationError if there is nothing to charge now, or the credit does not reach.
    """
    by.require(Permission.COMMERCE)
    if charge.owner_id != by.customer.pk:
        raise PermissionDenied
    if charge.account_id is None:
        raise _charged_by_the_run()
    hold_tree()
    _locked_account(charge.account_id)
    charge = _charges().select_for_update(of=("self",), no_key=True).get(pk=charge.pk)
    account = charge.account
    assert account is not None
    today = local_date(account.customer.time_zone)
    lines = lines_now(charge, today=today)
    try:
        posted = ledger.post(
            (line.posting() for line in lines), by=by, within_limits=True
        )
    except ledger.CreditError as error:
        raise shortage_refusal(error, _levels(account), by=by) from error
    if charge.period == ChargePeriod.ONCE:
        charge.next_on = None
    elif charge.next_on is not None and charge.next_on <= today:
        charge.next_on = schedule_of(charge).first_after(today)
    charge.save(update_fields=["next_on"])
    audit.record("charge.charged", charge, by=by, customer=account.customer)
    return posted


def _levels(account: BillingAccount) -> list[Level]:
    return load_levels(account.customer)


def _locked_account(account_id: int) -> BillingAccount:
    """The account's row, locked before its charges: everybody does so in this order."""
    accounts = BillingAccount.objects.select_for_update(of=("self",), no_key=True)
    return (
        accounts.select_related("customer")
        .prefetch_related(Prefetch("liabilities", _liabilities()))
        .get(pk=account_id)
    )


def _liabilities() -> QuerySet[TaxLiability]:
    with scopes_disabled():  # shared taxes belong to accounts above the tenant
        return TaxLiability.objects.select_related("tax")


def _charges() -> QuerySet[Charge]:
    return (
        _ticked()
        .select_related("account__customer")
        .prefetch_related(Prefetch("account__liabilities", _liabilities()))
    )


def _ticked() -> QuerySet[Charge]:
    """Charges with the taxes that they bear."""
    with scopes_disabled():  # some taxes were shared from above
        taxes = Tax.objects.all()
    return Charge.objects.select_related("owner").prefetch_related(
        Prefetch("taxes", taxes)
    )
