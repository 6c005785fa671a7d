"""The billing types as one table (D 1.5); behaviour asks it, never the type itself."""

from dataclasses import dataclass

from rateplans.choices import BillType


@dataclass(frozen=True, slots=True)
class BillTypeRules:
    """One column of the table of D 1.5."""

    uses_balance: bool
    may_top_up: bool
    has_invoices: bool
    runs_negative: bool  # the credit limit is the most one may owe, not a reserve


RULES: dict[BillType, BillTypeRules] = {
    BillType.PREPAID: BillTypeRules(
        uses_balance=True, may_top_up=True, has_invoices=True, runs_negative=False
    ),
    BillType.PREPAID_INVOICES: BillTypeRules(
        uses_balance=True, may_top_up=True, has_invoices=True, runs_negative=False
    ),
    BillType.PREPAID_CALLS: BillTypeRules(
        uses_balance=True, may_top_up=True, has_invoices=True, runs_negative=False
    ),
    BillType.POSTPAID: BillTypeRules(
        uses_balance=True, may_top_up=False, has_invoices=True, runs_negative=True
    ),
    BillType.EXTERNAL: BillTypeRules(
        uses_balance=False, may_top_up=True, has_invoices=False, runs_negative=False
    ),
    BillType.NONE: BillTypeRules(
        uses_balance=False, may_top_up=True, has_invoices=False, runs_negative=False
    ),
}


def rules_of(bill_type: str) -> BillTypeRules:
    return RULES[BillType(bill_type)]
