"""Commerce » Invoices and Reports » Invoices: lists, approving, sending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.choices import InvoiceStatus
from billing.forms.invoices import InvoiceFilter, OwnInvoiceFilter
from billing.invoice_selectors import (
    MANY_MATCHES,
    counts_by_status,
    issued_by,
    received_by,
)
from billing.models import Invoice
from billing.services import invoice_status
from billing.services.overdue import past_due
from billing.views.invoice_cells import columns
from portal.core.forms import PortalForm
from portal.core.permissions import Permission
from portal.core.tables import PAGE_SIZE, BulkAction, Column, Empty
from portal.core.urls import row_id, with_query
from portal.core.views import ConfirmPage, Crumb, ListPage

LIST = "billing:invoice-list"
OWN_LIST = "billing:own-invoice-list"
# These wait for somebody, of whoever issued them: how they look above the list.
ATTENTION = {
    InvoiceStatus.PENDING: ("warning", "octagon-pause"),
    InvoiceStatus.QUEUED: ("info", "file-search"),
    InvoiceStatus.APPROVED: ("info", "send"),
    InvoiceStatus.OVERDUE: ("danger", "circle-alert"),
    InvoiceStatus.PAYMENT_REFUSED: ("danger", "ban"),
}


class InvoiceTable(ListPage):
    """Base of every list of invoices."""

    table_id = "invoices"
    default_sort = "-date"
    with_customer: ClassVar[bool] = False

    def title(self) -> str:
        return _("Invoices")

    def columns(self) -> Sequence[Column]:
        query = self.request.GET
        is_dated = bool(query.get("since") or query.get("until"))
        return columns(with_customer=self.with_customer, is_dated=is_dated)


class IssuedInvoices(InvoiceTable):
    """Base of the lists of what an account has invoiced: all, or of one customer."""

    permission = Permission.COMMERCE

    def get_queryset(self) -> QuerySet[Invoice]:
        return issued_by(self.actor.customer)

    def row_url(self, row: Invoice) -> str:
        return self.url("billing:invoice-detail", pk=row.pk)

    def bulk_actions(self) -> Sequence[BulkAction]:
        return (
            BulkAction("approve", _("Approve"), "file-check"),
            BulkAction("take_back", _("Withdraw approval"), "undo-2"),
            BulkAction("send", _("Send"), "send"),
        )

    def bulk_url(self) -> str:
        return with_query(self.url("billing:invoice-bulk"), self.request.GET)


class InvoiceList(IssuedInvoices):
    """All invoices to one's customers, the newest first."""

    template_name = "billing/invoices/list.html"
    filterset_class = InvoiceFilter
    with_customer = True

    def page_context(self, **context: Any) -> dict[str, Any]:
        # Counted by the template only: the table alone does not show it.
        return super().page_context(attention=self.attention, **context)

    def attention(self) -> list[dict[str, str]]:
        """Invoices that wait for somebody, with the way to them."""
        if self.request.GET:
            return []
        url = self.url(LIST)
        return [
            {
                "kind": kind,
                "icon": icon,
                "label": _waiting(status, self.counts[status]),
                "url": f"{url}?status={status}",
            }
            for status, (kind, icon) in ATTENTION.items()
            if self.counts[status]
        ]

    @cached_property
    def counts(self) -> dict[InvoiceStatus, int]:
        """How many wait for somebody, by status."""
        return counts_by_status(issued_by(self.actor.customer), tuple(ATTENTION))

    def page_actions(self) -> Sequence[dict[str, str]]:
        """Both go over what the filters leave; neither is there for nothing."""
        approve = (_("Approve all"), "billing:invoice-approve-all", "file-check")
        send = (_("Send approved"), "billing:invoice-send-all", "send")
        found = [
            action
            for status, action in (
                (InvoiceStatus.QUEUED, approve),
                (InvoiceStatus.APPROVED, send),
            )
            if self.counts[status]
        ]
        return [
            {
                "label": label,
                "url": with_query(self.url(name), self.request.GET),
                "icon": icon,
                "follows": "filters",
            }
            for label, name, icon in found
        ]

    def empty(self) -> Empty:
        return Empty(
            icon="receipt-text",
            title=_("No invoices yet"),
            text=_(
                "Billing runs and top-ups create them. You can also use “Invoice"
                " now” on the page of any customer."
            ),
            action_url=self.url("customers:customer-list"),
            action_label=_("Go to customers"),
        )


def _waiting(status: InvoiceStatus, count: int) -> str:
    """How many wait in a status, in a few words."""
    match status:
        case InvoiceStatus.PENDING:
            text = ngettext("%(count)s held back", "%(count)s held back", count)
        case InvoiceStatus.QUEUED:
            text = ngettext("%(count)s to approve", "%(count)s to approve", count)
        case InvoiceStatus.APPROVED:
            text = ngettext(
                "%(count)s approved, ready to send",
                "%(count)s approved, ready to send",
                count,
            )
        case InvoiceStatus.PAYMENT_REFUSED:
            text = ngettext(
                "%(count)s payment refused", "%(count)s payments refused", count
            )
        case _:
            text = ngettext("%(count)s overdue", "%(count)s overdue", count)
    return text % {"count": _at_most(count)}


def _at_most(count: int) -> str:
    return f"{MANY_MATCHES}+" if count > MANY_MATCHES else str(count)


class InvoiceBulk(InvoiceList):
    """POST: approve, take back the approval of, or send the ticked invoices."""

    http_method_names = ["post"]

    def post(self, request: Any) -> HttpResponseBase:
        ids = [row_id(text) for text in request.POST.getlist("row")[:PAGE_SIZE]]
        ticked = Invoice.objects.filter(pk__in=[pk for pk in ids if pk is not None])
        act = {"approve": approve, "take_back": take_back, "send": send}.get(
            str(request.POST.get("action"))
        )
        if act is not None:
            act(self, ticked)
        # Back to the list as it was: filtered, sorted, at the same page.
        return self.redirect(with_query(self.back_url(), request.GET))

    def back_url(self) -> str:
        return self.url(LIST)


def approve(view: Any, invoices: QuerySet[Invoice]) -> None:
    late = _late_text(view, invoices.filter(status=InvoiceStatus.QUEUED))
    count = invoice_status.approve(invoices, by=view.actor)
    text = ngettext(
        "%(count)d invoice approved.", "%(count)d invoices approved.", count
    )
    _tell(view, count, text, _("None of them is waiting for approval."))
    if late:
        messages.warning(view.request, late)


def take_back(view: Any, invoices: QuerySet[Invoice]) -> None:
    count = invoice_status.take_back_approval(invoices, by=view.actor)
    text = ngettext(
        "Approval of %(count)d invoice withdrawn.",
        "Approval of %(count)d invoices withdrawn.",
        count,
    )
    _tell(view, count, text, _("None of them is approved and waiting to be sent."))


def send(view: Any, invoices: QuerySet[Invoice]) -> None:
    late = _late_text(view, invoices.filter(status=InvoiceStatus.APPROVED))
    count = invoice_status.send_approved(invoices, by=view.actor)
    text = ngettext(
        "%(count)d invoice is on its way.",
        "%(count)d invoices are on their way.",
        count,
    )
    _tell(view, count, text, _("None of them is approved and waiting to be sent."))
    if late:
        messages.warning(view.request, late)


def _late_text(view: Any, invoices: QuerySet[Invoice]) -> str:
    """Of what is approved or sent when it should have been paid already; "" for none."""
    own = invoices.filter(issuer=view.actor.customer.pk)
    count = past_due(own).order_by().count()
    if not count:
        return ""
    text = ngettext(
        "%(count)d was issued so long ago that its due day has passed: its customer has as"
        " many days to pay from the day it is sent. The document itself keeps its day.",
        "%(count)d were issued so long ago that their due day has passed: their customers"
        " have as many days to pay from the day they are sent. The documents themselves"
        " keep their day.",
        count,
    )
    return text % {"count": count}


def _tell(view: Any, count: int, text: str, nothing: str) -> None:
    if count:
        messages.success(view.request, text % {"count": count})
    else:
        messages.info(view.request, nothing)


class AllInvoices(ConfirmPage):
    """Base of what is done to all invoices of one status that the filters leave."""

    permission = Permission.COMMERCE
    is_danger = False
    status: ClassVar[InvoiceStatus]
    done = 0

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Invoices"), self.cancel_url())]

    def cancel_url(self) -> str:
        return with_query(self.url(LIST), self.request.GET)

    @cached_property
    def invoices(self) -> QuerySet[Invoice]:
        filterset = InvoiceFilter(
            self.request.GET,
            queryset=issued_by(self.actor.customer),
            request=self.request,
        )
        found: QuerySet[Invoice] = filterset.qs.filter(status=self.status)
        return found

    @cached_property
    def count(self) -> int:
        return self.invoices.order_by().values("pk").count()

    def build_form(self, data: Any = None, files: Any = None) -> forms.BaseForm:
        return PortalForm(data)

    def save_once(self, form: Any, key: str) -> tuple[str, bool]:
        """In no transaction of its own: batches are. A second click finds nothing left."""
        url = self.save(form)
        return url, self.done > 0

    def form_context(self, form: Any) -> dict[str, Any]:
        return super().form_context(form) | {
            "refusal": "" if self.count else self.nothing()
        }

    def nothing(self) -> str:
        raise NotImplementedError

    def late(self) -> Sequence[str]:
        """What to look at before: a paragraph of the consequences, if any."""
        text = _late_text(self, self.invoices)
        return (text,) if text else ()


class InvoiceApproveAll(AllInvoices):
    status = InvoiceStatus.QUEUED
    submit_label = gettext_lazy("Approve")

    def title(self) -> str:
        return _("Approve invoices")

    def nothing(self) -> str:
        return _("None of the invoices listed is waiting for approval.")

    def consequences(self) -> Sequence[str]:
        count = self.count
        return (
            ngettext(
                "%(count)d waiting invoice is approved.",
                "%(count)d waiting invoices are approved.",
                count,
            )
            % {"count": count},
            _(
                "They go out when you send them. Until then, you can withdraw your"
                " approval."
            ),
            *self.late(),
        )

    def save(self, form: Any) -> str:
        self.done = invoice_status.approve_all(self.invoices, by=self.actor)
        return self.cancel_url()

    def success_message(self, form: Any) -> str:
        return ngettext(
            "%(count)d invoice approved.", "%(count)d invoices approved.", self.done
        ) % {"count": self.done}


class InvoiceSendAll(AllInvoices):
    status = InvoiceStatus.APPROVED
    submit_label = gettext_lazy("Send")

    def title(self) -> str:
        return _("Send approved invoices")

    def nothing(self) -> str:
        return _("None of the invoices listed is approved and waiting to be sent.")

    def consequences(self) -> Sequence[str]:
        count = self.count
        return (
            ngettext(
                "%(count)d approved invoice is sent, and becomes due, paid or"
                " pre-paid.",
                "%(count)d approved invoices are sent, and become due, paid or"
                " pre-paid.",
                count,
            )
            % {"count": count},
            _(
                "Customers can see them, and those who get invoices by e-mail receive"
                " them."
            ),
            *self.late(),
            _("Sending cannot be undone."),
        )

    def save(self, form: Any) -> str:
        self.done = invoice_status.send_all(self.invoices, by=self.actor)
        return self.cancel_url()

    def success_message(self, form: Any) -> str:
        return ngettext(
            "%(count)d invoice is on its way.",
            "%(count)d invoices are on their way.",
            self.done,
        ) % {"count": self.done}


class OwnInvoices(InvoiceTable):
    """What the account one is in was invoiced, whoever its provider was."""

    permission = Permission.REPORTS
    filterset_class = OwnInvoiceFilter

    def get_queryset(self) -> QuerySet[Invoice]:
        return received_by(self.actor.customer)

    def row_url(self, row: Invoice) -> str:
        return self.url("billing:own-invoice-detail", pk=row.pk)

    def empty(self) -> Empty:
        return Empty(
            icon="receipt-text",
            title=_("No invoices yet"),
            text=_("Your invoices will be listed here, to read and to download."),
        )
