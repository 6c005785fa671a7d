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

from billing.choices import RunStep
from billing.filters import FailureFilter, RunFilter
from billing.models import PeriodRun, RunFailure
from billing.selectors import run_failures, sees_all_runs, visible_runs
from billing.services import runs
from billing.views.run_control import DETAIL, LIST, progress_of
from portal.core.actor import Actor
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
        return visible_runs(self.actor)

    def columns(self) -> Sequence[Column]:
        whole = (
            Column("total", _("Accounts"), lambda run: str(run.total), align="end"),
            Column("done", _("Charged"), lambda run: str(run.done), align="end"),
            Column("left", _("Left"), lambda run: str(left_of(run)), align="end"),
            Column(
                "invoiced", _("Invoiced"), lambda run: str(run.invoiced), align="end"
            ),
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
        if sees_all_runs(self.actor):
            context["progress"] = progress_of(self.run, self.actor)
        return super().page_context(
            state=state_pill(self.run), tiles=self.tiles(), **context
        )

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
        return Empty(
            icon="check",
            title=_("Nothing failed"),
            text=_("Every account in this run was charged and invoiced."),
        )

    def _reason(self, failure: RunFailure) -> SafeString:
        text = reason_of(failure, self.actor)
        return format_html('<span class="text-wrap">{}</span>', text)

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
            values = {"name": name, "reason": reason_of(found, self.actor)}
            messages.error(request, _("%(name)s failed again: %(reason)s") % values)
        else:
            messages.success(request, _("%(name)s is charged.") % {"name": name})
        is_there = visible_runs(self.actor).filter(pk=pk).exists()
        return self.redirect(self.url(DETAIL, pk=pk) if is_there else self.url(LIST))


def reason_of(failure: RunFailure, reader: Actor) -> str:
    """Why it failed; what only a programmer can read is for the system owner's eyes."""
    first_word = failure.error.partition(":")[0]
    is_technical = first_word != failure.error and first_word.isidentifier()
    if is_technical and not sees_all_runs(reader):
        return _("Something unexpected happened. The system owner can see the details.")
    return failure.error


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
