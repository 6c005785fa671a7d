"""Account numbers: counted on by each reseller, past those that were given by hand."""

from __future__ import annotations

from customers.models import Customer

_NUMBERS_AT_ONCE = 500


def propose_account_number(parent: Customer) -> str:
    """The number the next customer of ``parent`` would get; not reserved."""
    return _next_free_number(parent, parent.account_counter + 1)


def take_account_number(parent: Customer) -> str:
    """Give out the next number of ``parent``, never one that was given out before.

    The parent's row stays locked until the transaction ends, so two who ask at once get
    two numbers.
    """
    locked = Customer.objects.select_for_update(no_key=True).get(pk=parent.pk)
    number = _next_free_number(locked, locked.account_counter + 1)
    Customer.objects.filter(pk=parent.pk).update(account_counter=int(number))
    return number


def _next_free_number(parent: Customer, begin: int) -> str:
    """The first number from ``begin`` on that none of the parent's customers has."""
    while True:
        candidates = [str(begin + step) for step in range(_NUMBERS_AT_ONCE)]
        taken = set(
            Customer.objects.filter(
                parent=parent, account_number__in=candidates
            ).values_list("account_number", flat=True)
        )
        for number in candidates:
            if number not in taken:
                return number
        begin += _NUMBERS_AT_ONCE
