"""Sample data for the gallery: awkward names, every state, nothing from the database.

The texts are samples and are not translated.
"""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal.core.forms import (
    AmountField,
    Columns,
    LimitField,
    PlanDefaultField,
    PortalForm,
    Section,
)
from portal.core.tables import BulkAction, Cell, Column, Empty, Heading, Row, Table

KINDS = {
    "success": ("circle-check", "Active"),
    "warning": ("lock", "Web locked"),
    "danger": ("ban", "Locked"),
    "info": ("hourglass", "Queued"),
    "neutral": ("circle-dashed", "Deleted"),
}

# Names as they come: short, very long, right to left, emoji, markup, a formula.
NAMES = (
    "Acme Telecom",
    "Brückner & Söhne Fernmelde- und Elektroinstallationsgesellschaft mbH & Co. KG",
    "شركة الاتصالات الحديثة",
    "Pizza 🍕 Napoli",
    "<script>alert(1)</script>",
    "=SUM(A1:A9)",
    "Żółć Telekomunikacja",
    "Gamma",
)


class SampleFilterForm(forms.Form):
    q = forms.CharField(label="Search", required=False)
    kind = forms.ChoiceField(
        label="Kind",
        required=False,
        choices=[("", "All"), ("normal", "Normal"), ("residential", "Residential")],
    )
    status = forms.ChoiceField(
        label="Status", required=False, choices=[("", "All"), ("locked", "Locked")]
    )
    deleted = forms.BooleanField(label="Show deleted", required=False)


class SampleForm(PortalForm):
    name = forms.CharField(
        label="Name", help_text="Stands on invoices. Unique over the whole system."
    )
    description = forms.CharField(
        label="Description", required=False, widget=forms.Textarea({"rows": 2})
    )
    account_number = forms.CharField(label="Account number", initial="10042")
    time_zone = forms.ChoiceField(
        label="Time zone", choices=[("b", "Europe/Berlin"), ("l", "Europe/London")]
    )
    rate_plan = forms.ChoiceField(
        label="Rate plan",
        choices=[
            ("Your own plans", [("1", "Business 2025"), ("2", "Flat")]),
            ("Shared with you", [("3", "Wholesale Europe")]),
        ],
    )
    credit_limit = AmountField(label="Credit limit", currency="EUR", initial="0.00")
    due = PlanDefaultField(
        label="Invoices due after",
        choices=[("14", "14 days"), ("60", "60 days")],
        plan_key="due_days",
        plan_value="30 days",
    )
    concurrent_calls = LimitField(
        label="Concurrent calls", plan_key="concurrent_calls", plan_value="10"
    )
    other_limit = LimitField(
        label="Maximum spend per day", plan_key="call_maximum", initial=50
    )
    detail = forms.ChoiceField(
        label="Invoice detail",
        choices=[("t", "Total only"), ("s", "Summary by kind"), ("i", "Itemised")],
        widget=forms.RadioSelect,
        initial="s",
    )
    taxes = forms.MultipleChoiceField(
        label="Taxes liable",
        choices=[("vat", "VAT 19 %"), ("reduced", "VAT 7 %")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        initial=["vat"],
    )
    send = forms.BooleanField(label="Send invoices by e-mail", required=False)
    email = forms.EmailField(label="Billing e-mail")
    city = forms.CharField(label="City", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout = Layout(
            Section(
                "Customer settings",
                "name",
                Columns("account_number", "time_zone"),
                "description",
                id="settings",
                is_open=True,
            ),
            Section(
                "Billing",
                "rate_plan",
                Columns("credit_limit", "due"),
                Columns("concurrent_calls", "other_limit"),
                id="billing",
                description="What this customer pays, and how long there is to pay it.",
                is_open=True,
            ),
            Section("Invoices", "detail", "send", id="invoices"),
            Section("Taxes", "taxes", id="taxes"),
            Section(
                "Address",
                Columns("email", "city"),
                id="address",
                description="The billing e-mail receives invoices and notices.",
                is_open=True,
            ),
        )


class SampleReasonForm(PortalForm):
    reason = forms.CharField(
        label="Reason", help_text="Kept in the audit log and shown to your colleagues."
    )


class SampleLoginForm(PortalForm):
    username = forms.CharField(label="User name")
    password = forms.CharField(label="Password", widget=forms.PasswordInput)


class SampleCodeForm(PortalForm):
    code = forms.CharField(
        label="Code",
        widget=forms.TextInput(
            {"inputmode": "numeric", "autocomplete": "one-time-code"}
        ),
    )


class SampleForgottenForm(PortalForm):
    username = forms.CharField(label="User name or e-mail address")


class SamplePasswordForm(PortalForm):
    new_password1 = forms.CharField(label="New password", widget=forms.PasswordInput)
    new_password2 = forms.CharField(label="The same again", widget=forms.PasswordInput)


def wrong_login() -> SampleLoginForm:
    form = SampleLoginForm({"username": "anna", "password": "x"})
    form.add_error(None, "This user name and password do not go together.")
    return form


def hit(label: str, icon: str) -> dict[str, str]:
    return {"label": label, "detail": "10042 · Business 2025", "url": "#", "icon": icon}


def shell(is_acting: bool, brand: dict[str, str] | None) -> dict[str, Any]:
    """The frame's context as the context processor gives it on a real page."""
    sections = {
        ("Features", "blocks"): ("People", "Numbers", "Telephone lines", "Mailboxes"),
        ("Reports", "chart-column"): ("Audit log", "E-mails"),
        ("Commerce", "wallet"): ("Customers", "Rate plans", "Invoices"),
        ("Settings", "settings"): ("Profile", "Company"),
    }
    menu = [
        {
            "label": label,
            "icon": icon,
            "entries": [
                {
                    "label": entry,
                    "url": "#",
                    "icon": "",
                    "active": entry == "Customers",
                    "shortcut": "g c" if entry == "Customers" else "",
                }
                for entry in entries
            ],
        }
        for (label, icon), entries in sections.items()
    ]
    identities = [{"label": "Anna Weber", "detail": "Acme Telecom", "url": "#"}]
    if is_acting:
        identities.append({"label": "[Beta GmbH]", "detail": "Reseller", "url": "#"})
        identities.append({"label": f"[{NAMES[1]}]", "detail": "Normal", "url": "#"})
    identities[-1]["current"] = "yes"
    acting = {
        "name": f"[{NAMES[1]}]",
        "person": "Anna Weber",
        "back_url": "#",
        "back_label": "Beta GmbH",
        "minutes_left": 42,
    }
    return {
        "menu": menu,
        "identities": identities,
        "acting": acting if is_acting else None,
        "search_url": reverse("gallery:page", args=["search-part"]),
        "profile_url": "#",
        "logout_url": "#",
        "home_url": "#",
        "account": {"name": NAMES[1] if is_acting else NAMES[0], "kind": "Reseller"},
        "brand": brand,
    }


def table(*, empty: Empty | None = None) -> Table:
    """A list of customers with awkward names, or the empty state given."""
    columns = [
        Column("name", "Name", str, sort="name", narrow=True),
        Column("number", "Account number", str, sort="number"),
        Column("kind", "Kind", str),
        Column("plan", "Rate plan", str),
        Column("balance", "Balance", str, sort="balance", align="end", narrow=True),
        Column("status", "Status", str, narrow=True),
        Column("created", "Created", str, sort="created"),
        Column("actions", "", str, align="end", narrow=True),
    ]
    rows = [_row(index, name, columns) for index, name in enumerate(NAMES)]
    return Table(
        id="customers",
        caption="Customers",
        columns=[
            Heading(
                key=column.key,
                label=column.label,
                align=column.align,
                narrow=column.narrow,
                sort_url=f"?sort={column.key}" if column.sort else "",
                sorted="asc" if column.key == "name" else "",
            )
            for column in columns
        ],
        rows=[] if empty else rows,
        empty=empty or Empty(title="", text=""),
        count_text="" if empty else "51 to 58 of 1,204",
        previous_url="?before=1",
        next_url="",
        bulk_url="#",
        bulk_actions=[
            BulkAction("unlock", "Unlock", "lock-open"),
            BulkAction("export", "Export CSV", "download"),
            BulkAction(
                "lock",
                "Lock",
                "lock",
                confirm="Nobody of them can log in.",
                danger=True,
            ),
        ],
    )


def _row(index: int, name: str, columns: list[Column]) -> Row:
    kind, (icon, label) = list(KINDS.items())[index % len(KINDS)]
    amount = "-1.234,50" if index == 2 else f"{index * 1417.5:,.2f}"
    negative = " is-negative" if index == 2 else ""
    html = [
        format_html("{}", name),
        format_html("{}", 10040 + index),
        format_html("{}", "Residential" if index % 3 else "Normal"),
        format_html("{}", "Business 2025"),
        format_html(
            '<span class="amount{}">{}<span class="amount-currency">EUR</span></span>',
            negative,
            amount,
        ),
        _pill(kind, icon, label),
        format_html("{}", f"2025-03-{index + 1:02}"),
        mark_safe(
            '<form class="row-actions" method="post" action="#">'
            '<button class="btn btn-quiet btn-sm" type="button">Switch</button></form>'
        ),
    ]
    cells = [Cell(column, cell) for column, cell in zip(columns, html, strict=True)]
    return Row(pk=index, label=name, url="#", cells=cells, selectable=index != 4)


def _pill(kind: str, icon: str, label: str) -> SafeString:
    context = {"kind": kind, "icon": icon, "label": label}
    return mark_safe(render_to_string("_components/pill.html", context))
