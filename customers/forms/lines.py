"""A telephone line, the SIP account that a telephone registers with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from customers.forms.parts import (
    AS_TYPED,
    FeatureForm,
    SuggestInput,
    model_field,
    name_field,
)
from customers.models import Customer, DialPlan, Mailbox, Number, TelephoneLine
from portal.core.forms import Columns, NumberField, Section
from portal.templatetags.portal import telephone

# So many of the account's numbers are proposed as caller ids; any other can be typed.
MOST_SUGGESTIONS = 200


class LineForm(FeatureForm):
    name = name_field(
        TelephoneLine, "name", help_text=_("Where it stands or whose it is: Reception.")
    )
    username = model_field(
        TelephoneLine, "username", widget=forms.TextInput({**AS_TYPED, "dir": "ltr"})
    )
    extension = model_field(
        TelephoneLine,
        "extension",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    is_external_allowed = model_field(
        TelephoneLine,
        "is_external_allowed",
        help_text=_("Otherwise it reaches colleagues only."),
    )
    is_enabled = model_field(
        TelephoneLine,
        "is_enabled",
        help_text=_("A line that is not enabled neither makes nor takes calls."),
    )

    def __init__(
        self,
        *args: Any,
        account: Customer,
        numbers: QuerySet[Number],
        mailboxes: QuerySet[Mailbox],
        dial_plans: QuerySet[DialPlan],
        is_customers_own: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if is_customers_own:
            self.fields["username"].disabled = True
            self.fields["username"].help_text = _(
                "A residential customer's line keeps its user name."
            )
        self.fields["callerid"] = NumberField(
            label=_("Caller id"),
            required=False,
            max_length=40,
            country=account.country,
            widget=SuggestInput(lambda: _suggestions(numbers), autocomplete="off"),
            help_text=_caller_id_help(account),
        )
        self.fields["mailbox"] = forms.ModelChoiceField(
            label=_("Mailbox"),
            queryset=mailboxes,
            required=False,
            empty_label=_("None"),
            help_text=_("Calls that nobody answers go there."),
        )
        if dial_plans.exists():
            self.fields["dial_plan"] = forms.ModelChoiceField(
                label=_("Dial plan"),
                queryset=dial_plans,
                required=False,
                empty_label=_("The account's"),
            )
        self.helper.layout = Layout("seen", *self._sections())

    def _sections(self) -> list[Any]:
        optional = ["dial_plan"] if "dial_plan" in self.fields else []
        return [
            Section(
                _("Line"),
                "name",
                Columns("username", "extension"),
                "is_enabled",
                id="line",
                is_open=True,
            ),
            Section(
                _("Calls"),
                Columns("callerid", "mailbox"),
                *optional,
                "is_external_allowed",
                id="calls",
                is_open=True,
            ),
        ]


def _suggestions(numbers: QuerySet[Number]) -> Iterable[tuple[str, str]]:
    for number in numbers.order_by("number")[:MOST_SUGGESTIONS]:
        yield number.number, " · ".join(filter(None, _words_about(number)))


def _words_about(number: Number) -> Iterable[str]:
    return telephone(number.number), number.area, number.description


def _caller_id_help(account: Customer) -> Any:
    if account.callerid:
        return _(
            "Choose one of the numbers or type one. Leave empty for %(number)s."
        ) % {"number": telephone(account.callerid)}
    return _("Choose one of the numbers or type one. Leave empty to show none.")
