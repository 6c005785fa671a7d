"""Pages of people who are not signed in: they never tell whether a user name exists."""

from __future__ import annotations

import time
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from customers.backends import may_sign_in
from customers.branding import brand_seen_by
from customers.forms.sign_in import (
    CodeForm,
    PasswordForgottenForm,
    RecoveryCodeForm,
    SignInForm,
)
from customers.models import Person
from customers.selectors import has_second_factor
from customers.services import passwords, second_factor, sign_in
from portal.core.forms import PortalForm
from portal.core.scope import scopes_disabled
from portal.core.sessions import remember_browser
from portal.core.throttle import Throttle
from portal.core.views import add_refusal

BACKEND = "customers.backends.PersonBackend"
SECOND_STEP = "second_step"
USERNAME = "sign_in_as"
SECOND_STEP_SECONDS = 5 * 60
# Beside the lock of one user name from one address (django-axes): many names from one.
FAILURES = Throttle("sign-in-failures", limit=100, seconds=15 * 60)
FORGOTTEN = Throttle("password-forgotten", limit=20, seconds=60 * 60)


class PublicPage(View):
    """A page in the frame for people who are not signed in."""

    template_name = ""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = sensitive_post_parameters()(super().as_view(**initkwargs))
        return login_not_required(never_cache(view))

    def page(self, *, status: int = 200, **context: Any) -> HttpResponse:
        return render(self.request, self.template_name, context, status=status)


class SignIn(PublicPage):
    """User name and password; with a second factor, its code on the next page."""

    template_name = "registration/login.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            return redirect(target_of(request))
        username = request.session.get(USERNAME, "")
        return self.answer(SignInForm(initial={"username": username}))

    def post(self, request: Any) -> HttpResponseBase:
        form = SignInForm(request.POST)
        if not form.is_valid():
            return self.answer(form, status=422)
        if FAILURES.is_used_up(request.source_ip):
            return locked_out(request)
        username = form.cleaned_data["username"]
        # One transaction: its commit takes as long whether or not there is such a person.
        with transaction.atomic():
            person = authenticate(
                request, username=username, password=form.cleaned_data["password"]
            )
            if person is None:
                sign_in.note_failure(username)
        if not isinstance(person, Person):
            FAILURES.allows(request.source_ip)
            form.add_error(None, refusal(request))
            return self.answer(form, status=422)
        if not has_second_factor(person):
            return finish(request, person, target=target_of(request))
        request.session.cycle_key()
        request.session[SECOND_STEP] = {
            "person": person.pk,
            "until": int(time.time()) + SECOND_STEP_SECONDS,
            "target": target_of(request),
        }
        return redirect("two-factor")

    def answer(self, form: SignInForm, *, status: int = 200) -> HttpResponse:
        target = self.request.POST.get("next") or self.request.GET.get("next", "")
        return self.page(form=form, next=target, status=status)


class TwoFactor(PublicPage):
    """The second step: a code of the app or a recovery code, within five minutes."""

    template_name = "registration/two_factor.html"

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.step = request.session.get(SECOND_STEP) or {}
        self.person = self.waiting_person()
        if self.person is None:
            if request.session.pop(SECOND_STEP, None):
                messages.info(request, _("That took too long. Log in again."))
            return redirect("login")
        return super().dispatch(request, *args, **kwargs)

    def waiting_person(self) -> Person | None:
        """Who has told the right password in this browser just now, and still may."""
        if self.step.get("until", 0) < time.time():
            return None
        with scopes_disabled():  # nobody is signed in yet
            people = Person.objects.select_related("customer", "role")
            person = people.filter(pk=self.step["person"]).first()
        address = self.request.source_ip  # type: ignore[attr-defined]
        return person if person and may_sign_in(person, address) else None

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.answer(self.build_form())

    def post(self, request: Any) -> HttpResponseBase:
        assert self.person is not None
        credentials = {"username": self.person.username}
        if not AxesProxyHandler.is_allowed(request, credentials):
            return locked_out(request)
        form = self.build_form(request.POST)
        if not form.is_valid():
            return self.answer(form, status=422)
        try:
            device = second_factor.check_code(
                person=self.person,
                code=form.cleaned_data["code"],
                is_recovery=self.uses_recovery,
            )
        except ValidationError as error:
            sign_in.note_failure(self.person.username)
            user_login_failed.send(
                sender=__name__, credentials=credentials, request=request
            )
            add_refusal(form, error)
            return self.answer(form, status=422)
        del request.session[SECOND_STEP]
        # django-otp's listener to the sign-in notes which device confirmed it.
        self.person.otp_device = device  # type: ignore[attr-defined]
        return finish(request, self.person, target=self.step["target"])

    @property
    def uses_recovery(self) -> bool:
        return "recovery" in self.request.GET

    def build_form(self, data: Any = None) -> PortalForm:
        return RecoveryCodeForm(data) if self.uses_recovery else CodeForm(data)

    def answer(self, form: PortalForm, *, status: int = 200) -> HttpResponse:
        return self.page(form=form, use_recovery=self.uses_recovery, status=status)


class SignOut(PublicPage):
    """POST signs out; the page afterwards says so."""

    template_name = "registration/logged_out.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            return redirect("home")
        return self.page()

    def post(self, request: HttpRequest) -> HttpResponseBase:
        logout(request)
        return redirect("logout")


class PasswordForgotten(PublicPage):
    """Ask for a link to choose a new password; the answer is the same for everybody."""

    template_name = "registration/password_forgotten.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        username = request.session.get(USERNAME, "")
        form = PasswordForgottenForm(initial={"identity": username})
        return self.page(form=form)

    def post(self, request: Any) -> HttpResponseBase:
        form = PasswordForgottenForm(request.POST)
        if not form.is_valid():
            return self.page(form=form, status=422)
        if not FORGOTTEN.allows(request.source_ip):
            form.add_error(
                None, _("Too many requests from here. Try again in an hour.")
            )
            return self.page(form=form, status=429)
        passwords.request_reset(form.cleaned_data["identity"])
        return redirect("password-forgotten-done")


class PasswordForgottenDone(PublicPage):
    template_name = "registration/password_forgotten_done.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page()


def finish(request: Any, person: Person, *, target: str) -> HttpResponseBase:
    """Sign in: the session gets a new key and remembers where it is used."""
    login(request, person, backend=BACKEND)
    request.session.pop(USERNAME, None)
    remember_browser(request)
    actor = sign_in.own_actor(person, source_ip=request.source_ip)
    sign_in.note_success(person=person, by=actor)
    return redirect(target)


def target_of(request: HttpRequest) -> str:
    """Where to go after signing in: the page asked for if it is one of ours."""
    target = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else resolve_url("home")


def refusal(request: Any) -> str:
    """Why one cannot sign in. Only who knows the password learns of a lock."""
    locked: Person | None = getattr(request, "locked_person", None)
    if locked is None:
        return _("User name or password is wrong. Check both and try again.")
    brand = brand_seen_by(locked.customer)
    contacts = " · ".join(filter(None, (brand.reply_to, brand.telephone)))
    if not contacts:
        return _("Your account is locked. Contact %(name)s.") % {"name": brand.name}
    return _("Your account is locked. Contact %(name)s: %(contacts)s") % {
        "name": brand.name,
        "contacts": contacts,
    }


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None
) -> HttpResponse:
    """Too many failures: the page django-axes and we answer with."""
    wait = get_cool_off(request)
    assert wait is not None
    context = {"minutes": int(wait.total_seconds() // 60)}
    return render(request, "registration/locked_out.html", context, status=429)
