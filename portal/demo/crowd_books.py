"""What the crowd is billed for, what it pays, and balances with an entry behind each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from django.db import connection

from billing.choices import EntryKind
from portal.demo.copying import Rows
from rateplans.choices import Feature, Occurs
from rateplans.models import NumberClass, PlanPrice

# Sign-up fee and monthly fee.
FEES = {
    Feature.ACCOUNT: ("0", "2.50"),
    Feature.LINE: ("5", "3.90"),
    Feature.MAILBOX: ("0", "0.50"),
}
NUMBER_FEES = ("1", "0.75")
# The rows that fees are for: their table, and what they are called.
_OBJECTS = {
    Feature.ACCOUNT: ("customers_customer", "id", "name"),
    Feature.LINE: ("customers_telephoneline", "customer_id", "name"),
    Feature.MAILBOX: ("customers_mailbox", "customer_id", "name"),
    Feature.PERSON: ("customers_person", "customer_id", "username"),
    Feature.NUMBER: ("customers_number", "customer_id", "number"),
}


def price_plans(plan_ids: list[int]) -> None:
    """The same simple prices in each plan, for ever."""
    prices = Rows(
        PlanPrice,
        ("plan_id", "feature", "number_class_id", "occurs", "amount"),
        valid="(,)",
    )
    classes = list(NumberClass.objects.values_list("pk", flat=True))
    for plan_id in plan_ids:
        for place, occurs in enumerate((Occurs.SIGNUP, Occurs.RECURRING)):
            for feature, fees in FEES.items():
                prices.add(plan_id, feature, None, occurs, Decimal(fees[place]))
            for number_class in classes:
                amount = Decimal(NUMBER_FEES[place])
                prices.add(plan_id, Feature.NUMBER, number_class, occurs, amount)
    prices.load()


def open_books(customer_ids: range | list[int], today: date) -> None:
    """Bill these customers for what they have, from next month on, and open balances."""
    next_month: date = today.replace(day=1) + relativedelta(months=1)
    first, last = min(customer_ids), max(customer_ids)
    with connection.cursor() as cursor:
        for feature, (table, owner, label) in _OBJECTS.items():
            number_class = (
                "object.number_class_id" if feature == Feature.NUMBER else "NULL"
            )
            real = "AND NOT object.is_pseudo" if feature == Feature.PERSON else ""
            cursor.execute(
                "INSERT INTO billing_billedfeature (customer_id, feature, object_id,"
                " number_class_id, label, started_at)"
                f" SELECT customer.id, %s, object.id, {number_class},"
                f" object.{label}, customer.created_at"
                f" FROM {table} object JOIN customers_customer customer"
                f" ON customer.id = object.{owner}"
                f" WHERE customer.id BETWEEN %s AND %s {real} ORDER BY object.id",
                [feature, first, last],
            )
        # Whatever is owed to the day is in the balance that an account begins with.
        cursor.execute(
            "UPDATE billing_billingaccount account SET billed_until = %s,"
            " fees_from = customer.created_at::date,"
            " balance = ((hashint4(account.id::int) %% 8000) - 2000) / 100.0"
            " FROM customers_customer customer"
            " WHERE customer.id = account.customer_id AND customer.id BETWEEN %s AND %s",
            [next_month, first, last],
        )
        cursor.execute(
            "INSERT INTO billing_ledgerentry (account_id, key, kind, amount, net,"
            " is_on_balance, balance_after, description, reference, quantity,"
            " original_currency, feature, person_name, acting_as_name, at, created_at)"
            " SELECT id, 'opening', %s, balance, balance, true, balance,"
            " 'Opening balance', '', 1, '', '', '', '', now(), now()"
            " FROM billing_billingaccount WHERE customer_id BETWEEN %s AND %s"
            " AND balance <> 0 ORDER BY id",
            [EntryKind.OPENING, first, last],
        )
