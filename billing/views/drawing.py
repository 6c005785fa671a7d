"""Trying again to make the files of invoices, from the pages that say they are missing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import Invoice
from billing.selectors import visible_runs
from billing.services import invoice_drawing
from billing.views.run_control import DETAIL
from portal.core.actor import Actor
from portal.core.permissions import Permission
from portal.core.views import PortalView


class RunDraw(PortalView):
    """POST: have the files made that could not be of all invoices of a run."""

    permission = Permission.SYSTEM
    http_method_names = ["post"]

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        run = get_object_or_404(visible_runs(self.actor), pk=pk)
        rows = Invoice.objects.filter(run_links__run=run.pk)
        say_drawn_again(request, rows, by=self.actor)
        return self.redirect(self.url(DETAIL, pk=pk))


def say_drawn_again(request: Any, rows: QuerySet[Invoice], *, by: Actor) -> None:
    """Have those of ``rows`` drawn that could not be, and say so."""
    count = invoice_drawing.draw_again(rows, by=by)
    if not count:
        messages.info(request, _("All files are created already."))
        return
    said = ngettext(
        "The files of %(count)s invoice are being created again.",
        "The files of %(count)s invoices are being created again.",
        count,
    )
    messages.success(request, said % {"count": count})
