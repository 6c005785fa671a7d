"""Whether plans allow one more of a feature, asked before anybody fills in a form (D 3.4)."""

from __future__ import annotations

from typing import Any

from django.db import connection

from billing.services.credit import maximum_text
from portal.core.actor import Actor
from rateplans.choices import Feature
from rateplans.selectors import chain_sql

_FIRST = """SELECT account.customer_id, account.plan_id, 0
    FROM billing_billingaccount account WHERE account.customer_id = ANY(%(customers)s)"""
# The account nearest to the customer whose plan allows no more: what the plan says itself
# or inherits, against what there is at and below the account, counted up to the maximum.
_FULL = f"""{chain_sql(_FIRST)}, said AS (
    SELECT DISTINCT ON (chain.start_id)
           chain.start_id AS customer_id, permission.maximum
    FROM chain
    JOIN rateplans_planfeature permission
      ON permission.plan_id = chain.plan_id
     AND permission.feature = %(feature)s
     AND permission.maximum IS NOT NULL
    ORDER BY chain.start_id, chain.place
)
SELECT place.path, place.name, said.maximum
FROM said
JOIN customers_customer place ON place.id = said.customer_id
WHERE said.maximum >= 0
  AND said.maximum = (
      SELECT count(*) FROM (
          SELECT 1 FROM customers_customer holder
          JOIN billing_billedfeature billed ON billed.customer_id = holder.id
          WHERE holder.path >= place.path COLLATE "C"
            AND holder.path < (place.path || ':') COLLATE "C"
            AND holder.deleted_at IS NULL
            AND billed.feature = %(feature)s
            AND billed.ended_at IS NULL
          LIMIT said.maximum
      ) counted)
ORDER BY place.path DESC
LIMIT 1
"""


def refusal_of_another(
    customer: Any, feature: Feature, *, by: Actor, is_held_above: bool = False
) -> str:
    """Why plans allow ``customer`` no more of a feature now, as ``by`` may read it.

    Empty if they do. It is judged as `fees.refuse_above_maximum` judges: who acts from
    above by the plans above the customer's; what ``is_held_above`` (a number in the provider's
    stock) counts there already. An account is given to somebody new below ``customer``,
    whose own plan therefore always counts. One query.
    """
    ids = [] if is_held_above else customer.ancestor_ids
    if by.home.path == customer.path or feature == Feature.ACCOUNT:
        ids = [*ids, customer.pk]
    if not ids:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_FULL, {"customers": ids, "feature": feature})
        full = cursor.fetchone()
    if full is None:
        return ""
    path, name, maximum = full
    return maximum_text(path, name, feature, maximum=maximum, by=by)
