"""What an administrator does to a person besides editing it; passwords stay its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Person
from customers.price_box import refund_consequences
from customers.services import people, second_factor
from customers.views.features import FeatureConfirmPage, OwnRow
from customers.views.mail_parts import mail_message
from customers.views.people import EDIT, LIST, manageable
from portal.core.permissions import Permission
from portal.core.views import PortalView


class PersonConfirm(FeatureConfirmPage):
    model = Person
    related = ("customer", "role")
    list_title = gettext_lazy("People")
    list_url = LIST
    edit_url = EDIT

    def rows(self) -> QuerySet[Person]:
        return manageable(self)


class PersonDelete(PersonConfirm):
    submit_label = gettext_lazy("Delete")

    def title(self) -> str:
        return _("Delete %(name)s") % {"name": self.row.display_name}

    def consequences(self) -> Sequence[str]:
        return (
            _("%(name)s is logged out and cannot log in again.")
            % {"name": self.row.display_name},
            _("The user name is free for somebody else."),
            _("What this person did stays in the audit log under its name."),
            *refund_consequences(self.row.customer, people.billed(self.row)),
        )

    def refusal(self) -> str:
        is_self = self.row.pk == self.request.reach.person.pk
        return _("You cannot delete yourself.") if is_self else ""

    def save(self, form: forms.BaseForm) -> str:
        people.delete_person(person=self.row, by=self.actor)
        return self.url(LIST)

    def success_message(self, form: Any) -> str:
        return _("Deleted.")


class PersonRequirePassword(PersonConfirm):
    submit_label = gettext_lazy("Require a new password")

    def title(self) -> str:
        return _("Require a new password of %(name)s") % {"name": self.row.display_name}

    def consequences(self) -> Sequence[str]:
        return (
            _("The present password stops working at once."),
            _("%(name)s is logged out everywhere.") % {"name": self.row.display_name},
            _("A mail brings a link to choose a new password. You never learn it."),
        )

    def save(self, form: forms.BaseForm) -> str:
        self.email = people.require_new_password(person=self.row, by=self.actor)
        return self.cancel_url()

    def success_message(self, form: Any) -> str:
        return mail_message(self.email)


class PersonRemoveSecondFactor(PersonConfirm):
    submit_label = gettext_lazy("Remove second factor")

    def title(self) -> str:
        return _("Remove the second factor of %(name)s") % {
            "name": self.row.display_name
        }

    def consequences(self) -> Sequence[str]:
        return (
            _("Be sure that it is really %(name)s who asked you for this.")
            % {"name": self.row.display_name},
            _("The password alone is enough to log in, until a new one is set up."),
            _("The recovery codes are void."),
        )

    def save(self, form: forms.BaseForm) -> str:
        second_factor.remove_second_factor(person=self.row, by=self.actor)
        return self.cancel_url()

    def success_message(self, form: Any) -> str:
        return _("The second factor is removed.")


class PersonLoginDetails(OwnRow, PortalView):
    """POST: mail the login details again."""

    permission = Permission.ADMINISTRATOR
    http_method_names = ["post"]
    model = Person
    related = ("customer", "role")

    def rows(self) -> QuerySet[Person]:
        return manageable(self)

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        try:
            email = people.resend_login_details(person=self.row, by=self.actor)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, mail_message(email))
        return self.redirect(self.url(EDIT, pk=self.row.pk))
