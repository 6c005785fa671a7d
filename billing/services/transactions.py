"""What a provider books by hand on the accounts of its customers, and takes back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from billing import keys, ledger
from billing.choices import EntryKind
from billing.models import BillingAccount, CallTime, LedgerEntry, Tax
from billing.selectors import Rates, load_levels
from billing.services.credit import shortage_refusal
from billing.taxes import TaxPart, tax_parts
from billing.types import BillTypeRules, rules_of
from portal.core import audit
from portal.core.actor import Actor
from portal.core.money import format_money, has_minor_unit_precision
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.tree_lock import hold_tree

MANUAL_KINDS = (EntryKind.CREDIT, EntryKind.DEBIT, EntryKind.CORRECTION)
# What a provider may take back. Money that came in, calls and invoices have ways of their own.
REVERSIBLE_KINDS = frozenset(
    {
        *MANUAL_KINDS,
        EntryKind.SIGNUP,
        EntryKind.RECURRING,
        EntryKind.CHARGE,
        EntryKind.PRODUCT,
        EntryKind.REFUND,
    }
)


def may_post(account: BillingAccount, *, by: Actor) -> bool:
    """Whether ``by`` may book on the account at all: in its provider's name only."""
    return by.can(Permission.COMMERCE) and account.provider_id == by.customer.pk


def may_reverse(entry: LedgerEntry, account: BillingAccount, *, by: Actor) -> bool:
    """Whether a button to take ``entry`` of ``account`` back makes sense."""
    return (
        may_post(account, by=by)
        and _is_reversible(entry)
        and not hasattr(entry, "reversed_by")
    )


def maximum_of(by: Actor) -> Decimal | None:
    """The most that the role of ``by`` lets it book at once; None for no limit.

    A number in the currency of whichever account is booked on. Counts for the person who
    signed in, also while switched.
    """
    role = getattr(by.person, "role", None)  # jobs have no person
    maximum: Decimal | None = getattr(role, "transaction_maximum", None)
    return maximum


def liable_taxes(account: BillingAccount) -> list[Tax]:
    """The taxes that what is booked by hand may bear: as of charges (D 4)."""
    liabilities = account.liabilities.select_related("tax").order_by("tax__name")
    return [row.tax for row in liabilities if row.tax.applies_charges]


@transaction.atomic
def post_transaction(
    *,
    account: BillingAccount,
    kind: EntryKind,
    amount: Decimal,
    reason: str,
    is_tax_free: bool,
    ignores_limit: bool,
    key: str,
    by: Actor,
) -> LedgerEntry:
    """Book a credit, a debit or a correction; the same ``key`` is booked once.

    ``amount`` is without taxes and positive; of a correction it has a sign, which raises or
    lowers the balance. What lowers it keeps to the credit limit unless ``ignores_limit``.
    Raises ValidationError by field.
    """
    account = held_by_provider(account, by)
    _check(account, kind, amount, reason)
    lowers = kind == EntryKind.DEBIT or amount < 0
    net = abs(amount)
    taxes = () if is_tax_free else _taxes(account, net)
    refuse_above_maximum(net + sum(part.amount for part in taxes), account, by)
    move = ledger.debit if lowers else ledger.credit
    posting = move(
        account.pk,
        keys.manual(key),
        kind,
        net,
        reason,
        taxes=taxes,
        is_on_balance=_moves_balance(kind, rules_of(account.bill_type)),
    )
    try:
        posted = ledger.post([posting], by=by, within_limits=not ignores_limit)
    except ledger.CreditError as error:
        refusal = shortage_refusal(error, load_levels(account.customer), by=by)
        raise ValidationError({"amount": refusal}) from error
    except ValidationError as error:  # larger than any account holds
        raise ValidationError({"amount": error}) from error
    entry = LedgerEntry.objects.get(account=account, key=keys.manual(key))
    if posted:
        _record("transaction.created", entry, account, by)
    return entry


@transaction.atomic
def reverse_entry(
    *, entry: LedgerEntry, account: BillingAccount, reason: str, by: Actor
) -> LedgerEntry:
    """Book the opposite of ``entry``, with its taxes, and link both; happens once.

    It is booked whatever the credit limit says: a mistake is put right. What the accounts
    above were charged for the same event stays. Call time that was bought with it cannot be
    used any more. Returns the reversal, also if it had been there before.
    Raises ValidationError.
    """
    account = held_by_provider(account, by)
    if entry.account_id != account.pk:
        raise ValueError("the entry is of another account")
    if not _is_reversible(entry):
        raise ValidationError(
            _("Entries of this kind cannot be taken back. Book a correction instead."),
            code="kind",
        )
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is taken back.")})
    refuse_above_maximum(abs(entry.amount), account, by)
    # One at a time: the second finds what the first one booked.
    BillingAccount.objects.select_for_update(of=("self",), no_key=True).get(
        pk=account.pk
    )
    key = keys.reversal(entry.pk)
    if not LedgerEntry.objects.filter(account=account, key=key).exists():
        _refuse_given_back(entry)
    posted = ledger.post(
        [_opposite(entry, key, reason.strip())], by=by, within_limits=False
    )
    reversal = LedgerEntry.objects.get(account=account, key=key)
    if posted:
        # What was used already stays used: there is nothing left of it to take.
        CallTime.objects.filter(entry=entry).update(remaining=0)
        _record("transaction.reversed", reversal, account, by)
    return reversal


def _is_reversible(entry: LedgerEntry) -> bool:
    """What stands on a credit note is as final as that."""
    return entry.kind in REVERSIBLE_KINDS and not keys.is_of_credit_note(entry.key)


def call_time_of(entry: LedgerEntry) -> CallTime | None:
    """What was bought with ``entry``, to be used up before calls cost."""
    return CallTime.objects.filter(entry=entry).first()


def _refuse_given_back(entry: LedgerEntry) -> None:
    """A fee of which days were given back would be given back twice.

    One entry may be for several things, and so may a refund: where it cannot be told apart
    which was given back, it is refused.
    """
    if entry.kind != EntryKind.RECURRING:
        return
    given = LedgerEntry.objects.filter(
        account=entry.account_id,
        kind=EntryKind.REFUND,
        feature=entry.feature,
        period_end=entry.period_end,
        pk__gt=entry.pk,
        reversed_by=None,
    )
    if entry.object_id is not None:
        given = given.filter(Q(object_id=entry.object_id) | Q(object_id=None))
    if (refund := given.order_by("pk").first()) is not None:
        raise ValidationError(
            _(
                "Days of it were given back already: “%(refund)s”. Take that back first,"
                " or book a correction."
            ),
            code="given_back",
            params={"refund": refund.description},
        )


def _opposite(entry: LedgerEntry, key: str, reason: str) -> ledger.Posting:
    move: Callable[..., ledger.Posting] = (
        ledger.credit if entry.amount < 0 else ledger.debit
    )
    sign = 1 if entry.amount > 0 else -1
    original = entry.original_amount
    return move(
        entry.account_id,
        key,
        EntryKind.REVERSAL,
        abs(entry.net),
        f"{reason} ({entry.description})",
        taxes=[
            TaxPart(part.tax_id, part.name, part.rate, part.amount * sign, part.is_vat)
            for part in entry.taxes.all()
        ],
        is_on_balance=entry.is_on_balance,
        reference=entry.reference,
        quantity=entry.quantity,
        original_amount=None if original is None else -original,
        original_currency=entry.original_currency,
        exchange_rate=entry.exchange_rate,
        feature=entry.feature,
        object_id=entry.object_id,
        charge_id=entry.charge_id,
        product_id=entry.product_id,
        reverses_id=entry.pk,
        period_start=entry.period_start,
        period_end=entry.period_end,
    )


def held_by_provider(account: BillingAccount, by: Actor) -> BillingAccount:
    """The account as it is now, which stays with its provider until the transaction ends.

    Raises ValidationError unless that is ``by``: it may have been moved or purged since the
    page was asked for.
    """
    by.require(Permission.COMMERCE)
    hold_tree()
    accounts = BillingAccount.objects.select_related("customer")
    present = accounts.filter(pk=account.pk, provider=by.customer.pk).first()
    if present is None:
        raise ValidationError(
            _("Only the provider of an account books on it."), code="provider"
        )
    return present


def _check(
    account: BillingAccount, kind: EntryKind, amount: Decimal, reason: str
) -> None:
    errors: dict[str, Any] = {}
    if kind not in MANUAL_KINDS:
        raise ValueError(f"{kind} is not booked by hand")
    if (kind != EntryKind.CORRECTION and amount <= 0) or amount == 0:
        errors["amount"] = ValidationError(
            _("Enter an amount other than 0; with a minus only for a correction.")
            if kind == EntryKind.CORRECTION
            else _("Enter an amount above 0."),
            code="sign",
        )
    elif not has_minor_unit_precision(amount, account.currency):
        errors["amount"] = ValidationError(
            _("%(currency)s does not have that many decimal places."),
            code="minor_unit",
            params={"currency": account.currency},
        )
    if not reason.strip():
        errors["reason"] = ValidationError(_("Say what it is for."), code="required")
    if errors:
        raise ValidationError(errors)


def refuse_above_maximum(amount: Decimal, account: BillingAccount, by: Actor) -> None:
    """Raise ValidationError for more than the role of ``by`` lets it book at once."""
    maximum = maximum_of(by)
    if maximum is None or amount <= maximum:
        return
    values = {
        "maximum": format_money(maximum, account.currency),
        "amount": format_money(amount, account.currency),
    }
    text = _(
        "Your role lets you book at most %(maximum)s at once; this is %(amount)s. Ask"
        " somebody whose role allows more."
    )
    raise ValidationError(text % values, code="maximum")


def _taxes(account: BillingAccount, net: Decimal) -> tuple[TaxPart, ...]:
    rates = Rates(local_date(account.customer.time_zone))
    return tax_parts(
        net, liable_taxes(account), currency=account.currency, convert=rates.convert
    )


def _moves_balance(kind: EntryKind, rules: BillTypeRules) -> bool:
    """A debit is a transaction like a fee; money given or put right is of the balance."""
    if kind == EntryKind.DEBIT:
        return rules.transactions_move_balance
    return rules.uses_balance


def _record(
    action: str, entry: LedgerEntry, account: BillingAccount, by: Actor
) -> None:
    changes = audit.first_values(entry, ("kind", "amount", "net"))
    audit.record(action, entry, by=by, customer=account.customer, changes=changes)
