"""Commerce » Rate plans » a plan » Custom settings: mails in one's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core.forms import PortalForm
from portal.core.staleness import state_of
from portal.core.tables import Column, Empty
from portal.core.views import ConfirmPage, Crumb, FormPage, ListPage, clean_token
from rateplans.choices import CustomName
from rateplans.filters import CustomFilter
from rateplans.forms.customs import ALL_LANGUAGES, CustomForm, PreviewForm
from rateplans.models import CustomSetting
from rateplans.selectors import inherited_customs
from rateplans.services import customs
from rateplans.texts import (
    RULES,
    VARIABLES,
    clean_text,
    fill,
    in_braces,
    paragraphs,
    sample_values,
    standard_text,
)
from rateplans.views.parts import EDIT, PlanPage

CUSTOMS = "rateplans:custom-list"
LONGEST_CELL = 90


class CustomList(PlanPage, ListPage):
    template_name = "rateplans/custom_list.html"
    table_id = "customs"
    default_sort = "name"
    filterset_class = CustomFilter
    tab = "customs"

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        return super().get(request)

    def page_context(self, **context: Any) -> dict[str, Any]:
        return super().page_context(inherited=self.inherited(), **context)

    def inherited(self) -> list[dict[str, str]]:
        """What the plan says because others say it, for _components/detail_list.html."""
        return [
            {
                "label": f"{custom} ({language_of(custom)})",
                "value": value_cell(custom),
                "help": _("From %(plan)s")
                % {"plan": self.sources.name(custom.plan, way)},
            }
            for custom, way in inherited_customs(self.plan)
        ]

    def get_queryset(self) -> QuerySet[CustomSetting]:
        return CustomSetting.objects.filter(plan=self.plan)

    def columns(self) -> Sequence[Column]:
        return (
            Column("name", _("What"), str, sort="name", narrow=True),
            Column("value", _("Text"), value_cell),
            Column(
                "language", _("Language"), language_of, sort="language", narrow=True
            ),
            Column("reach", _("For"), lambda custom: custom.get_reach_display()),
        )

    def row_url(self, row: CustomSetting) -> str:
        return self.url("rateplans:custom-edit", pk=self.plan.pk, custom=row.pk)

    def page_actions(self) -> Sequence[dict[str, str]]:
        return (
            {
                "label": _("New"),
                "url": self.url("rateplans:custom-create", pk=self.plan.pk),
                "icon": "plus",
                "shortcut": "n",
            },
        )

    def empty(self) -> Empty:
        return Empty(
            icon="mail",
            title=_("Mails say what the portal says"),
            text=_(
                "Here you can put them into your own words, for the customers on this"
                " plan and everybody below them: subject, text and foot, by language."
            ),
            action_url=self.url("rateplans:custom-create", pk=self.plan.pk),
            action_label=_("Write the first text"),
        )


def language_of(custom: CustomSetting) -> str:
    return custom.language_name or str(ALL_LANGUAGES)


def value_cell(custom: CustomSetting) -> str:
    return Truncator(" ".join(custom.value.split())).chars(LONGEST_CELL)


class CustomFormPage(PlanPage, FormPage):
    """A text with its preview, which follows what is typed; without script, by a button."""

    template_name = "rateplans/custom_form.html"

    def breadcrumbs(self) -> list[Crumb]:
        return plan_crumbs(self)

    def cancel_url(self) -> str:
        return self.url(CUSTOMS, pk=self.plan.pk)

    def post(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        if "preview" not in request.POST:
            return super().post(request, **kwargs)
        form = self.build_form(request.POST)
        token = clean_token(request.POST.get("form_token", ""))
        return self.render_form(form, token=token, is_dirty=True)

    @property
    def kept_name(self) -> str:
        """What the setting is for, where that is not chosen on the page."""
        return ""

    def form_context(self, form: Any) -> dict[str, Any]:
        values = form.data if form.is_bound else form.initial
        given = {name: values.get(name, "") for name in ("language", "value")}
        given["name"] = self.kept_name or values.get("name", "")
        return {
            "preview": preview_of(self, given),
            "preview_url": self.url("rateplans:custom-preview", pk=self.plan.pk),
            "kept_name": self.kept_name,
        }


class CustomCreate(CustomFormPage):
    focuses_first = True

    def title(self) -> str:
        return _("New custom setting")

    def build_form(self, data: Any = None, files: Any = None) -> CustomForm:
        fresh = CustomSetting(name=CustomName.LOGIN_DETAILS_TEXT)
        initial = {name: getattr(fresh, name) for name in customs.FIELDS}
        return CustomForm(data, initial=initial, name=None)

    def save(self, form: CustomForm) -> str:
        customs.create_custom(plan=self.plan, values=form.values(), by=self.actor)
        return self.cancel_url()

    def success_message(self, form: Any) -> str:
        return _("From now on mails say it in these words.")


class OneCustom:
    """Mixed into pages about one of the plan's custom settings."""

    @cached_property
    def custom(self: Any) -> CustomSetting:
        mine = CustomSetting.objects.filter(plan=self.plan).select_related("plan")
        return get_object_or_404(mine, pk=self.kwargs["custom"])


class CustomEdit(OneCustom, CustomFormPage):
    def title(self) -> str:
        return str(self.custom)

    @property
    def kept_name(self) -> str:
        return self.custom.name

    def build_form(self, data: Any = None, files: Any = None) -> CustomForm:
        initial = {name: getattr(self.custom, name) for name in customs.FIELDS}
        initial["seen"] = state_of(self.custom, customs.FIELDS)
        return CustomForm(data, initial=initial, name=CustomName(self.custom.name))

    def save(self, form: CustomForm) -> str:
        customs.update_custom(
            custom=self.custom,
            values=form.values(),
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )
        return self.cancel_url()

    def render_form(self, form: Any, **kwargs: Any) -> HttpResponse:
        if kwargs.get("stale") is not None:
            # Saving again is then a decision: the form goes on from the present state.
            custom = CustomSetting.objects.get(pk=self.custom.pk)
            form.data = form.data.copy()
            form.data["seen"] = state_of(custom, customs.FIELDS)
            kwargs["stale"] = self.request.reach.missed_changes(custom)
        return super().render_form(form, **kwargs)

    def form_context(self, form: Any) -> dict[str, Any]:
        url = self.url("rateplans:custom-delete", **self.kwargs_of_row())
        return super().form_context(form) | {"delete_url": url}

    def kwargs_of_row(self) -> dict[str, int]:
        return {"pk": self.plan.pk, "custom": self.custom.pk}


class CustomDelete(OneCustom, PlanPage, ConfirmPage):
    submit_label = gettext_lazy("Reset")

    def title(self) -> str:
        return _("Reset “%(name)s”") % {"name": self.custom}

    def breadcrumbs(self) -> list[Crumb]:
        return [*plan_crumbs(self), Crumb(self.custom, self.cancel_url())]

    def cancel_url(self) -> str:
        return self.url("rateplans:custom-edit", pk=self.plan.pk, custom=self.custom.pk)

    def consequences(self) -> Sequence[str]:
        return (
            _("Your own words are deleted from this plan."),
            _(
                "Mails then say what this plan inherits, or else what the portal says."
                " Mails that were written already stay as they are."
            ),
        )

    def build_form(self, data: Any = None, files: Any = None) -> PortalForm:
        return PortalForm(data)

    def save(self, form: Any) -> str:
        customs.delete_custom(custom=self.custom, by=self.actor)
        return self.url(CUSTOMS, pk=self.plan.pk)

    def success_message(self, form: Any) -> str:
        return _("Reset.")


class CustomPreview(PlanPage):
    """The preview alone, asked for again while one types; changes nothing."""

    http_method_names = ["post"]

    def post(self, request: Any, **kwargs: Any) -> HttpResponse:
        context = {"preview": preview_of(self, request.POST)}
        return render(request, "rateplans/_custom_preview.html", context)


def plan_crumbs(page: PlanPage) -> list[Crumb]:
    plan = page.plan
    return [
        *PlanPage.breadcrumbs(page),
        Crumb(plan.name, page.url(EDIT, pk=plan.pk)),
        Crumb(_("Custom settings"), page.url(CUSTOMS, pk=plan.pk)),
    ]


def preview_of(page: PlanPage, values: Mapping[str, Any]) -> dict[str, Any]:
    """The text as a reader gets it, what is wrong with it, and what can be filled in.

    Empty for what no form of ours sends.
    """
    plan = page.plan  # a foreign one is not found, whatever was sent
    form = PreviewForm(values)
    if not form.is_valid():
        return {}
    name, value = CustomName(form.cleaned_data["name"]), form.cleaned_data["value"]
    language = form.cleaned_data["language"] or translation.get_language()
    with translation.override(language):
        brand = page.request.reach.brand_name_below()
        samples = sample_values(brand=brand, currency=plan.currency)
        standard = standard_text(name)
    errors: list[str] = []
    if value.strip():
        try:
            value = clean_text(name, value)
        except ValidationError as error:
            errors = error.messages
    rule = RULES[name]
    return {
        "title": name.label,
        "errors": errors,
        "language": language,
        "standard": standard,
        "line": fill(value, samples) if rule.is_line else "",
        "paragraphs": [] if rule.is_line else paragraphs(value, samples),
        "variables": [
            {
                "name": in_braces([variable]),
                "label": VARIABLES[variable],
                "sample": samples[variable],
                "is_required": variable in rule.required,
            }
            for variable in rule.variables
        ],
    }
