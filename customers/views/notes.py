"""Notes about a customer: a list with a form above it, and pages to change one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.audit_labels import missed_changes
from customers.models import Customer, Note
from customers.selectors import customers_below
from customers.services import notes as services
from customers.views.customer_pages import customer_head
from portal.core.forms import PortalForm
from portal.core.permissions import Permission
from portal.core.staleness import state_of
from portal.core.views import ConfirmPage, Crumb, FormPage


class NoteForm(PortalForm):
    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=120)
    body = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea({"rows": 4}),
    )
    seen = forms.CharField(required=False, max_length=24, widget=forms.HiddenInput)


class NotePage(FormPage):
    permission = Permission.COMMERCE

    @cached_property
    def customer(self) -> Customer:
        below = customers_below(self.actor).select_related("parent")
        return get_object_or_404(below, pk=self.kwargs["pk"])

    @cached_property
    def note(self) -> Note:
        return get_object_or_404(
            Note.objects.select_related("customer"),
            pk=self.kwargs["note"],
            customer=self.customer,
        )

    def list_url(self) -> str:
        return self.url("customers:customer-notes", pk=self.kwargs["pk"])

    def cancel_url(self) -> str:
        return self.list_url()

    def breadcrumbs(self) -> list[Crumb]:
        return [
            Crumb(_("Customers"), self.url("customers:customer-list")),
            Crumb(
                self.customer.name,
                self.url("customers:customer-detail", pk=self.kwargs["pk"]),
            ),
        ]


class NoteList(NotePage):
    """The notes, newest first, and room for one more."""

    template_name = "customers/customer_notes.html"
    submit_label = gettext_lazy("Add note")

    def title(self) -> str:
        return self.customer.name

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Customers"), self.url("customers:customer-list"))]

    def build_form(self, data: Any = None, files: Any = None) -> NoteForm:
        return NoteForm(data)

    def form_context(self, form: NoteForm) -> dict[str, Any]:
        customer = self.customer
        return {
            **customer_head(self, customer, "notes"),
            "notes": list(Note.objects.filter(customer=customer)[:100]),
        }

    def save(self, form: NoteForm) -> str:
        services.write_note(customer=self.customer, by=self.actor, **form.cleaned_data)
        return self.list_url()

    def success_message(self, form: NoteForm) -> str:
        return _("Note added.")


class NoteEdit(NotePage):
    template_name = "customers/note_form.html"

    def title(self) -> str:
        return _("Edit note")

    def build_form(self, data: Any = None, files: Any = None) -> NoteForm:
        note = self.note
        values = {name: getattr(note, name) for name in services.FIELDS}
        seen = state_of(note, services.FIELDS)
        return NoteForm(data, initial=values | {"seen": seen})

    def render_form(self, form: Any, **kwargs: Any) -> HttpResponse:
        if kwargs.get("stale") is not None:
            # Saving again is then a decision: the form goes on from the present state.
            note = self.note
            note.refresh_from_db(fields=services.FIELDS)
            form.data = form.data.copy()
            form.data["seen"] = state_of(note, services.FIELDS)
            kwargs["stale"] = missed_changes(note, reader=self.request.reach.own)
        return super().render_form(form, **kwargs)

    def save(self, form: NoteForm) -> str:
        services.write_note(
            customer=self.customer, note=self.note, by=self.actor, **form.cleaned_data
        )
        return self.list_url()


class NoteDelete(ConfirmPage, NotePage):
    submit_label = gettext_lazy("Delete")

    def title(self) -> str:
        return _("Delete note “%(subject)s”") % {"subject": self.note.subject}

    def consequences(self) -> list[str]:
        return [_("The note is gone for good.")]

    def build_form(self, data: Any = None, files: Any = None) -> PortalForm:
        return PortalForm(data)

    def save(self, form: PortalForm) -> str:
        services.delete_note(note=self.note, by=self.actor)
        return self.list_url()

    def success_message(self, form: PortalForm) -> str:
        return _("Deleted.")
