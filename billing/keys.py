"""Keys of ledger entries: each names one business event, booked once on an account.

An entry keeps its key for ever, so these formats never change: whoever needs to tell more
begins a new word. FIRST is the id of the first `BilledFeature` that the entry is about.

=================================  ===================================================
key                                event
=================================  ===================================================
signup:FIRST, recurring:FIRST      fees of what was added together (services.fees), or
                                   began again with its customer (services.returns)
signup:DAY:FEATURE:CLASS,          fees of one kind for the period that begins on DAY;
recurring:DAY:FEATURE:CLASS        CLASS, of numbers, may be empty (services.periods)
refund:FIRST                       days given back of what left together
contract:FIRST                     the rest of a contract, for what left together
returned:FIRST                     that rest, given back when its customer is restored
charge:CHARGE:DAY                  one time of a recurring charge
charge:CHARGE:once                 the only time of another charge
purchase:UUID                      one order of a product, at every level
manual:TOKEN                       what a page posted by hand: TOKEN is of the page
reversal:ENTRY                     what takes the entry of that id back
invoice:KEY                        the debt that moved to the invoice of that key
rounding:KEY                       what rounding made of that invoice
payment:PAYMENT:invoices           what of a payment settled invoices
payment:PAYMENT:balance            what of it was left over
payment:PAYMENT:invoices:SETTLED,  what of it came off an invoice later, and went to the
payment:PAYMENT:balance:SETTLED    balance; SETTLED is the id of that `Settlement`
payment-back:PAYMENT:invoices,     both when it came back
payment-back:PAYMENT:balance
credit-note:KEY[:1]                what the credit note of that key gives back, and what it
                                   takes back where that is an entry of its own
credited:KEY                       what of that went to the invoice, not to the balance
=================================  ===================================================

The demo's and the bench's own entries begin with ``demo:`` and ``bench:``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

CHARGES = "charge:"  # what all keys of charges begin with
_ONCE = "once"

# PostgreSQL: the id of the first feature in the key of an entry about single features.
FIRST_FEATURE = r"^(?:signup|recurring|refund|contract|returned):(\d+)$"


def added_fee(kind: str, first: int) -> str:
    """The fee of ``kind``, sign-up or recurring, of features that came together."""
    return f"{kind}:{first}"


def period_fee(
    kind: str, begin: date, feature: str, number_class_id: int | None
) -> str:
    """The fee of ``kind`` of all features of a kind, for the period from ``begin`` on."""
    return f"{kind}:{begin.isoformat()}:{feature}:{number_class_id or ''}"


@dataclass(frozen=True, slots=True)
class AddedFee:
    """What `added_fee` was made of."""

    first: int


@dataclass(frozen=True, slots=True)
class PeriodFee:
    """What `period_fee` was made of."""

    begin: date
    feature: str
    number_class_id: int | None


def read_fee(key: str) -> AddedFee | PeriodFee:
    """What a key of `added_fee` or `period_fee` says. Raises ValueError for another."""
    match key.split(":"):
        case ["signup" | "recurring", first]:
            return AddedFee(int(first))
        case ["signup" | "recurring", begin, feature, number_class]:
            return PeriodFee(
                date.fromisoformat(begin), feature, int(number_class or 0) or None
            )
    raise ValueError(f"{key} is not the key of a fee")


def fees(kind: str) -> str:
    """What keys of both kinds of fees begin with."""
    return f"{kind}:"


def period_fees(kind: str) -> str:
    """PostgreSQL: the pattern of keys that `period_fee` makes."""
    return rf"^{kind}:\d+-"


def refund(first: int) -> str:
    return f"refund:{first}"


def contract_rest(first: int) -> str:
    return f"contract:{first}"


def contract_returned(first: int) -> str:
    return f"returned:{first}"


def charge_time(charge_id: int, day: date | None) -> str:
    """The time of a charge that is due on ``day``; None for one that is due once."""
    return f"{CHARGES}{charge_id}:{day.isoformat() if day else _ONCE}"


def charge_time_sql(row: str) -> str:
    """PostgreSQL: `charge_time` of a ``row`` with charge_id, day and is_once."""
    return (
        f"'{CHARGES}' || {row}.charge_id || ':'"
        f" || CASE WHEN {row}.is_once THEN '{_ONCE}' ELSE {row}.day::text END"
    )


def purchase(order: UUID) -> str:
    return f"purchase:{order}"


def manual(token: str) -> str:
    return f"manual:{token}"


def reversal(entry_id: int) -> str:
    return f"reversal:{entry_id}"


def invoice_reset(invoice: str) -> str:
    return f"invoice:{invoice}"


def invoice_residue(invoice: str) -> str:
    return f"rounding:{invoice}"


def payment_part(payment_id: int, part: str, settlement_id: int | None = None) -> str:
    """``part`` is "invoices" or "balance"; with a settlement, what that gave up."""
    key = f"payment:{payment_id}:{part}"
    return key if settlement_id is None else f"{key}:{settlement_id}"


def payment_back(payment_id: int, part: str) -> str:
    return f"payment-back:{payment_id}:{part}"


def credit_note(key: str, place: int = 0) -> str:
    return f"credit-note:{key}" + (f":{place}" if place else "")


def is_of_credit_note(key: str) -> bool:
    return key.startswith(("credit-note:", "credited:"))


def credited(key: str) -> str:
    return f"credited:{key}"


# Keys of invoices themselves: each names its occasion, invoiced once on an account.


def period_invoice(end: date) -> str:
    """The invoice of the period that ends before the day ``end``."""
    return f"period:{end.isoformat()}"


TOPUPS = "topup:"  # what all keys of invoices of top-ups begin with


def period_of_invoice(key: str) -> date:
    """The day that `period_invoice` was made of."""
    return date.fromisoformat(key.partition(":")[2])


def topup_invoice(entry_id: int) -> str:
    return f"{TOPUPS}{entry_id}"


def requested_invoice(token: str) -> str:
    """What a page asked for: ``token`` is of the page."""
    return f"request:{token}"


def credit_of(token: str) -> str:
    """The credit note that a page asked for."""
    return f"credit:{token}"


def reissue_of(token: str) -> str:
    """The invoice that the same page made in place of the credited one."""
    return f"reissue:{token}"
