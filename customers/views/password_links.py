"""Where the links of mails lead: choosing a password, once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _

from customers.branding import page_brand
from customers.forms.sign_in import ChoosePasswordForm, password_rules
from customers.models import Person
from customers.services import passwords, sign_in
from customers.tokens import PasswordLinkTokens, reset_tokens, welcome_tokens
from customers.views.sign_in import USERNAME, PublicPage
from portal.core.scope import scopes_disabled, subtree
from portal.core.throttle import Throttle
from portal.core.views import add_refusal

SESSION_KEY = "password_link"
# Stands in the address once the token has moved into the session, so that the token is
# neither in the browser's history nor told to anybody as the page one came from.
MOVED = "choose"
WRONG_LINKS = Throttle("wrong-password-links", limit=50, seconds=15 * 60)


class ChoosePassword(PublicPage):
    """Behind the link of a mail: choose a password, then log in with it."""

    template_name = "registration/choose_password.html"
    tokens: PasswordLinkTokens = reset_tokens
    url_name = "password-reset"
    is_welcome = False

    def dispatch(
        self, request: Any, uidb64: str, token: str, **kwargs: Any
    ) -> HttpResponseBase:
        person = person_of(uidb64)
        kept = request.session.get(SESSION_KEY, {})
        self.token = token
        if token == MOVED:
            is_here = kept.get("uid") == uidb64 and kept.get("name") == self.url_name
            self.token = kept.get("token", "") if is_here else ""
        if person is None or not self.tokens.check_token(person, self.token):
            return self.expired()
        if token != MOVED:
            values = {"uid": uidb64, "name": self.url_name, "token": token}
            request.session[SESSION_KEY] = values
            return redirect(self.url_name, uidb64=uidb64, token=MOVED)
        self.person = person
        with translation.override(person.effective_language):
            return super().dispatch(request, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.answer(ChoosePasswordForm())

    def post(self, request: Any) -> HttpResponseBase:
        form = ChoosePasswordForm(request.POST)
        if not form.is_valid():
            return self.answer(form, status=422)
        try:
            with subtree(self.person.customer):
                passwords.choose_password(
                    person=self.person,
                    token=self.token,
                    tokens=self.tokens,
                    password=form.cleaned_data["new_password1"],
                    by=sign_in.own_actor(self.person, source_ip=request.source_ip),
                )
        except passwords.LinkExpiredError:
            return self.expired()
        except ValidationError as error:
            add_refusal(form, error)
            return self.answer(form, status=422)
        if request.user.is_authenticated:
            logout(request)  # whoever was signed in here: now it is this person's turn
        request.session.pop(SESSION_KEY, None)
        request.session[USERNAME] = self.person.username
        messages.success(request, _("Your password is saved. Log in with it now."))
        return redirect("login")

    def answer(self, form: ChoosePasswordForm, *, status: int = 200) -> HttpResponse:
        return self.page(
            form=form,
            rules=password_rules(self.person),
            username=self.person.username,
            is_welcome=self.is_welcome,
            brand=page_brand(self.person.customer),
            status=status,
        )

    def expired(self) -> HttpResponse:
        """The same for every link that does not work, whyever."""
        address = self.request.source_ip  # type: ignore[attr-defined]
        status = 410 if WRONG_LINKS.allows(address) else 429
        return render(self.request, "registration/link_expired.html", status=status)


class Welcome(ChoosePassword):
    """The link of the login details: the person's first password."""

    tokens = welcome_tokens
    url_name = "welcome"
    is_welcome = True


def person_of(uidb64: str) -> Person | None:
    """Whom a link is for; None if the link was never ours or the person is gone."""
    try:
        pk = int(urlsafe_base64_decode(uidb64))
    except (ValueError, OverflowError):
        return None
    if not 0 < pk < 2**63:
        return None
    with scopes_disabled():  # nobody is signed in
        people = Person.objects.filter(
            is_pseudo=False, is_active=True, customer__deleted_at=None
        )
        return people.select_related("customer", "role").filter(pk=pk).first()
