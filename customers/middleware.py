"""From a session and a URL to an actor and a tenant scope: the only place that opens one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect

from customers.backends import may_sign_in
from customers.selectors import demands_second_factor, has_second_factor
from customers.services import switching
from customers.views.switching import ask_to_switch
from portal.core.display import activate_display, reset_display
from portal.core.restore import keep_entries
from portal.core.scope import scopes_disabled, subtree
from portal.core.urls import account_url

ACCOUNT_PATH = re.compile(r"^/a/(?P<account>[0-9]{1,18})/")
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class SignedInMiddleware(LoginRequiredMiddleware):
    """Every page asks for a sign-in unless it says otherwise.

    A person whose customer was locked or deleted meanwhile is signed out at the next click.
    What was typed into a form whose session ended is kept for after the next sign-in.
    """

    def process_view(
        self, request: Any, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> Any:
        user = request.user
        if user.is_authenticated and not may_sign_in(user, request.source_ip):
            logout(request)
        refusal = super().process_view(request, view_func, view_args, view_kwargs)
        if refusal is None and self.owes_second_factor(user, view_func):
            keep_entries(request)
            url = account_url(user.customer_id, "customers:second-factor-set-up")
            return self.lead_to(request, url)
        return refusal

    def owes_second_factor(self, user: Any, view_func: Any) -> bool:
        """Whether the page must wait until ``user`` has done what its company demands."""
        if not user.is_authenticated or not getattr(view_func, "login_required", True):
            return False
        view = getattr(view_func, "view_class", None)
        if getattr(view, "works_before_second_factor", False):
            return False
        return demands_second_factor(user) and not has_second_factor(user)

    def handle_no_permission(self, request: Any, view_func: Any) -> Any:
        keep_entries(request)
        login = redirect_to_login(page_to_come_back_to(request, view_func))
        return self.lead_to(request, login.url)

    def lead_to(self, request: Any, url: str) -> HttpResponseBase:
        """By the browser, or told to htmx, which would put the page into a part."""
        return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def page_to_come_back_to(request: Any, view_func: Any) -> str:
    """The page one was on when the session ended: not a part of it, nor its button."""
    if request.htmx and request.htmx.current_url_abs_path:
        return str(request.htmx.current_url_abs_path)
    view = getattr(view_func, "view_class", None)
    if request.method == "POST" and view is not None and not hasattr(view, "get"):
        # Only buttons lead here; opening the address would be an error.
        came_from = urlsplit(request.headers.get("Referer", ""))
        if came_from.netloc != request.get_host():
            return str(resolve_url("home"))
        return str(urlunsplit(("", "", came_from.path, came_from.query, "")))
    return str(request.get_full_path())


class AccountMiddleware:
    """Resolves /a/<account>/ inside the signed-in person's reach and opens its scope."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponseBase:
        try:
            return self.respond(request)
        finally:
            reset_display()

    def respond(self, request: Any) -> HttpResponseBase:
        request.actor = request.reach = None
        person = request.user
        if not person.is_authenticated:
            return self.get_response(request)
        activate_display(person)
        if request.path.startswith("/admin/"):
            with scopes_disabled():  # the system owner's staff see every tenant there
                return self.get_response(request)
        match = ACCOUNT_PATH.match(request.path)
        if not match:
            with subtree(person.customer):
                return self.get_response(request)
        reach = switching.resolve(
            person=person,
            account_id=int(match["account"]),
            session_key=request.session.session_key or "",
            source_ip=request.source_ip,
        )
        request.reach = reach
        if reach is None:
            return self.get_response(request)
        request.actor = reach.actor
        with subtree(reach.account):
            return self.get_response(request)

    def process_view(
        self, request: Any, view_func: Any, view_args: Any, view_kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        if "account" not in view_kwargs or not request.user.is_authenticated:
            return None
        view_kwargs.pop("account")
        reach = request.reach
        if reach is None:
            raise Http404
        if reach.needs_switch and not getattr(view_func, "works_before_switch", False):
            keep_entries(request)
            return ask_to_switch(request, reach)
        return None
