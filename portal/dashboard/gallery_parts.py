"""What the gallery's page of small parts shows, one key per part."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from portal.core.plots import Mark, Plot, Value, bar_plot, step_plot
from portal.core.tables import Empty
from portal.dashboard.gallery_samples import KINDS, NAMES


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
        "plots": plots(),
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
                "text": "A company or a reseller with its own people and lines.",
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


def plots() -> list[Plot]:
    """A balance that falls below zero, and the revenue of a year with a bad month."""
    balances = [80, 80, 64, 31, 31, 12, -18, -18, -42, 58, 58, 51]
    revenue = [310, 280, 455, 512, 498, -60, 640, 702, 688, 731, 0, 405]
    months = [date(2026, month, 1).strftime("%b") for month in range(1, 13)]
    return [
        step_plot(
            [
                Value(
                    f"{day} March",
                    Decimal(amount),
                    f"€{amount}.00",
                    "" if day % 4 != 1 else f"{day} Mar",
                )
                for day, amount in enumerate(balances, start=1)
            ],
            mark=Mark("Credit limit", Decimal(-50), "€50.00"),
            id="plot-balance",
            title="Balance",
            label_heading="Day",
            value_heading="Balance",
        ),
        bar_plot(
            [
                Value(month, Decimal(amount), f"€{amount}.00", month)
                for month, amount in zip(months, revenue, strict=True)
            ],
            id="plot-revenue",
            title="Revenue",
            label_heading="Month",
            value_heading="Revenue",
        ),
    ]
