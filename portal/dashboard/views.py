"""Pages that belong to no single app: the start and the search box."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from customers.search import find
from customers.selectors import has_children
from portal.core.permissions import Permission
from portal.core.urls import account_url
from portal.core.views import PortalView


def home(request: Any) -> HttpResponse:
    """The bare address leads to one's own account."""
    return redirect(account_url(request.user.customer_id, "start"))


class Start(PortalView):
    """The first page after signing in: the place where most of the work is."""

    permission = Permission.USER

    def get(self, request: Any) -> HttpResponse:
        return redirect(self.url(self.first_page()))

    def first_page(self) -> str:
        """Its customers; inside a customer without any, what one came to set up."""
        actor = self.actor
        has_customers = actor.can(Permission.COMMERCE) and (
            not actor.is_switched or has_children(actor.customer)
        )
        if has_customers:
            return "customers:customer-list"
        if actor.can(Permission.ADMINISTRATOR):
            return "customers:person-list"
        return "customers:line-list" if actor.is_switched else "customers:profile"


class Search(PortalView):
    """Customers, people and numbers below, while one types or as a page."""

    permission = Permission.COMMERCE

    def title(self) -> str:
        return _("Search")

    def get(self, request: Any) -> HttpResponseBase:
        query = request.GET.get("q", "").replace("\0", "").strip()[:100]
        is_part = request.htmx and not request.htmx.boosted
        results = find(query, actor=self.actor, limit=5 if is_part else 25)
        more_url = f"{request.path}?{urlencode({'q': query})}"
        context = self.page_context(results=results, query=query, more_url=more_url)
        template = (
            "_components/search_results.html"
            if is_part
            else "_components/search_page.html"
        )
        return render(request, template, context)
