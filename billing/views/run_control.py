"""A billing run as it goes on: how far it is, run now, stop, continue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_htmx.http import HttpResponseClientRefresh

from billing.choices import InvoiceStatus, RunStep
from billing.models import Invoice, PeriodRun
from billing.selectors import RunInvoices, invoices_of, visible_runs
from billing.services import runs
from portal.core.actor import Actor
from portal.core.display import format_moment
from portal.core.forms import PortalForm
from portal.core.permissions import Permission
from portal.core.urls import account_url
from portal.core.views import ConfirmPage, Crumb, PortalView

LIST = "billing:run-list"
DETAIL = "billing:run-detail"
# Of fewer seconds nothing can be said about how fast it goes.
LEAST_SECONDS = 2.0
# So long after a run the page follows the files and mails of its invoices.
FOLLOWED = timedelta(hours=1)
WAS_WORKING = "working"  # says that the part on the page is of a run that went on


class RunNow(ConfirmPage):
    """Charge and invoice what is due now, without waiting for the next hour."""

    permission = Permission.SYSTEM
    is_danger = False
    submit_label = gettext_lazy("Run now")

    def title(self) -> str:
        return _("Run billing now")

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Billing runs"), self.cancel_url())]

    def cancel_url(self) -> str:
        return self.url(LIST)

    def build_form(self, data: Any = None, files: Any = None) -> forms.BaseForm:
        return PortalForm(data)

    @cached_property
    def due(self) -> tuple[int, int]:
        return runs.due_now()

    def consequences(self) -> Sequence[str]:
        charged, invoiced = self.due
        if not (charged or invoiced):
            return [_("Nothing is due now: a run would do nothing.")]
        return [
            ngettext(
                "Fees or charges are due on %(count)s account.",
                "Fees or charges are due on %(count)s accounts.",
                charged,
            )
            % {"count": charged},
            ngettext(
                "Then %(count)s account is invoiced, as its billing type says.",
                "Then %(count)s accounts are invoiced, as their billing types say.",
                invoiced,
            )
            % {"count": invoiced},
            _(
                "Each account is charged up to its own local day; nothing is done"
                " twice."
            ),
        ]

    def save(self, form: Any) -> str:
        run = runs.run_now(by=self.actor)
        self.is_started = run is not None
        return self.url(LIST) if run is None else self.url(DETAIL, pk=run.pk)

    def success_message(self, form: Any) -> str:
        return _("The run has started.") if self.is_started else _("Nothing was due.")


class RunStop(PortalView):
    """POST: have workers leave a run between two accounts."""

    permission = Permission.SYSTEM
    http_method_names = ["post"]

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        run = get_object_or_404(visible_runs(self.actor), pk=pk)
        runs.stop(run, by=self.actor)
        messages.info(request, _("The run is stopping. What it has done stays."))
        return self.redirect(self.url(DETAIL, pk=pk))


class RunContinue(PortalView):
    """POST: have workers go on with a run that was stopped."""

    permission = Permission.SYSTEM
    http_method_names = ["post"]

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        run = get_object_or_404(visible_runs(self.actor), pk=pk)
        runs.go_on(run, by=self.actor)
        messages.success(request, _("The run continues."))
        return self.redirect(self.url(DETAIL, pk=pk))


class RunProgress(PortalView):
    """The part of a run's page that asks for itself while the run goes on."""

    permission = Permission.SYSTEM
    http_method_names = ["get", "head", "options"]

    def get(self, request: Any, pk: int) -> HttpResponse:
        run = get_object_or_404(visible_runs(self.actor), pk=pk)
        if WAS_WORKING in request.GET and not runs.is_busy(run):
            # The table of failures below and the state above have changed, too.
            return HttpResponseClientRefresh()
        context = {"progress": progress_of(run, self.actor)}
        return render(request, "billing/_run_progress.html", context)


def progress_of(run: PeriodRun, reader: Actor) -> dict[str, Any]:
    """What `billing/_run_progress.html` shows."""
    account = reader.customer.pk
    made = invoices_of(run)
    is_busy = runs.is_busy(run)
    url = account_url(account, "billing:run-progress", pk=run.pk)
    return {
        "run": run,
        "is_stopping": is_busy and run.is_stopped,
        "is_live": is_busy or _files_to_come(run, made),
        "url": f"{url}?{WAS_WORKING}=1" if is_busy else url,
        "stop_url": account_url(account, "billing:run-stop", pk=run.pk),
        "continue_url": account_url(account, "billing:run-continue", pk=run.pk),
        "steps": [step_line(run, step) for step in RunStep],
        "tiles": invoice_tiles(made, own_held(run, account)),
        "undrawable": made.undrawable,
        "draw_url": account_url(account, "billing:run-draw", pk=run.pk),
    }


def own_held(run: PeriodRun, account: int) -> tuple[int, str]:
    """How many of what it holds back are of invoices of the ``account``, and their list."""
    held = Invoice.objects.filter(
        run_links__run=run.pk, status=InvoiceStatus.PENDING, issuer=account
    )
    url = account_url(account, "billing:invoice-list")
    return held.count(), f"{url}?status={InvoiceStatus.PENDING}"


def _files_to_come(run: PeriodRun, made: RunInvoices) -> bool:
    """Whether invoices of a run that ended lately are still drawn and mailed."""
    if run.finished_at is None or run.finished_at < timezone.now() - FOLLOWED:
        return False
    return made.drawn < made.issued or made.mailed < made.to_mail


def step_line(run: PeriodRun, step: RunStep) -> dict[str, Any]:
    """How far a step is, for `_components/progress.html`."""
    total, done, failed = run.tally(step)
    text = ngettext(
        "%(done)s of %(total)s account", "%(done)s of %(total)s accounts", total
    )
    text %= {"done": done, "total": total}
    is_to_come = step == RunStep.INVOICES and not total and run.finished_at is None
    estimate = ""
    if run.is_working and step == run.step:
        done_here = done + failed - run.step_done
        estimate = pace_text(run.step_at, done_here, total - done - failed)
    elif is_to_come:
        estimate = _("Once everything is charged.")
    return {
        "id": f"run-{step}",
        "label": step.label,
        "done": done + failed,
        "total": max(total, 1),
        "text": _("to come") if is_to_come else _with_failed(text, failed),
        "estimate": estimate,
    }


def _with_failed(text: str, failed: int) -> str:
    if not failed:
        return text
    return _("%(text)s, %(failed)s failed") % {"text": text, "failed": failed}


def pace_text(since: datetime, done: int, left: int) -> str:
    """How fast it goes and when it ends, once that can be said."""
    now = timezone.now()
    seconds = (now - since).total_seconds()
    if seconds < LEAST_SECONDS or done <= 0:
        return ""
    rate = done / seconds
    return _("%(rate)s a second, done at about %(time)s") % {
        "rate": f"{rate:.1f}",
        "time": format_moment(now + timedelta(seconds=max(0, left) / rate)),
    }


def invoice_tiles(made: RunInvoices, own: tuple[int, str]) -> list[dict[str, Any]]:
    """How many invoices were issued, drawn and mailed, and how many are held back.

    ``own`` is what `own_held` says: only these are in a list of the reader's.
    """
    of = _("of %(count)s")
    own_count, own_url = own
    held = {
        "label": _("Held back"),
        "value": str(made.held),
        "icon": "octagon-pause",
        "kind": "warning" if made.held else "",
    }
    if own_count:
        held["url"] = own_url
    if made.held > own_count:
        held["detail"] = (
            _("%(count)s of them yours") % {"count": own_count}
            if own_count
            else _("by sellers below you")
        )
    return [
        {"label": _("Invoices"), "value": str(made.issued), "icon": "receipt-text"},
        {
            "label": _("Drawn"),
            "value": str(made.drawn),
            "icon": "file-check",
            "detail": of % {"count": made.issued},
        },
        {
            "label": _("E-mailed"),
            "value": str(made.sent),
            "icon": "mail",
            "detail": _("%(count)s kept: there is no mail server")
            % {"count": made.kept}
            if made.kept
            else of % {"count": made.to_mail},
        },
        held,
    ]
