"""What the Features pages share: the account's own rows, one form each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext as _

from billing.services.maxima import refusal_of_another
from customers.models import Customer
from portal.core.permissions import Permission
from portal.core.row_pages import OneRow, RowConfirmPage, RowEditPage, RowFormPage
from portal.core.views import ListPage, PortalView
from rateplans.choices import Feature


def account_of(view: PortalView) -> Customer:
    """The account whose features the page shows."""
    account: Customer = view.request.reach.account
    return account


class FeatureList(ListPage):
    """The account's own rows of a feature, with a button for another one.

    Where no rate plan allows another one, the page says so in its place (D 3.4).
    """

    permission = Permission.USER
    feature: ClassVar[Feature]
    create_name: ClassVar[str]

    def may_create(self) -> bool:
        """Whether the actor's role lets it add one."""
        return self.actor.can(Permission.ADMINISTRATOR)

    def refusal(self) -> str:
        """Why plans allow no more; empty if they do."""
        return refusal_of_another(account_of(self), self.feature, by=self.actor)

    @cached_property
    def create_refusal(self) -> str:
        return self.refusal() if self.may_create() else ""

    def create_url(self) -> str:
        """Where another one is made; empty if that is not possible."""
        if not self.may_create() or self.create_refusal:
            return ""
        return self.url(self.create_name)

    def page_actions(self) -> Sequence[dict[str, str]]:
        if self.create_refusal:
            return ({"refusal": self.create_refusal},)
        if not self.may_create():
            return ()
        return (
            {
                "label": _("New"),
                "url": self.create_url(),
                "icon": "plus",
                "shortcut": "n",
            },
        )


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
