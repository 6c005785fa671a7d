"""Pages about the real person: nobody opens or posts them while switched."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseBase
from django.utils.translation import gettext as _

from customers.models import Person
from portal.core.permissions import Permission
from portal.core.views import Crumb, PortalView


class OwnPage(PortalView):
    """A page of Settings about oneself. While switched it is not there: 404, also to POST."""

    permission = Permission.USER

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        reach = request.reach
        if reach.switch is not None or reach.account.pk != reach.own.pk:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    @property
    def person(self) -> Person:
        person: Person = self.request.reach.person
        return person

    @property
    def session_key(self) -> str:
        return str(self.request.session.session_key)

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Settings"))]
