"""Sense checks: settings that are allowed but probably not meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from billing.choices import PaymentType
from billing.models import BillingAccount, Tax
from billing.party_choices import VatTreatment
from billing.types import rules_of
from portal.core.money import ZERO, format_money
from rateplans.models import RatePlan
from rateplans.selectors import effective_plan


def warnings(
    *,
    plan: RatePlan,
    values: Mapping[str, Any],
    provider: BillingAccount | None,
    balance: Decimal = ZERO,
    taxes: Iterable[Tax] = (),
) -> list[str]:
    """Sentences about an account's settings; ``values`` are the account's fields.

    ``provider`` is the reseller's own account, None for the system owner; ``balance`` is
    that of the account, if it exists already; ``taxes`` are those it is liable for.
    """
    present = effective_plan(plan, on=timezone.localdate())
    bill_type = values.get("bill_type") or present.value("bill_type")
    currency = values.get("currency") or plan.currency
    credit = values.get("credit_limit") or ZERO
    rules = rules_of(bill_type)
    found = []
    if rules.runs_negative and not credit:
        found.append(
            _(
                "Post-paid with a credit limit of 0: the customer can neither make"
                " chargeable calls nor add chargeable features."
            )
        )
    if rules.uses_balance and balance < -credit:
        found.append(
            _(
                "The balance is %(amount)s beyond this credit limit: until it is back,"
                " nothing that costs something can be added."
            )
            % {"amount": format_money(-balance - credit, currency)}
        )
    if rules.uses_balance and not rules.runs_negative and credit:
        found.append(
            _("Pre-paid with credit: the balance may fall to %(amount)s.")
            % {"amount": format_money(-credit, currency)}
        )
    if not rules.uses_balance and credit:
        found.append(
            _("This billing type keeps no balance: the credit limit has no effect.")
        )
    if values.get("auto_topup") and not values.get("low_balance"):
        found.append(
            _("Automatic top-up has no effect until the low-balance e-mail is on.")
        )
    if values.get("auto_topup") and not rules.may_top_up:
        found.append(_("Post-paid customers do not top up."))
    if values.get("payment_type") == PaymentType.DIRECT_DEBIT and not (
        values.get("bank_account_number") or values.get("debited_iban")
    ):
        found.append(_("Direct debit needs the bank details."))
    treatment = VatTreatment(values.get("vat_treatment") or VatTreatment.STANDARD)
    charged = [tax.name for tax in taxes if tax.is_vat and tax.rate]
    if charged and treatment != VatTreatment.STANDARD:
        found.append(
            _(
                "%(taxes)s is charged though invoices are to say “%(treatment)s”: untick"
                " it under Taxes, or change the VAT treatment."
            )
            % {"taxes": ", ".join(charged), "treatment": treatment.label}
        )
    if currency != plan.currency:
        found.append(
            _(
                "The plan's prices are in %(plan)s and are converted to %(account)s"
                " whenever something is charged."
            )
            % {"plan": plan.currency, "account": currency}
        )
    if provider is not None and credit and provider.currency == currency:
        available = provider.available
        if credit > available:
            found.append(
                _(
                    "This is more credit than you have yourself: %(available)s are left"
                    " for all your customers together."
                )
                % {"available": format_money(available, currency)}
            )
    return found
