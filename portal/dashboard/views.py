"""Pages that belong to no single app: the start and the search box."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from customers.search import find
from customers.views.customer_pages import feature_tiles
from portal.core.permissions import Permission
from portal.core.urls import account_url
from portal.core.views import PortalView
from portal.dashboard import start


def home(request: Any) -> HttpResponse:
    """The bare address leads to one's own account."""
    return redirect(account_url(request.user.customer_id, "start"))


class Start(PortalView):
    """The first page after signing in: how things stand, and where to go on."""

    permission = Permission.USER

    def title(self) -> str:
        return start.greeting()

    def get(self, request: Any) -> HttpResponse:
        account = start.own_account(self.actor)
        if start.is_provider(self.actor):
            part = start.providers_part(self, account)
            template = "portal/start_provider.html"
        else:
            part = start.own_part(self, account, self.features())
            template = "portal/start_own.html"
        subtitle = self.request.reach.account.name
        context = self.page_context(subtitle=subtitle, breadcrumbs=[], **part)
        return render(request, template, context)

    def features(self) -> list[dict[str, Any]]:
        """What the account has, with the ways to it that the role opens."""
        if not self.actor.can(Permission.ADMINISTRATOR):
            return []
        return feature_tiles(self.request.reach.account)


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
