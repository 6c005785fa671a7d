"""Every part of the interface in all its states, for whoever builds or changes one.

Mounted at /gallery/, only with DEBUG.
"""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from portal.core.tables import Empty
from portal.dashboard.gallery_parts import parts
from portal.dashboard.gallery_samples import (
    NAMES,
    SampleCodeForm,
    SampleFilterForm,
    SampleForgottenForm,
    SampleForm,
    SampleLoginForm,
    SamplePasswordForm,
    SampleReasonForm,
    hit,
    shell,
    table,
    wrong_login,
)


@login_not_required
def gallery(request: HttpRequest, page: str = "parts") -> HttpResponse:
    """One page; ``?acting=1`` shows the banner, ``?brand=1`` a reseller's name."""
    samples = pages(request)
    if page not in samples:
        raise Http404
    template, context = samples[page]
    if template == "_list_page.html" and "HX-Request" in request.headers:
        template = "_components/list_region.html"
    links = [
        {"label": name, "url": reverse("gallery:page", args=[name])}
        for name in (*samples, "mail")
    ]
    brand = {"name": "Acme Telecom"} if "brand" in request.GET else None
    context = {
        "shell": shell("acting" in request.GET, brand),
        "brand": brand,
        "links": links,
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
    }


@login_not_required
@csp_replace({"default-src": [NONE], "style-src": [UNSAFE_INLINE]})
def gallery_mail(request: HttpRequest) -> HttpResponse:
    """The layout of a mail. Mails carry inline styles, which no other page may."""
    context = {
        "brand": {
            "name": "Acme Telecom",
            "colour": "#0c6763",
            "contrast": "#ffffff",
            "telephone": "+49 30 901820",
            "website": "https://acme.example",
        },
        "link": "https://portal.example/welcome/MTI/c3x-9f2/",
    }
    return render(request, "_components/gallery_mail.html", context)


app_name = "gallery"
urlpatterns = [
    path("", gallery, name="parts"),
    path("mail/", gallery_mail, name="mail"),
    path("<slug:page>/", gallery, name="page"),
]
