"""Settings » Second factor."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.branding import brand_seen_by
from customers.forms.profile import (
    PasswordConfirmForm,
    SecondFactorOffForm,
    SecondFactorSetUpForm,
)
from customers.selectors import demands_second_factor, has_second_factor
from customers.services import second_factor
from customers.views.own import OwnPage
from portal.core import secrets
from portal.core.reveal import show_once, take_shown_once
from portal.core.views import ConfirmPage, Crumb, FormPage

SESSION_KEY = "second_factor_key"
SHOWN_ONCE = "second-factor"
CODES = "codes"


class SecondFactor(OwnPage):
    """Whether there is one, and how many recovery codes are left; new ones, once."""

    def title(self) -> str:
        return _("Second factor")

    def get(self, request: Any) -> HttpResponse:
        is_on = has_second_factor(self.person)
        left = second_factor.recovery_codes_left(self.person) if is_on else 0
        codes = take_shown_once(request, SHOWN_ONCE).get(CODES, "")
        context = self.page_context(
            is_on=is_on,
            is_demanded=demands_second_factor(self.person),
            codes=codes.split(),
            codes_text=codes,
            download_url=f"data:text/plain;charset=utf-8,{quote(codes)}",
            state=self.state(is_on=is_on, left=left),
            set_up_url=self.url("customers:second-factor-set-up"),
            renew_url=self.url("customers:recovery-codes-renew"),
            off_url=self.url("customers:second-factor-off"),
        )
        return render(request, "customers/second_factor.html", context)

    def state(self, *, is_on: bool, left: int) -> dict[str, Any]:
        """How things stand, as a line of the page."""
        if not is_on:
            return {
                "kind": "neutral",
                "icon": "shield-off",
                "title": _("Off: your password is all it takes to log in."),
            }
        detail = ngettext(
            "%(count)d recovery code left", "%(count)d recovery codes left", left
        )
        return {
            "kind": "success" if left > 2 else "warning",
            "icon": "shield-check",
            "title": _("On: logging in takes a code of your authenticator app."),
            "detail": detail % {"count": left},
        }


class SecondFactorPart(OwnPage, FormPage):
    """A form that leads back to the page above."""

    def breadcrumbs(self) -> list[Crumb]:
        return [*super().breadcrumbs(), Crumb(_("Second factor"), self.cancel_url())]

    def cancel_url(self) -> str:
        return self.url("customers:second-factor")


class SecondFactorSetUp(SecondFactorPart):
    """Scan the picture, type the first code. Open to those who owe a second factor."""

    template_name = "customers/second_factor_set_up.html"
    works_before_second_factor = True
    submit_label = gettext_lazy("Turn it on")

    def title(self) -> str:
        return _("Set up the second factor")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if has_second_factor(request.reach.person) and request.method == "GET":
            return redirect(self.cancel_url())
        return super().dispatch(request, *args, **kwargs)

    def build_form(self, data: Any = None, files: Any = None) -> SecondFactorSetUpForm:
        return SecondFactorSetUpForm(data)

    def form_context(self, form: SecondFactorSetUpForm) -> dict[str, Any]:
        issuer = brand_seen_by(self.person.customer).name
        return {
            "setup": second_factor.setup_of(self.person, key=self.key, issuer=issuer),
            "is_demanded": demands_second_factor(self.person),
        }

    def save(self, form: SecondFactorSetUpForm) -> str:
        codes = second_factor.set_up(
            person=self.person,
            key=self.key,
            code=form.cleaned_data["code"],
            by=self.actor,
            session_key=self.session_key,
        )
        del self.request.session[SESSION_KEY]
        show_once(self.request, SHOWN_ONCE, {CODES: "\n".join(codes)})
        return self.cancel_url()

    def success_message(self, form: SecondFactorSetUpForm) -> str:
        return _("The second factor is on. Keep the recovery codes now.")

    @property
    def key(self) -> str:
        """The secret the page shows: the same at every try, until one succeeds."""
        session = self.request.session
        if SESSION_KEY not in session:
            session[SESSION_KEY] = secrets.encrypt(second_factor.new_key())
        return secrets.decrypt(session[SESSION_KEY])


class RecoveryCodesRenew(SecondFactorPart, ConfirmPage):
    is_danger = False
    submit_label = gettext_lazy("Make new codes")

    def title(self) -> str:
        return _("New recovery codes")

    def consequences(self) -> list[str]:
        return [_("The old recovery codes stop working at once.")]

    def build_form(self, data: Any = None, files: Any = None) -> PasswordConfirmForm:
        return PasswordConfirmForm(data)

    def save(self, form: PasswordConfirmForm) -> str:
        codes = second_factor.renew_recovery_codes(
            person=self.person, password=form.cleaned_data["password"], by=self.actor
        )
        show_once(self.request, SHOWN_ONCE, {CODES: "\n".join(codes)})
        return self.cancel_url()

    def success_message(self, form: PasswordConfirmForm) -> str:
        return _("Here are your new recovery codes. Keep them now.")


class SecondFactorOff(SecondFactorPart, ConfirmPage):
    submit_label = gettext_lazy("Turn it off")

    def title(self) -> str:
        return _("Turn off the second factor")

    def consequences(self) -> list[str]:
        lines = [
            _("Whoever knows your password can log in as you."),
            _("The recovery codes stop working."),
        ]
        if demands_second_factor(self.person):
            lines.append(_("Your company demands one: you set up a new one next."))
        return lines

    def build_form(self, data: Any = None, files: Any = None) -> SecondFactorOffForm:
        return SecondFactorOffForm(data)

    def save(self, form: SecondFactorOffForm) -> str:
        second_factor.turn_off(
            person=self.person,
            password=form.cleaned_data["password"],
            code=form.cleaned_data["code"],
            by=self.actor,
        )
        return self.cancel_url()

    def success_message(self, form: SecondFactorOffForm) -> str:
        return _("The second factor is off.")
