"""A customer's charges: the tab beside its account and people."""

from __future__ import annotations

from typing import Any

from billing.views.charges import CustomerChargeList
from customers.views.customer_pages import CustomerPage
from portal.core.views import Crumb


class CustomerCharges(CustomerChargeList, CustomerPage):
    template_name = "customers/customer_charges.html"
    tab = "charges"

    def title(self) -> str:
        return CustomerPage.title(self)

    def breadcrumbs(self) -> list[Crumb]:
        return CustomerPage.breadcrumbs(self)

    def page_context(self, **context: Any) -> dict[str, Any]:
        return super().page_context(create_url=self.create_url(), **context)
