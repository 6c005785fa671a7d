"""What the Features pages share: the account's own rows, one form each."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from customers.models import Customer
from portal.core.permissions import Permission
from portal.core.row_pages import OneRow, RowConfirmPage, RowEditPage, RowFormPage
from portal.core.views import PortalView


def account_of(view: PortalView) -> Customer:
    """The account whose features the page shows."""
    account: Customer = view.request.reach.account
    return account


class OwnRow(OneRow):
    """Mixed into a page about one row of the account's own."""

    model: ClassVar[type[models.Model]]
    related: ClassVar[tuple[str, ...]] = ("customer",)

    def rows(self: Any) -> Any:
        return self.model.objects.filter(customer=self.actor.customer.pk)


class FeatureFormPage(RowFormPage):
    """A form about a feature, below the list that it belongs to."""

    permission = Permission.ADMINISTRATOR
    template_name = "customers/feature_form.html"


class FeatureEditPage(OwnRow, RowEditPage, FeatureFormPage):
    """The form of a feature that exists."""


class FeatureConfirmPage(OwnRow, RowConfirmPage):
    """A confirmed action on one feature."""

    permission = Permission.ADMINISTRATOR
