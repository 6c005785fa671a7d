"""Commerce » Billing runs: what was charged and invoiced when, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.choices import RunStep
from billing.filters import FailureFilter, RunFilter
from billing.models import PeriodRun, RunFailure
from billing.selectors import (
    invoices_of,
    run_failures,
    sees_all_runs,
    visible_runs,
    with_invoice_counts,
)
from billing.services import runs
from billing.views.run_control import DETAIL, LIST, progress_of
from portal.core.display import format_day, format_moment
from portal.core.permissions import Permission
from portal.core.pills import pill
from portal.core.tables import Column, Empty
from portal.core.views import Crumb, ListPage, PortalView


class RunList(ListPage):
    """Every run for the system owner; others see those that failed at their customers."""

    permission = Permission.COMMERCE
    table_id = "runs"
    default_sort = "-started"
    filterset_class = RunFilter

    def title(self) -> str:
        return _("Billing runs")

    def get_queryset(self) -> QuerySet[PeriodRun]:
        found = visible_runs(self.actor)
        return with_invoice_counts(found) if sees_all_runs(self.actor) else found

    def columns(self) -> Sequence[Column]:
        whole = (
            Column("total", _("Accounts"), lambda run: str(run.total), align="end"),
            Column("done", _("Charged"), lambda run: str(run.done), align="end"),
            Column("left", _("Left"), lambda run: str(left_of(run)), align="end"),
            Column("issued", _("Invoices"), lambda run: str(run.issued), align="end"),
            Column("held", _("Held back"), lambda run: str(run.held), align="end"),
        )
        return (
            Column("started", _("Started"), _started, sort="id", narrow=True),
            Column("day", _("For"), day_of),
            *(whole if sees_all_runs(self.actor) else ()),
            Column(
                "failed",
                _("Failed"),
                lambda run: str(run.failed_here),
                align="end",
                narrow=True,
            ),
            Column("state", _("State"), state_pill, narrow=True),
        )

    def row_url(self, row: PeriodRun) -> str:
        return self.url(DETAIL, pk=row.pk)

    def page_actions(self) -> Sequence[dict[str, str]]:
        if not sees_all_runs(self.actor):
            return ()
        url = self.url("billing:run-now")
        return [{"label": _("Run now"), "url": url, "icon": "play"}]

    def empty(self) -> Empty:
        if sees_all_runs(self.actor):
            return Empty(
                icon="receipt-text",
                title=_("No run yet"),
                text=_(
                    "Every hour, a run charges all accounts for what has become due"
                    " and issues invoices."
                ),
            )
        return Empty(
            icon="receipt-text",
            title=_("Everything is charged"),
            text=_(
                "Runs that could not charge or invoice one of your customers are"
                " listed here."
            ),
        )


class RunDetail(ListPage):
    """One run: its figures, how far it is, and the accounts that failed."""

    permission = Permission.COMMERCE
    template_name = "billing/run.html"
    table_id = "failures"
    default_sort = "time"
    filterset_class = FailureFilter

    @cached_property
    def run(self) -> PeriodRun:
        return get_object_or_404(visible_runs(self.actor), pk=self.kwargs["pk"])

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        _found = self.run  # or a 404
        return super().get(request)

    def title(self) -> str:
        return _("Billing run of %(time)s") % {
            "time": format_moment(self.run.started_at)
        }

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Billing runs"), self.url(LIST))]

    def page_context(self, **context: Any) -> dict[str, Any]:
        state = state_pill(self.run)
        if sees_all_runs(self.actor):
            context["progress"] = progress_of(self.run, self.actor)
            if context["progress"]["is_stopping"]:
                state = pill("warning", _("Stopping"), "octagon-pause")
        failed = self.run.failed_here  # type: ignore[attr-defined]
        if failed > 1:
            context["all_again_url"] = self.url("billing:run-all-again", pk=self.run.pk)
        return super().page_context(state=state, tiles=self.tiles(), **context)

    def tiles(self) -> list[dict[str, Any]]:
        run = self.run
        ended = (
            _("%(time)s finished") % {"time": format_moment(run.finished_at)}
            if (run.finished_at)
            else _("not finished yet")
        )
        found = [
            {
                "label": _("For"),
                "value": day_of(run),
                "icon": "calendar",
                "detail": ended,
            }
        ]
        failed = run.failed_here  # type: ignore[attr-defined]
        return [
            *found,
            {
                "label": _("Failed"),
                "value": str(failed),
                "icon": "circle-alert",
                "kind": "danger" if failed else "",
            },
        ]

    def get_queryset(self) -> QuerySet[RunFailure]:
        failures = run_failures(self.actor).filter(run=self.run)
        return failures.select_related("account__customer")

    def columns(self) -> Sequence[Column]:
        return (
            Column("customer", _("Customer"), _customer, narrow=True),
            Column("step", _("Step"), RunFailure.get_step_display),
            Column("reason", _("Reason"), self._reason, narrow=True),
            Column("time", _("Time"), _failed_at, sort="id"),
            Column("actions", "", self._again, align="end", narrow=True),
        )

    def row_url(self, row: RunFailure) -> str:
        return self.url("customers:customer-detail", pk=row.account.customer_id)

    def empty(self) -> Empty:
        run = self.run
        if run.finished_at is not None:
            text = outcome_text(run) if sees_all_runs(self.actor) else ""
            return Empty(title=_("Nothing failed"), text=text)
        left = left_of(run)
        text = _("Accounts that cannot be charged or invoiced are listed here.")
        if run.is_stopped:
            text = ngettext(
                "The run was stopped with %(count)s account left.",
                "The run was stopped with %(count)s accounts left.",
                left,
            ) % {"count": left}
        return Empty(title=_("Nothing has failed so far"), text=text)

    def _reason(self, failure: RunFailure) -> SafeString:
        return format_html('<span class="text-wrap">{}</span>', failure.reason)

    def _again(self, failure: RunFailure) -> SafeString:
        return format_html(
            '<button class="btn btn-sm btn-secondary" type="submit" form="again-form"'
            ' formaction="{}" aria-label="{}">{}</button>',
            self.url("billing:run-again", pk=self.run.pk, failure=failure.pk),
            _("Try %(name)s again") % {"name": failure.account.customer.name},
            _("Try again"),
        )


class RunAgain(PortalView):
    """POST: charge and invoice an account that a run failed at."""

    permission = Permission.COMMERCE
    http_method_names = ["post"]

    def post(self, request: Any, pk: int, failure: int) -> HttpResponseBase:
        failures = run_failures(self.actor).select_related("account__customer")
        found = get_object_or_404(failures, pk=failure, run=pk)
        name = found.account.customer.name
        if error := runs.try_again(found, by=self.actor):
            found.error = error
            values = {"name": name, "reason": found.reason}
            messages.error(request, _("%(name)s failed again: %(reason)s") % values)
        else:
            messages.success(request, _("%(name)s is charged.") % {"name": name})
        return self.redirect(url_after(self, pk))


class RunAllAgain(PortalView):
    """POST: charge and invoice all accounts that a run failed at, as far as one may."""

    permission = Permission.COMMERCE
    http_method_names = ["post"]

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        get_object_or_404(visible_runs(self.actor), pk=pk)
        failures = run_failures(self.actor).filter(run=pk)
        count = failures.count()
        done, failed = runs.try_all_again(failures, by=self.actor)
        if done:
            text = ngettext(
                "%(count)s account is charged.", "%(count)s accounts are charged.", done
            )
            messages.success(request, text % {"count": done})
        if failed:
            text = ngettext(
                "%(count)s account failed again.",
                "%(count)s accounts failed again.",
                failed,
            )
            messages.error(request, text % {"count": failed})
        if left := count - done - failed:
            text = ngettext(
                "There was no time for %(count)s more: try all again.",
                "There was no time for %(count)s more: try all again.",
                left,
            )
            messages.info(request, text % {"count": left})
        return self.redirect(url_after(self, pk))


def url_after(view: PortalView, pk: int) -> str:
    """The run's page, or the list where the reader does not see the run any more."""
    is_there = visible_runs(view.actor).filter(pk=pk).exists()
    return view.url(DETAIL, pk=pk) if is_there else view.url(LIST)


def outcome_text(run: PeriodRun) -> str:
    """What a run has come to that ended without a failure."""
    if held := invoices_of(run).held:
        text = ngettext(
            "Every account was charged. %(count)s invoice is held back until what it"
            " lacks is entered.",
            "Every account was charged. %(count)s invoices are held back until what"
            " they lack is entered.",
            held,
        )
        return text % {"count": held}
    return _("Every account was charged, and invoiced where an invoice was due.")


def left_of(run: PeriodRun) -> int:
    """How many accounts it did not charge or invoice yet."""
    tallies = [run.tally(step) for step in RunStep]
    return sum(max(0, total - done - failed) for total, done, failed in tallies)


def day_of(run: PeriodRun) -> str:
    return format_day(run.on) if run.on else _("Each account's own day")


def state_pill(run: PeriodRun) -> SafeString:
    if run.is_stopped:
        return pill("warning", _("Stopped"), "octagon-pause")
    if run.finished_at is None:
        if run.is_stuck:
            return pill("danger", _("Not finished for hours"), "octagon-alert")
        return pill("info", _("Running"), "loader")
    if run.failed_here:  # type: ignore[attr-defined]
        return pill("danger", _("Some failed"), "circle-alert")
    return pill("success", _("Finished"), "check")


def _started(run: PeriodRun) -> str:
    return format_moment(run.started_at)


def _failed_at(failure: RunFailure) -> str:
    return format_moment(failure.at)


def _customer(failure: RunFailure) -> SafeString:
    return format_html("<bdi>{}</bdi>", failure.account.customer.name)
