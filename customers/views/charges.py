"""A customer's charges: the tab beside its account and people."""

from __future__ import annotations

from typing import Any

from billing.types import rules_of
from billing.views.charge_cells import charge_items
from billing.views.charges import CustomerChargeList
from billing.views.parts import account_of
from customers.views.customer_pages import CustomerPage
from portal.core.views import Crumb
from rateplans.views.parts import sources_of


class CustomerCharges(CustomerChargeList, CustomerPage):
    template_name = "customers/customer_charges.html"
    tab = "charges"

    def title(self) -> str:
        return CustomerPage.title(self)

    def breadcrumbs(self) -> list[Crumb]:
        return CustomerPage.breadcrumbs(self)

    def page_context(self, **context: Any) -> dict[str, Any]:
        return super().page_context(
            create_url=self.create_url(), plan_charges=self.plan_charges(), **context
        )

    def plan_charges(self) -> list[dict[str, Any]]:
        """What the customer pays beside them because it is on its plan."""
        account = self.customer.account
        if not rules_of(account.bill_type).has_monthly_fees:
            return []
        return charge_items(account.plan, sources_of(account_of(self)))
