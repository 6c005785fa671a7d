"""Settings: the own profile, password, second factor and sessions."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.forms.profile import PasswordChangeForm, ProfileForm
from customers.forms.sign_in import password_rules
from customers.services import passwords, profile, sessions
from customers.services.sessions import SignedIn
from customers.views.own import OwnPage
from portal.core import browsers
from portal.core.display import activate_display, format_moment
from portal.core.views import FormPage


class Profile(OwnPage, FormPage):
    """Name, contact, language, time zone and formats."""

    def title(self) -> str:
        return _("Profile")

    def cancel_url(self) -> str:
        return self.url("start")

    def build_form(self, data: Any = None, files: Any = None) -> ProfileForm:
        return ProfileForm(data, person=self.person)

    def save(self, form: ProfileForm) -> str:
        person = profile.update_profile(
            person=self.person, values=form.cleaned_data, by=self.actor
        )
        activate_display(person)  # the answer is in the new language already
        return self.url("customers:profile")

    def form_context(self, form: ProfileForm) -> dict[str, Any]:
        return {"subtitle": self.person.username}


class PasswordChange(OwnPage, FormPage):
    """A new password: this browser stays signed in, every other is signed out."""

    template_name = "customers/password_form.html"
    submit_label = gettext_lazy("Change the password")

    def title(self) -> str:
        return _("Password")

    def cancel_url(self) -> str:
        return self.url("customers:profile")

    def build_form(self, data: Any = None, files: Any = None) -> PasswordChangeForm:
        return PasswordChangeForm(data)

    def form_context(self, form: PasswordChangeForm) -> dict[str, Any]:
        return {
            "rules": password_rules(self.person),
            "username": self.person.username,
        }

    def save(self, form: PasswordChangeForm) -> str:
        old_key = self.session_key
        person = passwords.change_password(
            person=self.person,
            old_password=form.cleaned_data["old_password"],
            new_password=form.cleaned_data["new_password1"],
            by=self.actor,
            session_key=old_key,
        )
        # A new key as well: whoever copied the cookie is out.
        update_session_auth_hash(self.request, person)
        sessions.carry_switches(old_key=old_key, new_key=self.session_key)
        return self.url("customers:password")

    def success_message(self, form: PasswordChangeForm) -> str:
        return _("Your password is changed. Every other browser was logged out.")


class SessionList(OwnPage):
    """Where one is signed in."""

    def title(self) -> str:
        return _("Sessions")

    def get(self, request: Any) -> HttpResponse:
        found = sessions.sessions_of(self.person, current_key=self.session_key)
        context = self.page_context(
            subtitle=_("Browsers in which you are logged in."),
            sessions=[self.state_of(session) for session in found],
            has_others=len(found) > 1,
            end_others_url=self.url("customers:sessions-end-others"),
        )
        return render(request, "customers/session_list.html", context)

    def state_of(self, session: SignedIn) -> dict[str, Any]:
        """The session as a line of the page."""
        detail = _("%(address)s · since %(since)s · last seen %(seen)s") % {
            "address": session.source_ip or _("unknown address"),
            "since": format_moment(session.since),
            "seen": format_moment(session.seen_at),
        }
        is_handheld = browsers.is_handheld(session.user_agent)
        state: dict[str, Any] = {
            "kind": "success" if session.is_current else "neutral",
            "icon": "smartphone" if is_handheld else "monitor",
            "title": _browser_name(session.user_agent),
            "detail": detail,
        }
        if session.is_current:
            return {**state, "pill": _("This browser")}
        url = self.url("customers:session-end", handle=session.handle)
        return {
            **state,
            "action_url": url,
            "action_label": _("Log out"),
            "action_icon": "log-out",
        }


class SessionEnd(OwnPage):
    """POST: sign one other browser out."""

    http_method_names = ["post"]

    def post(self, request: Any, handle: str) -> HttpResponseBase:
        if not sessions.end_one(person=self.person, handle=handle, by=self.actor):
            raise Http404
        messages.success(request, _("That browser is logged out."))
        return self.redirect(self.url("customers:session-list"))


class SessionsEndOthers(OwnPage):
    """POST: sign every other browser out."""

    http_method_names = ["post"]

    def post(self, request: Any) -> HttpResponseBase:
        count = sessions.end_others(
            person=self.person, current_key=self.session_key, by=self.actor
        )
        text = ngettext(
            "%(count)d other browser is logged out.",
            "%(count)d other browsers are logged out.",
            count,
        )
        messages.success(request, text % {"count": count})
        return self.redirect(self.url("customers:session-list"))


def _browser_name(user_agent: str) -> str:
    browser, system = browsers.describe(user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")
