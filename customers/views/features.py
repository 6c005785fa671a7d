"""What the Features pages share: the account's own rows, one form each."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.db import models
from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from customers.audit_labels import missed_changes
from customers.models import Customer
from portal.core.forms import PortalForm
from portal.core.permissions import Permission
from portal.core.staleness import state_of
from portal.core.views import ConfirmPage, Crumb, FormPage, PortalView


def account_of(view: PortalView) -> Customer:
    """The account whose features the page shows."""
    account: Customer = view.request.reach.account
    return account


class OwnRow:
    """Mixed into a page about one row: the account's own; 404 for all others alike."""

    model: ClassVar[type[models.Model]]
    related: ClassVar[tuple[str, ...]] = ("customer",)

    @cached_property
    def row(self: Any) -> Any:
        return get_object_or_404(
            self.rows().select_related(*self.related), pk=self.kwargs["pk"]
        )

    def rows(self: Any) -> Any:
        return self.model.objects.filter(customer=self.actor.customer.pk)


class FeatureFormPage(FormPage):
    """A form about a feature, below the list that it belongs to."""

    permission = Permission.ADMINISTRATOR
    template_name = "customers/feature_form.html"
    list_title: ClassVar[Any]
    list_url: ClassVar[str]

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(self.list_title, self.url(self.list_url))]

    def cancel_url(self) -> str:
        return self.url(self.list_url)


class FeatureEditPage(OwnRow, FeatureFormPage):
    """The form of a row that exists; overwrites nothing unseen that others saved."""

    state_fields: ClassVar[tuple[str, ...]]

    def initial(self) -> dict[str, Any]:
        values = {name: getattr(self.row, name) for name in self.state_fields}
        return values | {"seen": state_of(self.row, self.state_fields)}

    def render_form(self, form: Any, **kwargs: Any) -> HttpResponse:
        if kwargs.get("stale") is not None:
            # Saving again is then a decision: the form goes on from the present state.
            row = self.rows().get(pk=self.row.pk)
            form.data = form.data.copy()
            form.data["seen"] = state_of(row, self.state_fields)
            kwargs["stale"] = missed_changes(row, reader=self.request.reach.own)
        return super().render_form(form, **kwargs)


class FeatureConfirmPage(OwnRow, ConfirmPage):
    """A confirmed action on one row; where it leads afterwards is its edit page."""

    permission = Permission.ADMINISTRATOR
    list_title: ClassVar[Any]
    list_url: ClassVar[str]
    edit_url: ClassVar[str]

    def breadcrumbs(self) -> list[Crumb]:
        return [
            Crumb(self.list_title, self.url(self.list_url)),
            Crumb(self.row_name(), self.cancel_url()),
        ]

    def row_name(self) -> str:
        """What the row is called on its own page."""
        return str(self.row)

    def cancel_url(self) -> str:
        return self.url(self.edit_url, pk=self.row.pk)

    def build_form(self, data: Any = None, files: Any = None) -> forms.BaseForm:
        return PortalForm(data)

    def refusal(self) -> str:
        """Why it cannot be done now; the page then has no button for it."""
        return ""

    def form_context(self, form: Any) -> dict[str, Any]:
        return super().form_context(form) | {"refusal": self.refusal()}
