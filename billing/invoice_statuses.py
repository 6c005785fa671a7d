"""The statuses of invoices, and what may follow what, as one table (D 6.2)."""

from __future__ import annotations

from datetime import timedelta

from billing.choices import InvoiceStatus as S

# By hand, with the permission `commerce`. Cancelled is what a credit note makes.
BY_HAND: dict[S, frozenset[S]] = {
    S.PENDING: frozenset(),
    S.QUEUED: frozenset({S.APPROVED}),
    S.APPROVED: frozenset({S.QUEUED}),
    S.DUE: frozenset({S.OVERDUE, S.PAID, S.PAYMENT_REFUSED}),
    S.OVERDUE: frozenset({S.DUE, S.PAID, S.PAYMENT_REFUSED}),
    S.PAYMENT_REFUSED: frozenset({S.DUE, S.OVERDUE, S.PAID}),
    S.PAID: frozenset({S.PAYMENT_REFUSED}),
    S.PREPAID: frozenset(),
    S.SUPERSEDED: frozenset(),
    S.CANCELLED: frozenset(),
}

# By what happens: issuing, sending, days that pass, payments, credit notes.
BY_EVENT: dict[S, frozenset[S]] = {
    S.PENDING: frozenset({S.QUEUED, S.DUE, S.PAID, S.PREPAID}),
    S.QUEUED: frozenset({S.APPROVED, S.SUPERSEDED, S.CANCELLED, S.PAID}),
    S.APPROVED: frozenset({S.DUE, S.PAID, S.PREPAID, S.SUPERSEDED, S.CANCELLED}),
    S.DUE: frozenset({S.OVERDUE, S.PAID, S.PAYMENT_REFUSED, S.SUPERSEDED, S.CANCELLED}),
    S.OVERDUE: frozenset({S.PAID, S.PAYMENT_REFUSED, S.SUPERSEDED, S.CANCELLED}),
    S.PAYMENT_REFUSED: frozenset({S.PAID, S.SUPERSEDED, S.CANCELLED}),
    # A payment may come back, by itself or because it was somebody else's.
    S.PAID: frozenset({S.DUE, S.OVERDUE, S.PAYMENT_REFUSED, S.SUPERSEDED, S.CANCELLED}),
    S.PREPAID: frozenset({S.SUPERSEDED, S.CANCELLED}),
    S.SUPERSEDED: frozenset(),
    S.CANCELLED: frozenset(),
}

# Somebody is waiting for money.
UNPAID = (S.DUE, S.OVERDUE, S.PAYMENT_REFUSED)
# Payments settle these: also what was issued and waits to be sent.
OPEN = (*UNPAID, S.QUEUED, S.APPROVED)
# Part of what a customer sees: not before it was approved.
SHOWN_TO_CUSTOMERS = (
    S.DUE,
    S.OVERDUE,
    S.PAID,
    S.PAYMENT_REFUSED,
    S.PREPAID,
    S.SUPERSEDED,
    S.CANCELLED,
)
# Not mailed any more unless somebody asks for it: what was corrected before its mail, and
# what is older than this. Who enters an address gets the newest by mail, not all the years'.
MAILED_BY_ITSELF = tuple(
    status for status in SHOWN_TO_CUSTOMERS if status not in {S.SUPERSEDED, S.CANCELLED}
)
MAILED_WITHIN = timedelta(days=14)


def may_follow(present: str, wanted: str, *, by_hand: bool = False) -> bool:
    """Whether an invoice may go from ``present`` to ``wanted``."""
    table = BY_HAND if by_hand else BY_EVENT
    return S(wanted) in table[S(present)]
