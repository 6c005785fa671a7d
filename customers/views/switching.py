"""Into a customer's account, and back out (design 3)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from customers.models import Person
from customers.selectors import customers_below
from customers.services import switching
from customers.services.switching import Reach
from portal.core.permissions import Permission
from portal.core.scope import subtree
from portal.core.urls import account_url, row_id
from portal.core.views import PortalView


class SwitchOpen(PortalView):
    """POST: act in a customer below, as its pseudo-person or as one of its people."""

    permission = Permission.COMMERCE
    http_method_names = ["post"]

    def post(self, request: Any) -> HttpResponseBase:
        customer = get_object_or_404(
            customers_below(self.actor),
            pk=row_id(request.POST.get("customer", "")),
            deleted_at=None,
        )
        person = None
        if request.POST.get("person"):
            person = get_object_or_404(
                Person,
                pk=row_id(request.POST["person"]),
                customer=customer,
                is_pseudo=False,
            )
        switching.open_switch(
            customer=customer,
            target=person,
            session_key=session_key(request),
            by=self.actor,
        )
        start = account_url(customer.pk, "start")
        return self.redirect(safe_next(request, within=customer.pk) or start)


class SwitchClose(PortalView):
    """POST: leave the account one is switched into, and go back to where one came from."""

    permission = Permission.USER
    http_method_names = ["post"]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Whoever one acts as, however few its rights: the way back is always open.
        return self.post(request) if request.method == "POST" else self.refuse()

    def refuse(self) -> HttpResponseBase:
        raise Http404

    def post(self, request: Any) -> HttpResponseBase:
        reach: Reach = request.reach
        if reach.switch is None:
            return redirect("home")
        switching.close_switch(switch=reach.switch, by=self.actor)
        above = [
            switch.customer
            for switch in reach.open_switches
            if reach.account.is_below(switch.customer)
        ]
        back_to = above[-1] if above else reach.own
        messages.success(
            request, _("You have left %(name)s.") % {"name": reach.account.name}
        )
        if back_to.pk == reach.account.parent_id:
            url = account_url(
                back_to.pk, "customers:customer-detail", pk=reach.account.pk
            )
            return redirect(url)
        return redirect(account_url(back_to.pk, "start"))


def ask_to_switch(request: Any, reach: Reach) -> HttpResponse:
    """A link into a customer one has not switched into: one button, then on to the page."""
    with subtree(reach.own):
        context = {
            "title": reach.account.name,
            "customer": reach.account,
            "switch_url": account_url(reach.own.pk, "customers:switch-open"),
            "next": request.get_full_path()
            if request.method == "GET"
            else request.path,
            "back_url": account_url(reach.own.pk, "start"),
            "has_kept_entries": request.method == "POST",
        }
        return render(request, "customers/ask_to_switch.html", context)


def session_key(request: Any) -> str:
    if request.session.session_key is None:
        request.session.create()
    return str(request.session.session_key)


def safe_next(request: Any, *, within: int) -> str:
    """The page asked for, if it is one of ours inside the account ``within``."""
    target = str(request.POST.get("next", ""))
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return ""
    parts = urlsplit(target)
    try:
        # Asks the map of the site: "/a/7/../8/" begins well and leads elsewhere.
        page = resolve(parts.path)
    except Resolver404:
        return ""
    if page.kwargs.get("account") != within:
        return ""
    return urlunsplit(("", "", parts.path, parts.query, ""))
