"""Numbers: where one leads, taking one from the provider, entering new ones."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import HTML, Layout
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.forms.parts import FeatureForm, model_field
from customers.models import Customer, Mailbox, Number, TelephoneLine
from portal.core.forms import Columns, NumberField, PortalForm, Section
from rateplans.models import NumberClass

YES_NO = {"yes": True, "no": False}


class NumberForm(FeatureForm):
    """Where a number leads, and whether it is listed."""

    description = model_field(
        Number,
        "description",
        help_text=_("What it is for: Hotline, fax, door phone."),
    )

    def __init__(
        self,
        *args: Any,
        account: Customer,
        lines: QuerySet[TelephoneLine],
        mailboxes: QuerySet[Mailbox],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["line"] = forms.ModelChoiceField(
            label=_("Rings at line"),
            queryset=lines,
            required=False,
            empty_label=pgettext_lazy("telephone line", "None"),
        )
        self.fields["mailbox"] = forms.ModelChoiceField(
            label=_("Unanswered calls go to mailbox"),
            queryset=mailboxes,
            required=False,
            empty_label=_("None"),
            help_text=_("Without a line, all calls go there."),
        )
        setting = _("listed") if account.is_in_directory else _("not listed")
        self.fields["is_in_directory"] = forms.TypedChoiceField(
            label=_("Directory"),
            required=False,
            choices=[
                ("", _("As the account (%s)") % setting),
                ("yes", _("Listed")),
                ("no", _("Not listed")),
            ],
            coerce=YES_NO.get,
            empty_value=None,
        )
        self.helper.layout = Layout("seen", *self.sections())

    def sections(self) -> list[Any]:
        return [
            Section(
                _("Calls to this number"),
                Columns("line", "mailbox"),
                id="calls",
                is_open=True,
            ),
            Section(
                _("Details"),
                Columns("description", "is_in_directory"),
                id="about",
                is_open=True,
            ),
        ]


class NumberTakeForm(NumberForm):
    """One of the free numbers of the account above, and where it is to lead."""

    own_fields = NumberForm.own_fields | {"number"}

    def __init__(self, *args: Any, stock: QuerySet[Number], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"] = forms.ModelChoiceField(
            label=_("Number"),
            queryset=stock,
            error_messages={
                "required": _("Choose a number."),
                "invalid_choice": _(
                    "This number is not free any more. Choose another; everything else"
                    " you typed is still here."
                ),
            },
        )

    def sections(self) -> list[Any]:
        picker = HTML("{% include 'customers/_stock_picker.html' %}")
        choice = Section(_("The number"), picker, id="number", is_open=True)
        return [choice, *super().sections()]


class NumberEnterForm(PortalForm):
    """New numbers for the system: one, or several in a row."""

    number = NumberField(
        label=_("First number"),
        max_length=40,
        help_text=_("With + and the country code, or as one dials it in your country."),
        error_messages={"required": _("Enter the number.")},
    )
    count = forms.IntegerField(
        label=_("How many in a row"), min_value=1, max_value=1000, initial=1
    )
    description = model_field(Number, "description")

    def __init__(
        self,
        *args: Any,
        account: Customer,
        classes: QuerySet[NumberClass],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].country = account.country  # type: ignore[attr-defined]
        self.fields["number_class"] = forms.ModelChoiceField(
            label=_("Class"),
            queryset=classes,
            initial=classes.first(),
            empty_label=None,
            help_text=_("Rate plans price numbers by their class."),
        )
        self.helper.layout = Layout(
            Section(
                _("Numbers"),
                Columns("number", "count"),
                Columns("number_class", "description"),
                id="numbers",
                is_open=True,
            )
        )
