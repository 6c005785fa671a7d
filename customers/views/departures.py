"""Deleting and restoring a customer, with what it gives back and costs shown before."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.services.departures import DepartureQuote, quote_departure
from billing.services.returns import ReturnQuote, quote_return
from customers.choices import RestOfContract
from customers.price_box import entry_box, fee_box
from customers.services import tree
from customers.views.customer_actions import CustomerAction
from portal.core.forms import PortalForm
from portal.core.money import format_money


class DeleteForm(PortalForm):
    """Asks only while a minimum contract runs; ``choices`` say what each comes to."""

    def __init__(
        self, *args: Any, choices: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if choices:
            self.fields["contract"] = forms.ChoiceField(
                label=_("The rest of the minimum contract"),
                choices=choices,
                widget=forms.RadioSelect,
                error_messages={
                    "required": _("Choose what becomes of the rest of the contract.")
                },
            )
        self.helper.layout = Layout(*self.fields)


class CustomerLeaving(CustomerAction):
    """Base: the page comes back with the new amounts if they are not those it showed."""

    template_name = "customers/customer_leaving.html"

    def price_seen(self) -> str:
        raise NotImplementedError

    def save_once(self, form: Any, key: str) -> tuple[str, bool]:
        seen = self.request.POST.get("price_seen")
        if seen is not None and seen != self.price_seen():
            raise ValidationError(
                _("The amounts have changed meanwhile: look at them again."),
                code="price",
            )
        return super().save_once(form, key)


class CustomerDelete(CustomerLeaving):
    def title(self) -> str:
        return _("Delete %(name)s") % {"name": self.customer.name}

    submit_label = gettext_lazy("Delete")

    @cached_property
    def refusal(self) -> str:
        """Why it cannot be deleted; it has no price then."""
        reasons = tree.deletion_refusals(self.customer)
        if reasons or self.customer.is_deleted:
            return " ".join(reasons)
        try:
            self.price_seen()
        except ValidationError as error:
            reasons = error.messages
        return " ".join(reasons)

    @cached_property
    def contract_runs(self) -> bool:
        return tree.contract_is_running(self.customer)

    @cached_property
    def plain(self) -> DepartureQuote:
        """Without a contract, or with its rest waived."""
        return quote_departure(self.customer)

    @cached_property
    def charged(self) -> DepartureQuote | None:
        """With the rest of the contract charged; None if none runs."""
        if not self.contract_runs:
            return None
        until = self.customer.account.contract_ends_on
        return quote_departure(self.customer, contract_until=until)

    def consequences(self) -> Sequence[str]:
        sentences = [
            _("Its people cannot log in any more, and its telephones stop working."),
            _(
                "Nothing is destroyed: it can be restored from the list of deleted customers."
            ),
        ]
        if self.customer.is_deleted:
            return sentences
        if self.plain.due:
            sentences.append(
                _("What is due by today is charged first: the last run left it out.")
            )
        if not self.plain.refunds:
            sentences.append(
                _("Its rate plan gives nothing back for days that are paid already.")
            )
        elif self.plain.total_back:
            sentences.append(
                _("%(amount)s paid for days after today come back to its balance.")
                % {"amount": self._money(self.plain.total_back)}
                if self.charged is None
                else _("Its rate plan gives back what is paid for days after today.")
            )
        else:
            sentences.append(_("It has paid for no days after today."))
        return sentences

    def _money(self, amount: Decimal) -> str:
        return format_money(amount, self.plain.level.currency)

    def boxes(self) -> list[dict[str, Any]]:
        comes_back = _("Comes back")
        if self.charged is not None:
            comes_back = _("Comes back if the rest is waived")
        rest = self.charged.rest if self.charged else []
        found = (
            entry_box(
                self.plain.due,
                currency=self.plain.level.currency,
                title=_("Due by today"),
                total_label=_("Charged now"),
            ),
            fee_box(self.plain.back, title=comes_back, total_label=_("Total")),
            fee_box(
                rest, title=_("Rest of the minimum contract"), total_label=_("Total")
            ),
        )
        return [box for box in found if box]

    def price_seen(self) -> str:
        if self.customer.is_deleted:
            return ""
        amounts = [self.plain.total_due, self.plain.total_back]
        if self.charged is not None:
            amounts += [self.charged.total_rest, self.charged.total_back]
        return " ".join(str(amount) for amount in amounts)

    def form_context(self, form: forms.BaseForm) -> dict[str, Any]:
        if self.refusal:
            return {"refusal": self.refusal}
        context = super().form_context(form)
        if self.customer.is_deleted:
            return context
        return context | {"boxes": self.boxes(), "price_seen": self.price_seen()}

    def build_form(self, data: Any = None, files: Any = None) -> DeleteForm:
        return DeleteForm(data, choices=self._choices())

    def _choices(self) -> list[tuple[str, str]]:
        if self.customer.is_deleted or self.refusal or self.charged is None:
            return []
        return [
            (RestOfContract.WAIVE.value, self._waive_label()),
            (RestOfContract.CHARGE.value, self._charge_label(self.charged)),
        ]

    def _waive_label(self) -> str:
        if not self.plain.total_back:
            return _("Waive it")
        return _("Waive it: %(amount)s come back") % {
            "amount": self._money(self.plain.total_back)
        }

    def _charge_label(self, charged: DepartureQuote) -> str:
        values = {
            "amount": self._money(charged.total_rest),
            "back": self._money(charged.total_back),
        }
        if charged.total_back:
            return (
                _("Charge it: %(amount)s; %(back)s for days after its end come back")
                % values
            )
        return _("Charge it: %(amount)s, taxes included") % values

    def save(self, form: DeleteForm) -> str:
        tree.delete_customer(
            customer=self.customer,
            contract=form.cleaned_data.get("contract", ""),
            by=self.actor,
        )
        return self.cancel_url()

    def success_message(self, form: DeleteForm) -> str:
        return _("Deleted. It can be restored here.")


class CustomerUndelete(CustomerLeaving):
    is_danger = False

    def title(self) -> str:
        return _("Restore %(name)s") % {"name": self.customer.name}

    submit_label = gettext_lazy("Restore")

    @cached_property
    def quote(self) -> ReturnQuote:
        return quote_return(self.customer, by=self.actor)

    def consequences(self) -> Sequence[str]:
        sentences = [_("It comes back as it was, with its people, lines and numbers.")]
        if not self.customer.is_deleted:
            return sentences
        if self.quote.total:
            sentences.append(
                _("The rest of the running period is charged, also beyond its credit.")
            )
        if self.quote.total_back:
            amount = format_money(self.quote.total_back, self.quote.level.currency)
            sentences.append(
                _("%(amount)s of the contract that was charged come back.")
                % {"amount": amount}
            )
        return sentences

    def price_seen(self) -> str:
        if not self.customer.is_deleted:
            return ""
        return f"{self.quote.total} {self.quote.total_back}"

    def form_context(self, form: forms.BaseForm) -> dict[str, Any]:
        context = super().form_context(form)
        if not self.customer.is_deleted:
            return context
        refusal = self.quote.refusal
        box = fee_box(self.quote.lines, title=_("Price"), total_label=_("Charged now"))
        return context | {
            "refusal": " ".join(refusal.messages) if refusal else "",
            "boxes": [box] if box else [],
            "price_seen": self.price_seen(),
        }

    def save(self, form: forms.BaseForm) -> str:
        tree.undelete_customer(customer=self.customer, by=self.actor)
        return self.cancel_url()

    def success_message(self, form: forms.BaseForm) -> str:
        return _("Restored.")
