"""What is done to a customer besides editing: lock, delete, restore, purge, move, resend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Value
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from customers.choices import Lock
from customers.mail_kinds import LOGIN_DETAILS
from customers.models import Customer, NameKey, Person
from customers.selectors import customers_below, latest_email
from customers.services import locks, people, tree
from customers.views.customers import CustomerList, export_customers
from portal.core.forms import PortalForm
from portal.core.permissions import Permission
from portal.core.tables import PAGE_SIZE
from portal.core.urls import row_id, with_query
from portal.core.views import ConfirmPage, Crumb, PortalView
from rateplans.selectors import assignable_plans


class CustomerAction(ConfirmPage):
    """A confirmed action on one customer below."""

    permission = Permission.COMMERCE

    @cached_property
    def customer(self) -> Customer:
        below = customers_below(self.actor).select_related("parent", "account")
        return get_object_or_404(below, pk=self.kwargs["pk"])

    def breadcrumbs(self) -> list[Crumb]:
        return [
            Crumb(_("Customers"), self.url("customers:customer-list")),
            Crumb(self.customer.name, self.cancel_url()),
        ]

    def cancel_url(self) -> str:
        return self.url("customers:customer-detail", pk=self.kwargs["pk"])

    def build_form(self, data: Any = None, files: Any = None) -> forms.BaseForm:
        return PortalForm(data)


class LockForm(PortalForm):
    lock = forms.ChoiceField(
        label=pgettext_lazy("noun", "Lock"),
        choices=Lock.choices,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Kept with the lock; the customer does not see it."),
    )


class CustomerLock(CustomerAction):
    is_danger = False

    def title(self) -> str:
        return _("Lock or unlock %(name)s") % {"name": self.customer.name}

    submit_label = gettext_lazy("Save")

    def consequences(self) -> Sequence[str]:
        return (
            _("Locked out of the web, its people are logged out at their next click."),
            _("Locked calls cannot be started; running ones go on."),
            _("Its own customers are not locked with it."),
        )

    def build_form(self, data: Any = None, files: Any = None) -> LockForm:
        customer = self.customer
        return LockForm(
            data, initial={"lock": customer.lock, "reason": customer.lock_reason}
        )

    def save(self, form: LockForm) -> str:
        locks.set_lock(
            customer=self.customer,
            lock=Lock(form.cleaned_data["lock"]),
            reason=form.cleaned_data["reason"],
            by=self.actor,
        )
        return self.cancel_url()


class CustomerPurge(CustomerAction):
    def title(self) -> str:
        return _("Purge %(name)s") % {"name": self.customer.name}

    submit_label = gettext_lazy("Purge for good")

    def consequences(self) -> Sequence[str]:
        return (
            _(
                "Its account, people, lines, mailboxes and notes are destroyed for good."
            ),
            _("Its numbers come back to the account above."),
            _("The audit log stays."),
        )

    def save(self, form: forms.BaseForm) -> str:
        tree.purge_customer(customer=self.customer, by=self.actor)
        return self.url("customers:customer-list")

    def success_message(self, form: forms.BaseForm) -> str:
        return _("Purged.")


class MoveForm(PortalForm):
    """The new parent by name, exactly, and one of the plans it can give."""

    parent_name = forms.CharField(
        label=gettext_lazy("Name of the new parent"),
        max_length=120,
        help_text=gettext_lazy("As it stands in the list, without regard to case."),
    )
    plan_name = forms.CharField(
        label=gettext_lazy("Rate plan of the new parent"),
        max_length=80,
        help_text=gettext_lazy("One of its own, or one shared with it."),
    )

    def clean_parent_name(self) -> str:
        name = self.cleaned_data["parent_name"]
        parent = Customer.objects.filter(
            name_key=NameKey(Value(name)), deleted_at=None
        ).first()
        if parent is None:
            raise ValidationError(
                _("There is no customer of this name."), code="unknown"
            )
        self.cleaned_data["parent"] = parent
        return str(name)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        parent = data.get("parent")
        if parent is None or "plan_name" not in data:
            return data
        plans = assignable_plans(owner_id=parent.pk, ancestor_ids=parent.ancestor_ids)
        plan = plans.filter(name__iexact=data["plan_name"].strip()).first()
        if plan is None:
            names = ", ".join(plans.values_list("name", flat=True)[:10])
            self.add_error(
                "plan_name",
                _("It has no such plan. It has: %(names)s.") % {"names": names}
                if names
                else _("It has no rate plan yet."),
            )
        data["plan"] = plan
        return data


class CustomerMove(CustomerAction):
    """System owner only: hang a customer under another reseller (D 1.1)."""

    permission = Permission.SYSTEM

    def title(self) -> str:
        return _("Move %(name)s") % {"name": self.customer.name}

    submit_label = gettext_lazy("Move")

    def consequences(self) -> Sequence[str]:
        return (
            _("Everything below it moves with it."),
            _("Its balance must be settled; taxes and the affiliate are taken off."),
        )

    def build_form(self, data: Any = None, files: Any = None) -> MoveForm:
        return MoveForm(data)

    def save(self, form: MoveForm) -> str:
        try:
            tree.move_customer(
                customer=self.customer,
                parent=form.cleaned_data["parent"],
                plan=form.cleaned_data["plan"],
                by=self.actor,
            )
        except ValidationError as error:
            if getattr(error, "code", "") == "no_rate":
                raise self._where_rates_are(error) from error
            raise _renamed(
                error, {"parent": "parent_name", "plan": "plan_name"}
            ) from error
        return self.cancel_url()

    def _where_rates_are(self, error: ValidationError) -> ValidationError:
        """The same refusal, with the way to what is missing."""
        link = format_html(
            '{} <a href="{}">{}</a>',
            " ".join(error.messages),
            self.url("billing:rate-list"),
            _("Exchange rates"),
        )
        return ValidationError(link, code="no_rate")

    def success_message(self, form: MoveForm) -> str:
        return _("Moved to %(name)s.") % {"name": form.cleaned_data["parent"].name}


def _renamed(error: ValidationError, names: dict[str, str]) -> ValidationError:
    if not hasattr(error, "error_dict"):
        return error
    return ValidationError(
        {names.get(name, name): errors for name, errors in error.error_dict.items()}
    )


class LoginDetailsResend(PortalView):
    """POST: mail login details again, to the person the newest such mail was for."""

    permission = Permission.COMMERCE
    http_method_names = ["post"]

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        customer = get_object_or_404(
            customers_below(self.actor), pk=pk, deleted_at=None
        )
        person = get_object_or_404(
            Person.objects.select_related("customer"),
            pk=_latest_person_id(customer),
            customer=customer,
        )
        try:
            email = people.resend_login_details(person=person, by=self.actor)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(
                request,
                _("Login details with a new link go to %(to)s.")
                % {"to": ", ".join(email.to)},
            )
        return self.redirect(self.url("customers:customer-detail", pk=pk))


def _latest_person_id(customer: Customer) -> int | None:
    email = latest_email(customer, LOGIN_DETAILS)
    return email.person_id if email else None


class CustomerBulk(CustomerList):
    """POST: lock, unlock or export the ticked customers."""

    http_method_names = ["post"]

    def post(self, request: Any) -> HttpResponseBase:
        ids = [row_id(text) for text in request.POST.getlist("row")[:PAGE_SIZE]]
        customers = (
            self.get_queryset()
            .filter(pk__in=[pk for pk in ids if pk is not None], deleted_at=None)
            .order_by("pk")
        )
        action = request.POST.get("action")
        if action == "export":
            return export_customers(customers.order_by("sort_key", "pk"))
        lock = {"lock": Lock.BOTH, "unlock": Lock.NONE}.get(str(action))
        if lock is not None:
            self.set_locks(customers, lock)
        # Back to the list as it was: filtered, sorted, at the same page.
        url = self.url("customers:customer-list")
        return self.redirect(with_query(url, request.GET))

    def set_locks(self, customers: Any, lock: Lock) -> None:
        changed = locks.set_locks(customers=customers, lock=lock, by=self.actor)
        text = (
            ngettext(
                "%(count)d customer unlocked.", "%(count)d customers unlocked.", changed
            )
            if lock == Lock.NONE
            else ngettext(
                "%(count)d customer locked.", "%(count)d customers locked.", changed
            )
        )
        messages.success(self.request, text % {"count": changed})
