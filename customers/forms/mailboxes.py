"""A mailbox for voice messages."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from customers.forms.parts import FeatureForm, model_field, name_field
from customers.models import Mailbox
from portal.core.forms import Columns, EmailsField, Section


class MailboxForm(FeatureForm):
    name = name_field(Mailbox, "name")
    box_number = model_field(
        Mailbox,
        "box_number",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("One dials it, and then the PIN, to hear the messages."),
    )
    emails = EmailsField(
        label=_("E-mail for new messages"),
        required=False,
        max_length=500,
        help_text=_("Separate several addresses by commas. Leave empty to send none."),
    )
    is_audio_attached = model_field(Mailbox, "is_audio_attached")
    is_deleted_after_mail = model_field(Mailbox, "is_deleted_after_mail")
    maximum = model_field(Mailbox, "maximum")
    is_enabled = model_field(Mailbox, "is_enabled")

    def __init__(
        self, *args: Any, is_customers_own: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if is_customers_own:
            self.fields["box_number"].disabled = True
            self.fields["box_number"].help_text = _(
                "A residential customer's mailbox keeps its number."
            )
        self.helper.layout = Layout(
            "seen",
            Section(
                _("Mailbox"),
                Columns("name", "box_number"),
                "maximum",
                "is_enabled",
                id="mailbox",
                is_open=True,
            ),
            Section(
                _("New messages"),
                "emails",
                "is_audio_attached",
                "is_deleted_after_mail",
                id="messages",
                is_open=True,
            ),
        )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        is_lost = data.get("is_deleted_after_mail") and not (
            data.get("emails") and data.get("is_audio_attached")
        )
        if is_lost and "emails" not in self.errors:
            self.add_error(
                "is_deleted_after_mail",
                _("Messages would be lost: mail the recording to somebody first."),
            )
        return data
