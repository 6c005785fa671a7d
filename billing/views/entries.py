"""One entry of a ledger: its sums, facts, and what it leads to."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from billing.models import LedgerEntry
from billing.statement import entries_of, with_causes
from billing.views.account_parts import amount_cell
from billing.views.accounts import AccountView, OwnAccountView
from portal.core.display import format_day, format_moment
from portal.core.money import format_price
from portal.core.periods import ONE_DAY
from portal.core.views import Crumb


class EntryView(AccountView):
    """All there is to know of one entry."""

    template_name = "billing/entry.html"
    entry_argument = "pk"

    @cached_property
    def entry(self) -> LedgerEntry:
        entries = (
            with_causes(entries_of(self.account))
            .select_related(
                "person__customer",
                "charge",
                "product",
                "reverses",
                "reversed_by",
                "invoice",
            )
            .defer("invoice__content")
        )
        return get_object_or_404(entries, pk=self.kwargs[self.entry_argument])

    def title(self) -> str:
        return self.description(self.entry)

    def get(self, request: Any, **kwargs: Any) -> HttpResponse:
        entry = self.entry
        context = self.page_context(
            entry=entry,
            subtitle=entry.get_kind_display(),
            amount=amount_cell(entry.amount, self.account.currency),
            facts=self.facts(),
            sums=self.sums(),
            links=self.links(),
            **self.more(),
        )
        return render(request, self.template_name, context)

    def more(self) -> dict[str, Any]:
        """What only some readers see."""
        return {}

    def sums(self) -> list[dict[str, Any]]:
        """From the net price over the taxes to the amount."""
        entry, currency = self.entry, self.account.currency
        taxes = [
            {
                "label": part.name,
                "html": amount_cell(part.amount, currency),
                "help": f"{part.rate.normalize():f} %" if part.rate else "",
            }
            for part in entry.taxes.all()
        ]
        return [
            {"label": _("Net"), "html": amount_cell(entry.net, currency)},
            *taxes,
            {
                "label": _("Amount"),
                "html": format_html(
                    "<strong>{}</strong>", amount_cell(entry.amount, currency)
                ),
            },
            {
                "label": _("Balance after it"),
                "html": amount_cell(entry.balance_after, currency),
                "help": ""
                if entry.is_on_balance
                else _("The entry stands beside the balance, which it left as it was."),
            },
        ]

    def facts(self) -> list[dict[str, Any]]:
        entry = self.entry
        facts = [
            ("at", format_moment(entry.at)),
            ("created_at", format_moment(entry.created_at)),
            ("kind", entry.get_kind_display()),
            ("customer", getattr(entry, "cause", None)),
            ("person", self.who(entry)),
            ("acting_as_name", entry.acting_as_name),
            ("quantity", entry.quantity),
            ("reference", entry.reference),
            ("feature", entry.get_feature_display()),
            ("charge", entry.charge or ""),
            ("product", entry.product or ""),
            ("period_start", self._period()),
            ("original_amount", self._original()),
        ]
        labels = {
            "acting_as_name": _("Acting as"),
            "customer": _("Customer"),
            "period_start": _("Period"),
        }
        always = {"at", "created_at", "kind", "person"}
        return [
            {"label": labels.get(name) or _label(name), "value": value}
            for name, value in facts
            if value or name in always
        ]

    def _period(self) -> str:
        entry = self.entry
        if entry.period_start is None or entry.period_end is None:
            return ""
        last = entry.period_end - ONE_DAY
        return f"{format_day(entry.period_start)} – {format_day(last)}"

    def _original(self) -> str:
        entry = self.entry
        if entry.original_amount is None or entry.exchange_rate is None:
            return ""
        return _("%(amount)s at %(rate)s") % {
            "amount": format_price(entry.original_amount, entry.original_currency),
            "rate": f"{entry.exchange_rate.normalize():f}",
        }

    def links(self) -> list[dict[str, str]]:
        """Its invoice, and the entry that it takes back, or that takes it back."""
        entry = self.entry
        found = []
        if entry.reverses is not None:
            found.append((_("Takes back"), entry.reverses))
        if (reversal := getattr(entry, "reversed_by", None)) is not None:
            found.append((_("Taken back by"), reversal))
        return [
            *self._invoice_link(),
            *(
                {
                    "label": label,
                    "text": self.description(other),
                    "when": format_moment(other.at),
                    "url": self.entry_url(other),
                }
                for label, other in found
            ),
        ]

    def _invoice_link(self) -> list[dict[str, str]]:
        invoice = self.entry.invoice
        if invoice is None or not (url := self.invoice_url(self.entry)):
            return []
        return [
            {
                "label": str(invoice.get_type_display()),
                "text": invoice.number,
                "when": format_day(invoice.issued_on) if invoice.issued_on else "",
                "url": url,
            }
        ]


def _label(name: str) -> str:
    field = LedgerEntry._meta.get_field(name)
    return capfirst(str(field.verbose_name))  # type: ignore[union-attr]


class OwnEntry(OwnAccountView, EntryView):
    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Account"), self.account_url())]
