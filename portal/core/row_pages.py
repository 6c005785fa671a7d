"""Pages about one row: its form, which overwrites nothing unseen, and actions on it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from portal.core.forms import PortalForm
from portal.core.staleness import state_of
from portal.core.views import ConfirmPage, Crumb, FormPage


class OneRow:
    """Mixed into a page about one row: 404 for what is not among `rows`."""

    related: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def row(self: Any) -> Any:
        return get_object_or_404(
            self.rows().select_related(*self.related), pk=self.kwargs["pk"]
        )

    def rows(self: Any) -> Any:
        """The rows that the page may be about: the account's own."""
        raise NotImplementedError


class RowFormPage(FormPage):
    """A form about a row, below the list that it belongs to."""

    list_title: ClassVar[Any]
    list_url: ClassVar[str]

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(self.list_title, self.url(self.list_url))]

    def cancel_url(self) -> str:
        return self.url(self.list_url)


class RowEditPage(OneRow, RowFormPage):
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
            kwargs["stale"] = self.request.reach.missed_changes(row)
        return super().render_form(form, **kwargs)


class RowConfirmPage(OneRow, ConfirmPage):
    """A confirmed action on one row; where it leads afterwards is its edit page."""

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
