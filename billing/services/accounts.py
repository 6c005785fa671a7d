"""Opening and changing billing accounts; the balance itself is the ledger's business."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import BillingAccount, Tax, TaxLiability
from billing.parties import clean_tax_reference
from billing.selectors import available_taxes
from billing.services import unfinished
from billing.types import rules_of
from portal.core import audit
from portal.core.money import ZERO, has_minor_unit_precision
from portal.core.periods import local_date, period_of
from rateplans.choices import BillingPeriod, Contract
from rateplans.pricing import EffectivePlan
from rateplans.selectors import assignable_plans, effective_plan
from rateplans.services.holds import hold_plan
from rateplans.services.plans import refuse_circle_of

# What a reseller may set; the rest is opened with the account or moved by the ledger.
FIELDS: tuple[str, ...] = (
    "plan",
    "currency",
    "credit_limit",
    "bill_type",
    "bill_ref",
    "tax_reference",
    "legal_name",
    "register_number",
    "endpoint_scheme",
    "endpoint_id",
    "buyer_reference",
    "order_reference",
    "vat_treatment",
    "vat_reason",
    "payment_type",
    "mandate_reference",
    "mandate_signed_on",
    "debited_iban",
    "due_days",
    "send_invoices",
    "invoice_format",
    "invoice_detail",
    "contract",
    "call_maximum",
    "low_balance",
    "auto_topup",
    "bank_name",
    "bank_code",
    "bank_account_name",
    "bank_account_number",
    "affiliate",
    "affiliate_type",
    "affiliate_percentage",
)


def open_account(
    *, customer: Any, values: Mapping[str, Any], taxes: Iterable[Tax] | None
) -> BillingAccount:
    """Open the account of a new ``customer`` with its parent; no other account may exist.

    ``values`` holds some of `FIELDS`, at least ``plan``; what is missing comes from the
    plan. ``taxes`` None means those that new customers are liable for (D 4).
    Raises ValidationError by field.
    """
    if not hold_plan(values["plan"].pk):
        raise ValidationError({"plan": _not_your_plan()})
    today = local_date(customer.time_zone, customer.created_at)
    plan = effective_plan(values["plan"], on=today)
    fees_from, billed_until = first_days(plan, today)
    account = BillingAccount(
        customer=customer,
        provider=customer.parent,
        currency=values.get("currency") or plan.plan.currency,
        bill_type=values.get("bill_type") or plan.value("bill_type"),
        fees_from=fees_from,
        billed_until=billed_until,
        charges_from=today,
    )
    _set(account, {name: value for name, value in values.items() if value != ""})
    _clean_tax_reference(account)
    _check(account)
    account.contract_ends_on = _contract_end(
        account.contract or plan.value("contract"),
        customer.created_at,
        customer.time_zone,
    )
    account.save(force_insert=True)
    _set_taxes(account, _default_taxes(customer) if taxes is None else taxes)
    return account


def first_days(plan: EffectivePlan, today: date) -> tuple[date, date]:
    """From when an account opened ``today`` pays fees, and until when at the first go."""
    period = BillingPeriod(plan.value("billing_period"))
    next_period = period_of(today, period.months or 1)[1]
    return next_period if plan.value("bill_defer") else today, next_period


def update_account(
    *,
    account: BillingAccount,
    values: Mapping[str, Any],
    taxes: Iterable[Tax] | None,
) -> dict[str, tuple[Any, Any]]:
    """Change a locked account; returns the changes by field for the caller's audit event.

    The currency may change only while nothing was ever posted (design 4).
    """
    before = audit.snapshot(account, FIELDS)
    tax_names = _tax_names(account)
    old_contract, old_currency = account.contract, account.currency
    old_reference = account.tax_reference
    old_plan_id, was_billed = account.plan_id, _is_billed(account)
    if values.get("bill_type", account.bill_type) != account.bill_type:
        _refuse_to_leave_bill_type(account)
    _set(account, values)
    if account.currency != old_currency and account.entries.exists():
        raise ValidationError(
            {
                "currency": ValidationError(
                    _(
                        "The account has entries in %(currency)s: it keeps its currency."
                    ),
                    code="booked",
                    params={"currency": old_currency},
                )
            }
        )
    if account.tax_reference != old_reference:
        _clean_tax_reference(account)
    _check(account)
    if account.contract != old_contract:
        today = local_date(account.customer.time_zone)
        account.contract_ends_on = _contract_end(
            account.contract
            or effective_plan(account.plan, on=today).value("contract"),
            account.customer.created_at,
            account.customer.time_zone,
        )
    if account.plan_id != old_plan_id or (_is_billed(account) and not was_billed):
        account.charges_from = local_date(account.customer.time_zone)
    account.low_since = _low_since(account)
    account.save()
    if account.plan_id != old_plan_id:
        refuse_circle_of(account.plan)
    changes: dict[str, tuple[Any, Any]] = audit.differences(
        before, audit.snapshot(account, FIELDS)
    )
    if taxes is not None:
        _set_taxes(account, taxes)
        if (new_names := _tax_names(account)) != tax_names:
            changes["taxes"] = (tax_names, new_names)
    return changes


def changes_fees(
    account: BillingAccount, values: Mapping[str, Any], taxes: Iterable[Tax] | None
) -> bool:
    """Whether what `update_account` would set is anything that fees depend on."""
    for name in ("plan", "bill_type", "currency"):
        if name in values and values[name] != getattr(account, name):
            return True
    if taxes is None:
        return False
    liable = set(account.liabilities.values_list("tax_id", flat=True))
    return liable != {tax.pk for tax in taxes}


def _set(account: BillingAccount, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(account, name, value)


def _check(account: BillingAccount) -> None:
    """The rules that one account's fields must meet together."""
    provider = account.provider
    account.full_clean(
        exclude=["customer", "provider", "plan", "affiliate"], validate_unique=False
    )
    errors: dict[str, ValidationError] = {}
    plans = assignable_plans(owner_id=provider.pk, ancestor_ids=provider.ancestor_ids)
    is_kept = (
        account.pk is not None
        and BillingAccount.objects.filter(pk=account.pk, plan=account.plan).exists()
    )
    if not is_kept and not (
        plans.filter(pk=account.plan_id).exists() and hold_plan(account.plan_id)
    ):
        errors["plan"] = _not_your_plan()
    for name in ("credit_limit", "low_balance", "auto_topup", "call_maximum"):
        amount = getattr(account, name) or ZERO
        if not has_minor_unit_precision(amount, account.currency):
            errors[name] = ValidationError(
                _("%(currency)s does not have that many decimal places."),
                code="minor_unit",
                params={"currency": account.currency},
            )
    errors |= _affiliate_errors(account)
    if errors:
        raise ValidationError(errors)


def _refuse_to_leave_bill_type(account: BillingAccount) -> None:
    try:
        unfinished.refuse_to_leave_bill_type(account)
    except ValidationError as error:
        raise ValidationError({"bill_type": error}) from None


def _clean_tax_reference(account: BillingAccount) -> None:
    """Asked of a new one only: an old one must not refuse all other changes."""
    try:
        account.tax_reference = clean_tax_reference(
            account.tax_reference, country=account.customer.country
        )
    except ValidationError as error:
        raise ValidationError({"tax_reference": error}) from None


def _not_your_plan() -> ValidationError:
    return ValidationError(
        _("Choose one of your rate plans or one shared with you."), code="plan"
    )


def _affiliate_errors(account: BillingAccount) -> dict[str, ValidationError]:
    """An affiliate is another living customer of the provider, paid by something."""
    affiliate = account.affiliate
    if affiliate is None:
        if not account.affiliate_type and not account.affiliate_percentage:
            return {}
        error = ValidationError(_("Choose the affiliate."), code="required")
        return {"affiliate": error}
    errors = {}
    affiliate.refresh_from_db(fields=["parent", "deleted_at"])
    is_sibling = affiliate.parent_id == account.provider_id
    if not is_sibling or affiliate.is_deleted or affiliate.pk == account.customer_id:
        errors["affiliate"] = ValidationError(
            _("Choose another of your own customers."), code="affiliate"
        )
    if not account.affiliate_type:
        errors["affiliate_type"] = ValidationError(
            _("Choose revenue or profit."), code="required"
        )
    return errors


def _is_billed(account: BillingAccount) -> bool:
    """Whether charges are posted at all while the account has its billing type."""
    return rules_of(account.bill_type).has_monthly_fees


def _low_since(account: BillingAccount) -> datetime | None:
    """A new threshold may make a balance low, or not low any more."""
    if not account.low_balance or account.balance >= account.low_balance:
        return None
    return account.low_since or timezone.now()


def _contract_end(contract: str, created_at: Any, time_zone: str) -> date | None:
    months = Contract(contract).months if contract else 0
    if not months:
        return None
    end: date = local_date(time_zone, created_at) + relativedelta(months=months)
    return end


def _default_taxes(customer: Any) -> list[Tax]:
    return [
        tax
        for tax in available_taxes(
            owner_id=customer.parent_id, ancestor_ids=customer.parent.ancestor_ids
        )
        if tax.is_default and tax.owner_id == customer.parent_id
    ]


def _set_taxes(account: BillingAccount, taxes: Iterable[Tax]) -> None:
    wanted = {tax.pk for tax in taxes}
    allowed = set(
        available_taxes(
            owner_id=account.provider_id, ancestor_ids=account.provider.ancestor_ids
        ).values_list("pk", flat=True)
    )
    if not wanted <= allowed:
        raise ValidationError({"taxes": _("Choose taxes from the list.")})
    account.liabilities.exclude(tax__in=wanted).delete()
    present = set(account.liabilities.values_list("tax_id", flat=True))
    TaxLiability.objects.bulk_create(
        TaxLiability(account=account, tax_id=pk) for pk in sorted(wanted - present)
    )


def _tax_names(account: BillingAccount) -> list[str]:
    return list(
        account.liabilities.order_by("tax__name").values_list("tax__name", flat=True)
    )
