"""The billing types as one table (D 1.5); behaviour asks it, never the type itself."""

from dataclasses import dataclass

from rateplans.choices import BillType


@dataclass(frozen=True, slots=True)
class BillTypeRules:
    """One column of the table of D 1.5."""

    calls_move_balance: bool
    transactions_move_balance: bool
    has_monthly_fees: bool
    may_top_up: bool
    runs_negative: bool  # the credit limit is the most one may owe, not a reserve
    resets_on_invoice: bool  # saving the invoice moves the debt off the balance
    has_period_invoices: bool  # each period, if the plan says so
    has_invoices_on_request: bool
    has_topup_invoices: bool
    shows_total_due: bool
    shows_balance: bool

    @property
    def uses_balance(self) -> bool:
        """Whether anything at all moves the balance, so that a credit limit counts."""
        return self.calls_move_balance or self.transactions_move_balance


RULES: dict[BillType, BillTypeRules] = {
    BillType.PREPAID: BillTypeRules(
        calls_move_balance=True,
        transactions_move_balance=True,
        has_monthly_fees=True,
        may_top_up=True,
        runs_negative=False,
        resets_on_invoice=False,
        has_period_invoices=False,
        has_invoices_on_request=True,
        has_topup_invoices=True,
        shows_total_due=False,
        shows_balance=True,
    ),
    BillType.PREPAID_INVOICES: BillTypeRules(
        calls_move_balance=True,
        transactions_move_balance=True,
        has_monthly_fees=True,
        may_top_up=True,
        runs_negative=False,
        resets_on_invoice=False,
        has_period_invoices=True,
        has_invoices_on_request=True,
        has_topup_invoices=False,
        shows_total_due=False,
        shows_balance=True,
    ),
    BillType.PREPAID_CALLS: BillTypeRules(
        calls_move_balance=True,
        transactions_move_balance=False,
        has_monthly_fees=True,
        may_top_up=True,
        runs_negative=False,
        resets_on_invoice=False,
        has_period_invoices=True,
        has_invoices_on_request=True,
        has_topup_invoices=False,
        shows_total_due=True,
        shows_balance=True,
    ),
    BillType.POSTPAID: BillTypeRules(
        calls_move_balance=True,
        transactions_move_balance=True,
        has_monthly_fees=True,
        may_top_up=False,
        runs_negative=True,
        resets_on_invoice=True,
        has_period_invoices=True,
        has_invoices_on_request=True,
        has_topup_invoices=False,
        shows_total_due=True,
        shows_balance=False,
    ),
    BillType.EXTERNAL: BillTypeRules(
        calls_move_balance=False,
        transactions_move_balance=False,
        has_monthly_fees=False,
        may_top_up=False,
        runs_negative=False,
        resets_on_invoice=False,
        has_period_invoices=False,
        has_invoices_on_request=False,
        has_topup_invoices=False,
        shows_total_due=False,
        shows_balance=False,
    ),
    BillType.NONE: BillTypeRules(
        calls_move_balance=False,
        transactions_move_balance=False,
        has_monthly_fees=False,
        may_top_up=False,
        runs_negative=False,
        resets_on_invoice=False,
        has_period_invoices=False,
        has_invoices_on_request=False,
        has_topup_invoices=False,
        shows_total_due=False,
        shows_balance=False,
    ),
}


def rules_of(bill_type: str) -> BillTypeRules:
    return RULES[BillType(bill_type)]
