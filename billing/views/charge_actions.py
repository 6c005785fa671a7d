"""Ending a charge, and charging now: what it comes to is seen first."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import BillingAccount
from billing.services import charge_chains, charge_rows, charges
from billing.services.charge_lines import ChargeLine
from billing.taxes import TaxPart
from billing.views.call_parts import more_calls
from billing.views.charges import EDIT, OwnCharge
from billing.views.parts import account_of, sums_of
from portal.core.money import ZERO, format_money
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.row_pages import RowConfirmPage
from portal.core.views import Crumb


class ChargeConfirm(OwnCharge, RowConfirmPage):
    permission = Permission.COMMERCE
    list_title = gettext_lazy("Charges")
    edit_url = EDIT

    def breadcrumbs(self) -> list[Crumb]:
        return [*self.crumbs(), Crumb(str(self.row), self.cancel_url())]


class ChargeEnd(ChargeConfirm):
    submit_label = gettext_lazy("End")

    def title(self) -> str:
        return _("End %(name)s") % {"name": self.row}

    def consequences(self) -> Sequence[str]:
        texts = [
            _("It is not charged any more, not even what is due by now."),
            _("What was charged stays on the account."),
        ]
        if charge_chains.charges_above([self.row]):
            texts.append(_("What you pay your own provider for it ends, too."))
        if (calls := getattr(self.row, "extra_calls", None)) is not None:
            text = _("The customer loses what it pays for: %(calls)s.")
            texts.append(text % {"calls": more_calls(calls.type, calls.calls)})
        return texts

    def refusal(self) -> str:
        return _("The charge has ended.") if self.row.ended_at else ""

    def save(self, form: forms.BaseForm) -> str:
        charge_rows.end_charge(charge=self.row, by=self.actor)
        return self.list_place()

    def success_message(self, form: Any) -> str:
        return _("Ended.")


class ChargeNow(ChargeConfirm):
    submit_label = gettext_lazy("Charge now")
    template_name = "billing/charge_now.html"
    is_danger = False

    def title(self) -> str:
        return _("Charge %(name)s now") % {"name": self.row}

    @cached_property
    def lines(self) -> list[ChargeLine] | str:
        """What would be posted, or why nothing can be."""
        account = self.row.account
        zone = account.customer.time_zone if account else account_of(self).time_zone
        today = local_date(zone)
        try:
            return charges.lines_now(self.row, today=today)
        except ValidationError as error:
            return " ".join(error.messages)

    def refusal(self) -> str:
        return self.lines if isinstance(self.lines, str) else ""

    def form_context(self, form: Any) -> dict[str, Any]:
        context = super().form_context(form)
        lines = [] if isinstance(self.lines, str) else self.lines
        if not lines:
            return context
        account = lines[0].account
        total = sum((line.gross for line in lines), ZERO)
        return context | {"lines": line_rows(lines), **sums_of(account, total)}

    def save(self, form: forms.BaseForm) -> str:
        charges.charge_now(charge=self.row, by=self.actor)
        return self.cancel_url()

    def success_message(self, form: Any) -> str:
        return _("Charged.")

    def render_form(self, form: Any, **kwargs: Any) -> HttpResponse:
        self.__dict__.pop("lines", None)  # a refusal may come from what changed since
        return super().render_form(form, **kwargs)


class Line(Protocol):
    """What is shown of an amount before it is posted."""

    @property
    def account(self) -> BillingAccount: ...
    @property
    def description(self) -> str: ...
    @property
    def net(self) -> Decimal: ...
    @property
    def gross(self) -> Decimal: ...
    @property
    def taxes(self) -> tuple[TaxPart, ...]: ...


def line_rows(lines: Sequence[Line]) -> list[dict[str, str]]:
    """Lines as billing/_lines.html shows them."""
    return [
        {
            "description": line.description,
            "net": format_money(line.net, line.account.currency),
            "taxes": " + ".join(
                f"{part.name} {format_money(part.amount, line.account.currency)}"
                for part in line.taxes
            ),
            "gross": format_money(line.gross, line.account.currency),
        }
        for line in lines
    ]
