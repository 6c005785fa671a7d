"""What changes the tree itself: deleting, restoring, purging and moving customers (D 1.1)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, ProtectedError, Q, Value
from django.db.models.functions import Concat, Substr
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import BillingAccount, LedgerEntry
from billing.services import charge_chains, departures, returns, runs, unfinished
from customers.choices import RestOfContract
from customers.models import Customer, Number, Person, Switch
from customers.services import people
from customers.services.customers import lock_below
from portal.core import audit
from portal.core.actor import Actor
from portal.core.money import format_money
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.tree_lock import change_tree
from rateplans.models import RatePlan
from rateplans.selectors import assignable_plans
from rateplans.services.holds import hold_plan
from rateplans.services.plans import refuse_circle_of


def deletion_refusals(customer: Customer) -> list[str]:
    """Why the customer cannot be deleted now; empty if it can."""
    reasons = []
    children = Customer.objects.filter(parent=customer, deleted_at=None).count()
    if children:
        reasons.append(
            ngettext(
                "It has %(count)d customer of its own. Delete or move that one first.",
                "It has %(count)d customers of its own. Delete or move those first.",
                children,
            )
            % {"count": children}
        )
    if reason := _affiliate_refusal(customer):
        reasons.append(reason)
    return reasons


def _affiliate_refusal(customer: Customer) -> str:
    affiliated = BillingAccount.objects.filter(
        affiliate=customer, customer__deleted_at=None
    ).count()
    if not affiliated:
        return ""
    return ngettext(
        "It is the affiliate of %(count)d customer. Remove it there first.",
        "It is the affiliate of %(count)d customers. Remove it there first.",
        affiliated,
    ) % {"count": affiliated}


def contract_is_running(customer: Customer) -> bool:
    """Whether the minimum contract goes on after today, the customer's own today."""
    ends_on = customer.account.contract_ends_on
    return ends_on is not None and ends_on > local_date(customer.time_zone)


@transaction.atomic
def delete_customer(*, customer: Customer, by: Actor, contract: str = "") -> Customer:
    """Take a customer out of use; it can be restored. Deleting twice changes nothing.

    Its features are not billed any more, and what plans give back goes back
    (billing.services.departures). ``contract`` says what becomes of the rest of a minimum
    contract that runs, one of `RestOfContract`.
    Raises ValidationError while it has customers or is an affiliate, at ``contract`` where
    that must be said, and where a currency has no rate.
    """
    change_tree()
    customer = lock_below(customer, by=by)
    if customer.is_deleted:
        return customer
    if reasons := deletion_refusals(customer):
        raise ValidationError(reasons, code="refused")
    if not contract_is_running(customer):
        contract = ""
    elif contract not in RestOfContract.values:
        raise ValidationError(
            {
                "contract": _(
                    "The minimum contract is still running: choose what becomes of the"
                    " rest."
                )
            },
            code="contract",
        )
    is_charged = contract == RestOfContract.CHARGE
    until = customer.account.contract_ends_on if is_charged else None
    customer.deleted_at = departures.end_everything(
        customer, by=by, contract_until=until
    )
    customer.version += 1
    customer.save(update_fields=["deleted_at", "version"])
    _sign_everybody_out(customer)
    audit.record(
        "customer.deleted", customer, by=by, customer=customer, changes=_said(contract)
    )
    return customer


def _said(contract: str) -> dict[str, tuple[Any, Any]]:
    """The choice as the log keeps it: by its label in the log's own language."""
    if not contract:
        return {}
    with translation.override(settings.LANGUAGE_CODE):
        return {"contract": (None, str(RestOfContract(contract).label))}


@transaction.atomic
def undelete_customer(*, customer: Customer, by: Actor) -> Customer:
    """Bring a deleted customer back as it was, billed from today on.

    Raises ValidationError below a deleted one, and where limits or plans of the accounts
    above do not allow it (billing.services.returns).
    """
    change_tree()
    customer = lock_below(customer, by=by)
    if not customer.is_deleted:
        return customer
    if customer.parent is not None and customer.parent.is_deleted:
        raise ValidationError(
            _("The account above is deleted. Restore that one first."), code="parent"
        )
    returns.begin_everything_again(customer, by=by)
    customer.deleted_at = None
    customer.version += 1
    customer.save(update_fields=["deleted_at", "version"])
    audit.record("customer.undeleted", customer, by=by, customer=customer)
    return customer


@transaction.atomic
def purge_customer(*, customer: Customer, by: Actor) -> None:
    """Destroy a deleted customer for good; its numbers go back to the account above.

    Raises ValidationError if it is not deleted, has customers, deleted ones included, or
    owns what others still use.
    """
    change_tree()
    customer = lock_below(customer, by=by)
    if not customer.is_deleted:
        raise ValidationError(_("Delete the customer first."), code="not_deleted")
    if Customer.objects.filter(parent=customer).exists():
        raise ValidationError(
            _("It still has customers of its own, deleted ones included."),
            code="children",
        )
    if BillingAccount.objects.filter(affiliate=customer).exists():
        raise ValidationError(
            _("It is still the affiliate of a customer."), code="affiliate"
        )
    if LedgerEntry.objects.filter(account__customer=customer).exists():
        raise ValidationError(
            _("Its account has entries, and books are kept: it stays deleted."),
            code="booked",
        )
    assert customer.parent is not None
    held = Number.objects.filter(customer=customer)
    list(held.select_for_update(of=("self",)).order_by("pk"))  # rows before accounts
    returns.hand_numbers_up(customer, to=customer.parent, by=by)
    held.update(customer=customer.parent, line=None, mailbox=None, description="")
    # The event stands in the account above: the purged one is nobody's any more.
    audit.record("customer.purged", customer, by=by, customer=customer.parent)
    try:
        RatePlan.objects.filter(owner=customer).delete()
        customer.taxes.all().delete()
    except ProtectedError:
        # Customers that were moved away keep the plan that was shared with them.
        raise ValidationError(
            _("Customers that were moved away still use its rate plans or taxes."),
            code="in_use",
        ) from None
    charge_chains.end_above(customer.account.charges.all())
    customer.delete()


@transaction.atomic
def move_customer(
    *, customer: Customer, parent: Customer, plan: RatePlan, by: Actor
) -> Customer:
    """Hang a customer with everything below it under another reseller (D 1.1).

    What is due until now, on all that it changes anything for, is charged by those who are
    above it until now. Raises ValidationError for a place inside itself, an account that is
    not settled then, a plan the new parent does not have or that would inherit from itself
    there, an account number taken there, or the affiliate of one that stays; code
    ``no_rate`` where what is due cannot be charged.
    """
    by.require(Permission.SYSTEM)
    change_tree()  # two moves at once could tie a knot
    with scopes_disabled():  # a move crosses tenants by nature
        found = Customer.objects.in_bulk([customer.pk, parent.pk])
        customer, parent = found[customer.pk], found[parent.pk]
        before = BillingAccount.objects.get(customer=customer)
        _check_move(customer, parent, plan, before)
        # Before the rows whose paths change: see `tree_lock` for the order.
        _charge_before_the_move(customer, parent, before)
        account = BillingAccount.objects.get(pk=before.pk)
        _settle_with_old_parent(account, before=before, by=by)
        old_path, old_parent, old_plan = customer.path, customer.parent, account.plan
        new_path = f"{parent.path}{customer.pk}."
        Customer.objects.filter(path__startswith=old_path).update(
            path=Concat(Value(new_path), Substr("path", len(old_path) + 1))
        )
        Customer.objects.filter(pk=customer.pk).update(
            parent=parent, version=F("version") + 1
        )
        account.provider, account.plan = parent, plan
        account.affiliate, account.affiliate_type = None, ""
        account.affiliate_percentage = 0
        account.charges_from = local_date(customer.time_zone)
        account.save()
        refuse_circle_of(plan)
        # What the old parent charged besides is its own business, and ends with it.
        account.charges.filter(ended_at=None).update(
            ended_at=timezone.now(), next_on=None
        )
        account.liabilities.all().delete()
        customer.refresh_from_db()
        audit.record(
            "customer.moved",
            customer,
            by=by,
            customer=customer,
            changes={"parent": (old_parent, parent), "plan": (old_plan, plan)},
        )
    return customer


def _check_move(
    customer: Customer, parent: Customer, plan: RatePlan, account: BillingAccount
) -> None:
    errors: dict[str, str] = {}
    if parent.is_within(customer) or customer.is_root:
        errors["parent"] = _("A customer cannot be moved below itself.")
    elif parent.pk == customer.parent_id:
        errors["parent"] = _("That is where it is now.")
    elif parent.is_deleted:
        errors["parent"] = _("That account is deleted.")
    elif parent.children.filter(account_number=customer.account_number).exists():
        errors["parent"] = _("A customer there has the same account number.")
    plans = assignable_plans(owner_id=parent.pk, ancestor_ids=parent.ancestor_ids)
    if not (plans.filter(pk=plan.pk).exists() and hold_plan(plan.pk)):
        errors["plan"] = _("Choose a rate plan of the new parent.")
    if reason := _affiliate_refusal(customer):
        errors["__all__"] = reason
    if account.currency != plan.currency:
        errors["plan"] = _("Choose a plan in the account's currency.")
    if errors:
        raise ValidationError(errors)


def _charge_before_the_move(
    customer: Customer, parent: Customer, account: BillingAccount
) -> None:
    """Whoever is above pays for all below: both the old chain and the new one are due.

    Locks the customer's account with those that are charged.
    """
    chains = {*customer.ancestor_ids, *parent.ancestor_ids, parent.pk}
    runs.charge_until_now(
        BillingAccount.objects.filter(
            Q(customer__path__startswith=customer.path) | Q(customer__in=chains)
        ),
        hold=account.pk,
    )


def _settle_with_old_parent(
    account: BillingAccount, *, before: BillingAccount, by: Actor
) -> None:
    """``account`` is locked; ``before`` is what it was before it was charged what is due."""
    if account.balance == 0:
        unfinished.leave_provider(account, by=by)
        return
    text = _("Settle the balance first: it is with the present parent.")
    if account.balance != before.balance:
        balance = format_money(account.balance, account.currency)
        text = _(
            "Settle the balance first: it is with the present parent, and comes to"
            " %(balance)s with what is due by today."
        ) % {"balance": balance}
    raise ValidationError(text, code="unsettled")


def _sign_everybody_out(customer: Customer) -> None:
    """End the sessions of its people, and what was switched into it or from below it."""
    for person in Person.objects.filter(customer=customer, is_pseudo=False):
        people.end_sessions(person)
    Switch.objects.filter(customer=customer, ended_at=None).update(
        ended_at=timezone.now()
    )
