"""What takes money from the cards of post-paid customers: an interface, and which one is used.

Without one (the default) nothing is taken: invoices of card customers are due like others, and
people record what comes in. `PAYMENT_GATEWAY` names the class of the one to use.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from billing.choices import CardOutcome

# Of what is pending, the same order is asked for again later.
Outcome = CardOutcome


@dataclass(frozen=True, slots=True)
class Order:
    """Money to take from a customer, in minor-unit precision. ``key`` names it for good."""

    key: str
    customer_id: int
    amount: Decimal
    currency: str
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    """``reference`` is the gateway's own; ``reason`` says why it was refused."""

    outcome: Outcome
    reference: str = ""
    reason: str = ""


class Gateway(Protocol):
    def collect(self, order: Order) -> Answer:
        """Take the money once per ``order.key``; the same key gives the same answer.

        An order never changes: it is kept before it is asked for (`billing.models.CardOrder`).
        Whatever it raises means that nothing is known: the order is asked for again.
        """


def gateway() -> Gateway | None:
    """The one that the installation uses; None if there is none."""
    if not settings.PAYMENT_GATEWAY:
        return None
    found: Gateway = import_string(settings.PAYMENT_GATEWAY)()
    return found
