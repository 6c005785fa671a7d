"""Features » People: who may sign in to the account (D 7.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_otp.plugins.otp_totp.models import TOTPDevice

from billing.services.quotes import Wish
from customers.choices import RoleDefault
from customers.filters.features import PersonFilter
from customers.forms.people import NewPersonForm, OwnPersonForm, PersonForm
from customers.mail_kinds import LOGIN_DETAILS
from customers.models import Person, Role
from customers.selectors import (
    assignable_roles,
    has_second_factor,
    may_manage,
    username_is_taken,
)
from customers.services import people
from customers.views.features import (
    FeatureEditPage,
    FeatureFormPage,
    FeatureList,
    account_of,
)
from customers.views.mail_parts import login_mail_line, mail_message
from customers.views.parts import pill
from customers.views.prices import PricedForm
from portal.core.display import format_moment
from portal.core.models import OutgoingEmail
from portal.core.permissions import Permission
from portal.core.tables import Column, Empty
from portal.core.urls import account_url, row_id
from portal.core.views import PortalView
from rateplans.choices import Feature

LIST = "customers:person-list"
EDIT = "customers:person-edit"


class PersonList(FeatureList):
    permission = Permission.ADMINISTRATOR
    template_name = "customers/person_list.html"
    feature = Feature.PERSON
    create_name = "customers:person-create"
    table_id = "people"
    default_sort = "username"
    filterset_class = PersonFilter

    def title(self) -> str:
        return _("People")

    def get_queryset(self) -> QuerySet[Person]:
        factor = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return (
            Person.objects.filter(customer=self.actor.customer.pk, is_pseudo=False)
            .select_related("role")
            .annotate(has_second_factor=Exists(factor))
        )

    def columns(self) -> Sequence[Column]:
        columns = [
            Column("name", _("Name"), name_cell, narrow=True),
            Column(
                "username",
                _("User name"),
                lambda person: person.username,
                sort="username_key",
                narrow=True,
            ),
            Column(
                "role", _("Role"), lambda person: person.role.name, sort="role__name"
            ),
            Column("last_login", _("Last login"), last_sign_in),
            Column(
                "failed",
                _("Failed logins"),
                lambda person: person.failed_logins,
                sort="failed_logins",
                align="end",
            ),
            Column("status", _("Status"), status_cell, narrow=True),
        ]
        if self.may_switch:
            columns.append(Column("actions", "", switch_cell, align="end", narrow=True))
        return columns

    @property
    def may_switch(self) -> bool:
        """Whether who really signed in works above this account (D 7.5)."""
        reach = self.request.reach
        return bool(reach.switch and reach.person.role.has(Permission.COMMERCE))

    def row_url(self, row: Person) -> str:
        return self.url(EDIT, pk=row.pk) if may_manage(row, self.actor) else ""

    def empty(self) -> Empty:
        return Empty(
            icon="users",
            title=_("Nobody can log in to this account yet"),
            text=_(
                "Add the people who are to work here. Each gets a mail with a link to"
                " choose a password."
            ),
            action_url=self.create_url(),
            action_label=_("Add the first person"),
        )

    def page_context(self, **context: Any) -> dict[str, Any]:
        # One enters from one's own account, which is above: only there is the right to.
        reach = self.request.reach
        switch_url = account_url(reach.own.pk, "customers:switch-open")
        return super().page_context(
            switch_url=switch_url if self.may_switch else "",
            switch_customer=reach.account.pk,
            **context,
        )


def name_cell(person: Person) -> SafeString | str:
    name = f"{person.title} {person.first_name} {person.last_name}"
    return " ".join(name.split()) or person.username


def last_sign_in(person: Person) -> str:
    return format_moment(person.last_login) if person.last_login else _("never")


def status_cell(person: Any) -> SafeString:
    """Whether the person can sign in; and with a second factor."""
    if not person.is_active or not person.role.may_login:
        return pill("neutral", _("May not log in"), "ban")
    if not person.has_usable_password():
        return pill("info", _("No password yet"), "mail")
    active = pill("success", _("Active"))
    if person.has_second_factor:
        return format_html("{} {}", active, pill("neutral", _("2FA"), "shield-check"))
    return active


def switch_cell(person: Person) -> SafeString:
    # The form itself stands once on the page; each button only names its person.
    return format_html(
        '<button class="btn btn-sm btn-secondary" type="submit" form="switch-form"'
        ' name="person" value="{}" aria-label="{}">{}</button>',
        person.pk,
        _("Switch to %(name)s") % {"name": person.display_name},
        _("Switch"),
    )


class PersonFormPage(FeatureFormPage):
    list_title = gettext_lazy("People")
    list_url = LIST

    def with_check(self, form: PersonForm, *, except_id: int | str = "") -> PersonForm:
        """Ask while one types whether the user name is free."""
        url = self.url("customers:person-username")
        form.fields["username"].widget.attrs |= {
            "hx-get": f"{url}?except={except_id}",
            "hx-trigger": "input changed delay:250ms",
            "hx-target": "#username-check",
            "hx-sync": "this:replace",
        }
        return form

    def roles(self) -> QuerySet[Role]:
        return assignable_roles(self.actor, customer=account_of(self))


class PersonCreate(PricedForm, PersonFormPage):
    focuses_first = True

    def wishes(self) -> Sequence[Wish]:
        return [Wish(Feature.PERSON)]

    def title(self) -> str:
        return _("New person")

    def build_form(self, data: Any = None, files: Any = None) -> PersonForm:
        account = account_of(self)
        initial = {
            "is_active": True,
            "country": account.country,
            "role": self.proposed_role(),
        }
        form = NewPersonForm(data, account=account, roles=self.roles(), initial=initial)
        return self.with_check(form)

    def proposed_role(self) -> Role | None:
        """The first person runs the account; others get the fewest rights."""
        roles = list(self.roles())
        people_here = Person.objects.filter(
            customer=self.actor.customer.pk, is_pseudo=False
        )
        if not people_here.exists():
            wanted = [r for r in roles if r.default_for == RoleDefault.FIRST_PERSON]
            if wanted:
                return wanted[0]
        return min(roles, key=lambda role: len(role.permissions), default=None)

    def save(self, form: NewPersonForm) -> str:
        self.person = people.create_person(
            customer=account_of(self),
            values=form.values(),
            sends_login_details=form.cleaned_data["sends_login_details"],
            price_seen=self.price_seen(),
            by=self.actor,
        )
        return self.url(LIST)

    def success_message(self, form: NewPersonForm) -> str:
        return mail_message(newest_login_mail(self.person))


class PersonEdit(FeatureEditPage, PersonFormPage):
    model = Person
    related = ("customer", "role")
    state_fields = people.FIELDS

    def rows(self) -> QuerySet[Person]:
        return manageable(self)

    def title(self) -> str:
        return str(self.row)

    @property
    def is_self(self) -> bool:
        return bool(self.row.pk == self.request.reach.person.pk)

    def build_form(self, data: Any = None, files: Any = None) -> PersonForm:
        form_class = OwnPersonForm if self.is_self else PersonForm
        form = form_class(
            data,
            account=account_of(self),
            roles=self.roles(),
            person_id=self.row.pk,
            initial=self.initial(),
        )
        return self.with_check(form, except_id=self.row.pk)

    def save(self, form: PersonForm) -> str:
        people.update_person(
            person=self.row,
            values=form.values(),
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )
        return self.url(LIST)

    def form_context(self, form: Any) -> dict[str, Any]:
        email = newest_login_mail(self.row)
        url = ""
        if email and self.actor.can(Permission.REPORTS):
            url = self.url("customers:email-detail", pk=email.pk)
        return {
            "facts_title": _("So far"),
            "facts": self.facts(),
            "state": login_mail_line(email, url=url),
            "steps": list(self.steps()),
        }

    def facts(self) -> list[dict[str, Any]]:
        person = self.row
        return [
            {"label": _("Last login"), "value": last_sign_in(person)},
            {"label": _("Failed logins"), "value": person.failed_logins},
            {
                "label": _("Second factor"),
                "value": _("Yes") if has_second_factor(person) else _("No"),
            },
            {"label": _("Created"), "value": format_moment(person.created_at)},
        ]

    def steps(self) -> Sequence[dict[str, Any]]:
        """What else can be done about the person, each with its reason if it cannot."""
        pk = self.row.pk
        if self.is_self:
            reason = _("This is you: see Settings for your password and second factor.")
            return [{"title": _("Yourself"), "text": reason, "icon": "user"}]
        steps: list[dict[str, Any]] = [
            {
                "title": _("Login details"),
                "text": _("Mails the user name and a fresh link to choose a password."),
                "icon": "mail",
                "label": _("Send login details again"),
                "post_url": self.url("customers:person-login-details", pk=pk),
            },
            {
                "title": _("Password"),
                "text": _("The present one stops working; a link to choose another."),
                "icon": "key-round",
                "label": _("Require a new password"),
                "url": self.url("customers:person-require-password", pk=pk),
            },
        ]
        if has_second_factor(self.row):
            steps.append(
                {
                    "title": _("Second factor"),
                    "text": _("For who lost the telephone and the recovery codes."),
                    "icon": "shield-off",
                    "label": _("Remove second factor"),
                    "url": self.url("customers:person-remove-second-factor", pk=pk),
                }
            )
        steps.append(
            {
                "title": _("Delete"),
                "text": _("The person is gone for good; the audit log keeps its name."),
                "icon": "trash-2",
                "label": _("Delete"),
                "url": self.url("customers:person-delete", pk=pk),
                "is_danger": True,
            }
        )
        return steps


class UsernameCheck(PortalView):
    """Whether a user name is free, while one types."""

    permission = Permission.ADMINISTRATOR

    def get(self, request: Any) -> HttpResponse:
        name = " ".join(request.GET.get("username", "").replace("\x00", "").split())
        except_id = row_id(request.GET.get("except", ""))
        taken = bool(name) and username_is_taken(name[:150], except_id=except_id)
        context = {"name": name, "taken": taken}
        return render(request, "customers/_username_check.html", context)


def manageable(view: PortalView) -> QuerySet[Person]:
    """The account's people whom the actor may change; the pseudo-person is nobody."""
    return Person.objects.filter(
        customer=view.actor.customer.pk,
        is_pseudo=False,
        role__permissions__contained_by=sorted(view.actor.permissions),
    )


def newest_login_mail(person: Person) -> OutgoingEmail | None:
    return (
        OutgoingEmail.objects.filter(person=person, kind=LOGIN_DETAILS)
        .order_by("-pk")
        .first()
    )
