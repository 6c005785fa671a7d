"""People and where they are switched to; written by services only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.admin.parts import YesNoFilter, portal_page
from customers.models import NameKey, Person, Switch
from customers.services import people, second_factor, switching
from portal.core import audit
from portal.core.admin_base import ReadOnlyAdmin, actor_of, is_confirmed


class PseudoFilter(YesNoFilter):
    title = _("pseudo-person")
    parameter_name = "pseudo"
    condition = Q(is_pseudo=True)


class OpenFilter(YesNoFilter):
    title = _("still open")
    parameter_name = "open"

    @property
    def condition(self) -> Q:
        return Q(ended_at=None, expires_at__gt=timezone.now())


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin):
    """Everybody who may sign in, and the pseudo-people that staff switch to."""

    list_display = (
        "username",
        "display_name",
        "customer",
        "role",
        "is_active",
        "last_login",
        "failed_logins",
    )
    list_filter = (
        "role",
        "is_active",
        PseudoFilter,
        ("last_login", admin.DateFieldListFilter),
    )
    list_select_related = ("customer", "role")
    search_fields = ("username",)
    search_help_text = _("A user name, a first or a last name; or its beginning.")
    actions = (
        "send_login_details",
        "require_new_password",
        "remove_second_factor",
        "sign_out",
        "let_in",
        "keep_out",
        "delete",
    )

    def search_condition(self, term: str) -> Q:
        return (
            Q(username_key__startswith=NameKey(Value(term)))
            | Q(first_name__istartswith=term)
            | Q(last_name__istartswith=term)
        )

    def view_on_site(self, obj: Person) -> str:
        return portal_page(obj.customer)

    @admin.display(description=_("name"))
    def display_name(self, obj: Person) -> str:
        return obj.display_name

    @admin.action(description=_("Send the login details again"))
    def send_login_details(
        self, request: HttpRequest, queryset: QuerySet[Person]
    ) -> None:
        by = actor_of(request)
        self.do_for_each(
            request,
            queryset,
            lambda row: people.resend_login_details(person=_real(row), by=by),
            done=gettext("Login details sent"),
        )

    @admin.action(description=_("Require a new password"))
    def require_new_password(
        self, request: HttpRequest, queryset: QuerySet[Person]
    ) -> None:
        by = actor_of(request)
        self.do_for_each(
            request,
            queryset,
            lambda row: people.require_new_password(person=_real(row), by=by),
            done=gettext("New password required"),
        )

    @admin.action(description=_("Remove the second factor …"))
    def remove_second_factor(
        self, request: HttpRequest, queryset: QuerySet[Person]
    ) -> Any:
        if not is_confirmed(request):
            return self.ask_first(
                request,
                queryset,
                form=forms.Form(),
                title=gettext("Remove the second factor"),
                text=gettext(
                    "The password alone lets them in until they set up a new one. Make"
                    " sure that it is really them who ask for it."
                ),
                submit_label=gettext("Remove"),
            )
        by = actor_of(request)
        self.do_for_each(
            request,
            queryset,
            lambda row: second_factor.remove_second_factor(person=_real(row), by=by),
            done=gettext("Second factor removed"),
        )
        return None

    @admin.action(description=_("Log out of every browser"))
    def sign_out(self, request: HttpRequest, queryset: QuerySet[Person]) -> None:
        by = actor_of(request)

        def end(row: Person) -> None:
            people.end_sessions(row)
            audit.record("person.signed_out", row, by=by, customer=row.customer)

        self.do_for_each(
            request,
            queryset.select_related("customer"),
            end,
            done=gettext("Logged out"),
        )

    @admin.action(description=_("Allow to log in"))
    def let_in(self, request: HttpRequest, queryset: QuerySet[Person]) -> None:
        self._set_active(request, queryset, True, gettext("Allowed to log in"))

    @admin.action(description=_("Do not allow to log in"))
    def keep_out(self, request: HttpRequest, queryset: QuerySet[Person]) -> None:
        self._set_active(request, queryset, False, gettext("Not allowed to log in"))

    @admin.action(description=_("Delete …"))
    def delete(self, request: HttpRequest, queryset: QuerySet[Person]) -> Any:
        if not is_confirmed(request):
            return self.ask_first(
                request,
                queryset,
                form=forms.Form(),
                title=gettext("Delete people"),
                text=gettext(
                    "They are gone for good. What they did stays in the log under their"
                    " names."
                ),
                submit_label=gettext("Delete"),
            )
        by = actor_of(request)
        self.do_for_each(
            request,
            queryset,
            lambda row: people.delete_person(person=_real(row), by=by),
            done=gettext("Deleted"),
        )
        return None

    def _set_active(
        self,
        request: HttpRequest,
        queryset: QuerySet[Person],
        is_active: bool,
        done: str,
    ) -> None:
        by = actor_of(request)
        self.do_for_each(
            request,
            queryset,
            lambda row: people.update_person(
                person=_real(row), values={"is_active": is_active}, by=by
            ),
            done=done,
        )


def _real(person: Person) -> Person:
    """Refuse pseudo-people: they cannot sign in, and belong to switching alone."""
    if person.is_pseudo:
        raise PermissionDenied
    return person


@admin.register(Switch)
class SwitchAdmin(ReadOnlyAdmin):
    """Who is, or was, inside which customer."""

    list_display = (
        "person",
        "acting_as",
        "customer",
        "opened_at",
        "expires_at",
        "ended_at",
    )
    list_filter = (OpenFilter,)
    list_select_related = ("person", "acting_as", "customer")
    date_hierarchy = "opened_at"
    related_search = ("customer", "person")
    actions = ("end",)

    def view_on_site(self, obj: Switch) -> str:
        return portal_page(obj.customer)

    @admin.action(description=_("End now"))
    def end(self, request: HttpRequest, queryset: QuerySet[Switch]) -> None:
        by = actor_of(request)
        self.do_for_each(
            request,
            queryset.filter(ended_at=None).select_related("customer", "acting_as"),
            lambda row: switching.close_switch(switch=row, by=by),
            done=gettext("Ended"),
        )
