"""Every part of the interface in all its states, for whoever builds or changes one.

Mounted only with DEBUG. The texts are samples and are not translated.
"""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal.core.forms import (
    AmountField,
    Columns,
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
        plan_value="30 days",
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


def gallery(request: HttpRequest, page: str = "parts") -> HttpResponse:
    """One page of the gallery; ``?acting=1`` shows the banner, ``?brand=1`` a reseller's."""
    samples = pages(request)
    if page not in samples:
        raise Http404
    template, context = samples[page]
    names = [name for name in samples if name != "parts"]
    brand = {"name": "Acme Telecom"} if "brand" in request.GET else None
    context = {
        "shell": shell("acting" in request.GET, brand),
        "brand": brand,
        "page_names": names,
        **context,
    }
    return render(request, template, context)


def pages(request: HttpRequest) -> dict[str, tuple[str, dict[str, Any]]]:
    """Template and context of every page of the gallery, by name."""
    crumbs = [{"label": "Commerce", "url": "#"}, {"label": "Customers", "url": "#"}]
    wrong = SampleForm({"name": "", "email": "anna@", "credit_limit": "1e9"})
    wrong.add_error(None, "The rate plan was withdrawn while you were typing.")
    many = {"table": table(), "filter_form": SampleFilterForm(request.GET)}
    chips = [
        {"label": "Kind", "value": "Normal", "remove_url": "?"},
        {"label": "Rate plan", "value": NAMES[1], "remove_url": "?"},
    ]
    new = {"label": "New customer", "url": "#", "icon": "plus", "shortcut": "n"}
    export = {"label": "Export", "url": "#", "icon": "download"}
    listing = {
        "title": "Customers",
        "subtitle": "Everyone you sell to, with their balance.",
        "breadcrumbs": crumbs,
        "page_actions": [new, export],
        "clear_url": request.path,
        **many,
    }
    form_page = {
        "title": "Edit Acme Telecom",
        "breadcrumbs": [*crumbs, {"label": NAMES[1], "url": "#"}, {"label": "Edit"}],
        "cancel_url": "#",
    }
    found = [
        {"label": "Customers", "hits": [hit(name, "building-2") for name in NAMES[:3]]},
        {"label": "Numbers", "hits": [hit("+49 30 901820", "phone")]},
    ]
    rules = [
        {"kind": "length", "value": 10, "text": "At least 10 characters."},
        {
            "kind": "differs",
            "value": "anna@acme.example",
            "text": "Not your user name.",
        },
        {"kind": "not_numeric", "value": "", "text": "Not only digits."},
        {"kind": "common", "value": "", "text": "Not one of the often used ones."},
    ]
    return {
        "parts": ("_components/gallery.html", parts()),
        "list": ("_list_page.html", {**listing, "active_filters": chips}),
        "list-empty": (
            "_list_page.html",
            {
                **listing,
                "filter_form": None,
                "table": table(
                    empty=Empty(
                        title="Your first customer",
                        text="Customers are who you sell to. Make one, switch to it, "
                        "and set up its people and lines.",
                        action_url="#",
                        action_label="New customer",
                    )
                ),
            },
        ),
        "list-filtered": (
            "_list_page.html",
            {
                **listing,
                "active_filters": chips,
                "table": table(
                    empty=Empty(title="", text="", filtered=True, clear_url="?")
                ),
            },
        ),
        "form": ("_form_page.html", {**form_page, "form": SampleForm()}),
        "form-errors": (
            "_form_page.html",
            {**form_page, "form": wrong, "is_dirty": True},
        ),
        "form-stale": (
            "_form_page.html",
            {
                **form_page,
                "form": SampleForm({"name": "Acme", "email": "a@acme.example"}),
                "stale": "Ben Adeyemi saved this customer two minutes ago.",
            },
        ),
        "confirm": (
            "_confirm_page.html",
            {
                "title": "Delete Beta GmbH",
                "breadcrumbs": [*crumbs, {"label": "Beta GmbH"}],
                "question": "Do you want to delete this customer?",
                "consequences": [
                    "Its 3 people can no longer log in.",
                    "Its 12 telephone lines stop working at once.",
                    "Invoices and ledger stay. You can undelete it for 90 days.",
                ],
                "form": SampleReasonForm(),
                "submit_label": "Delete this customer",
                "cancel_url": "#",
                "danger": True,
            },
        ),
        "search": (
            "_components/search_page.html",
            {"query": "acme", "results": found, "title": "Search"},
        ),
        "search-part": (
            "_components/search_results.html",
            {"query": "acme", "results": found, "more_url": "#"},
        ),
        "search-none": (
            "_components/search_results.html",
            {"query": request.GET.get("q", "zzz"), "results": []},
        ),
        "login": ("registration/login.html", {"form": SampleLoginForm()}),
        "login-wrong": ("registration/login.html", {"form": wrong_login()}),
        "two-factor": ("registration/two_factor.html", {"form": SampleCodeForm()}),
        "password-forgotten": (
            "registration/password_forgotten.html",
            {"form": SampleForgottenForm()},
        ),
        "password-forgotten-done": ("registration/password_forgotten_done.html", {}),
        "choose-password": (
            "registration/choose_password.html",
            {"form": SamplePasswordForm(), "rules": rules, "username": "anna@acme"},
        ),
        "link-expired": ("registration/link_expired.html", {}),
        "locked-out": ("registration/locked_out.html", {"minutes": 15}),
        "logged-out": ("registration/logged_out.html", {}),
        "400": ("400.html", {}),
        "403": ("403.html", {}),
        "403-csrf": ("403_csrf.html", {}),
        "404": ("404.html", {}),
        "500": ("500.html", {}),
        "mail": (
            "emails/_base.html",
            {
                "brand": {
                    "name": "Acme Telecom",
                    "colour": "#0c6763",
                    "contrast": "#ffffff",
                },
                "subject": "Your login to Acme Telecom",
                "action_url": "https://portal.example/welcome/MTI/c3x-9f2/",
                "action_label": "Choose your password",
            },
        ),
    }


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
        "name": NAMES[1],
        "person": "Anna Weber",
        "back_url": "#",
        "back_label": "Back to Beta GmbH",
        "minutes_left": 42,
    }
    return {
        "menu": menu,
        "identities": identities,
        "acting": acting if is_acting else None,
        "search_url": "/gallery/search-part/",
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
        count_text="" if empty else "51–58 of 1,204",
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


def parts() -> dict[str, Any]:
    """What the page with the small parts shows."""
    return {
        "title": "Gallery",
        "subtitle": "Every part of the interface in all its states.",
        "breadcrumbs": [{"label": "Gallery"}],
        "kinds": [
            {"kind": kind, "icon": icon, "label": label}
            for kind, (icon, label) in KINDS.items()
        ],
        "items": [
            {"label": "Name", "value": NAMES[1]},
            {"label": "Account number", "value": "10042"},
            {"label": "Tax reference", "value": ""},
            {
                "label": "Billing e-mail",
                "value": "billing@a-rather-long-domain.example",
            },
        ],
        "tiles": [
            {
                "label": "Balance",
                "value": "1.234,50 EUR",
                "icon": "wallet",
                "detail": "Credit limit 500,00 EUR",
                "url": "#",
            },
            {"label": "Customers", "value": "1,204", "icon": "building-2"},
            {
                "label": "Overdue",
                "value": "3 invoices",
                "icon": "triangle-alert",
                "kind": "danger",
                "detail": "812,00 EUR",
            },
            {"label": "Calls today", "value": "48,112", "icon": "phone"},
        ],
        "tabs": [
            {"label": "Overview", "url": "#", "current": True, "icon": "building-2"},
            {"label": "People", "url": "#", "count": 3},
            {"label": "Numbers", "url": "#", "count": 12},
            {"label": "History", "url": "#", "icon": "history"},
        ],
        "choices": [
            {
                "title": "Normal",
                "icon": "building-2",
                "text": "A company or a reseller with its own people, lines and numbers.",
                "creates": ["The customer", "Its first administrator, if you like"],
                "url": "#",
            },
            {
                "title": "Residential",
                "icon": "house",
                "text": "One person at home with one number. Everything in one step.",
                "creates": [
                    "The customer, named by its number",
                    "Its number, telephone line and mailbox",
                    "A login for the person",
                ],
                "url": "#",
            },
        ],
        "events": [
            {
                "title": "Credit limit changed",
                "when": "2025-03-04 14:12",
                "when_iso": "2025-03-04T14:12",
                "who": "Anna Weber",
                "acting_as": "Beta GmbH",
                "address": "192.0.2.17",
                "icon": "pencil",
                "changes": [
                    {"label": "Credit limit", "old": "0.00 EUR", "new": "500.00 EUR"},
                    {"label": "Description", "old": "", "new": NAMES[1]},
                    {"label": "Tax reference", "old": "DE123456789", "new": ""},
                ],
            },
            {
                "title": "Locked from the web",
                "when": "2025-03-03 09:00",
                "when_iso": "2025-03-03T09:00",
                "who": "Ben Adeyemi",
                "icon": "lock",
                "kind": "warning",
            },
            {
                "title": "Created",
                "when": "2025-03-01 08:30",
                "when_iso": "2025-03-01T08:30",
                "who": "Anna Weber",
                "icon": "plus",
                "kind": "success",
            },
        ],
        "states": [
            {
                "kind": "success",
                "icon": "mail-check",
                "title": "Login details to anna@acme.example",
                "detail": "Sent on 2025-03-01 at 08:30",
                "pill": "Sent",
            },
            {
                "kind": "info",
                "icon": "hourglass",
                "title": "Login details to ben@acme.example",
                "detail": "Waiting for its turn",
                "pill": "Queued",
            },
            {
                "kind": "danger",
                "icon": "mail-x",
                "title": "Login details to cleo@acme.example",
                "detail": "The mail server said: mailbox unavailable (550)",
                "pill": "Failed",
                "action_url": "#",
                "action_label": "Send again",
                "action_icon": "rotate-ccw",
            },
            {
                "kind": "neutral",
                "icon": "inbox",
                "title": "Login details to dora@acme.example",
                "detail": "No mail server is set up; read it under Reports » E-mails",
                "pill": "Kept",
            },
        ],
        "running": {
            "id": "run",
            "label": "Billing run March 2025",
            "done": 640,
            "total": 1000,
            "text": "640 of 1,000",
            "estimate": "About 2 minutes left",
            "failed_text": "3 failed",
            "failed_url": "#",
            "cancel_url": "#",
        },
        "empty": Empty(
            title="No people yet",
            text="Nobody of this customer can log in before it has people.",
            action_url="#",
            action_label="Add a person",
        ),
    }
