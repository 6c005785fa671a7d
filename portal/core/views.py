"""The page kinds every screen is one of: a list, a form, a page, an action.

A view says which permission opens it, builds its form or queryset, and calls one service.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import django_filters
from django import forms
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django_htmx.http import HttpResponseClientRedirect

from portal.core import submissions
from portal.core.actor import Actor
from portal.core.errors import StaleError
from portal.core.integrity import kept_whole
from portal.core.permissions import Permission
from portal.core.restore import take_entries
from portal.core.tables import BulkAction, Column, Empty, Table, build_table
from portal.core.urls import account_url

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    class PortalRequest(HttpRequest):
        """A request inside an account, as the middleware leaves it."""

        actor: Actor
        htmx: HtmxDetails
        source_ip: str | None
        reach: Any


class Crumb(dict[str, str]):
    """One step of the way to a page: where it is and what it is called."""

    def __init__(self, label: object, url: str = "") -> None:
        super().__init__(label=str(label), url=url)


class PortalView(View):
    """A page inside an account. Concrete views name the permission that opens them."""

    permission: ClassVar[Permission]
    http_method_names = ["get", "post", "head", "options"]
    request: PortalRequest

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        if not isinstance(getattr(cls, "permission", None), Permission):
            raise ImproperlyConfigured(f"{cls.__name__} names no permission.")
        return super().as_view(**initkwargs)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.actor.require(self.permission)
        return super().dispatch(request, *args, **kwargs)

    @property
    def actor(self) -> Actor:
        return self.request.actor

    def url(self, name: str, **kwargs: Any) -> str:
        """An address inside the account of this page."""
        return account_url(self.actor.customer.pk, name, **kwargs)

    def title(self) -> str:
        raise NotImplementedError

    def breadcrumbs(self) -> Sequence[Crumb]:
        """The way here, without this page itself."""
        return ()

    def page_context(self, **context: Any) -> dict[str, Any]:
        title = self.title()
        return {
            "title": title,
            "breadcrumbs": [*self.breadcrumbs(), Crumb(title)],
            "view": self,
            **context,
        }

    def redirect(self, url: str) -> HttpResponseBase:
        """Go to ``url``: by the browser, or told to htmx, which would follow silently."""
        if self.request.htmx:
            return HttpResponseClientRedirect(url)
        return redirect(url)


class ListPage(PortalView):
    """A table with filters, sorting and pages; answers htmx with the table alone."""

    template_name = "_list_page.html"
    part_template = "_components/list_region.html"
    table_id: ClassVar[str]
    default_sort: ClassVar[str]
    filterset_class: ClassVar[type[django_filters.FilterSet]]

    def get_queryset(self) -> QuerySet[Any]:
        raise NotImplementedError

    def columns(self) -> Sequence[Column]:
        raise NotImplementedError

    def row_url(self, row: Any) -> str:
        raise NotImplementedError

    def empty(self) -> Empty:
        """What to say when there is nothing yet."""
        raise NotImplementedError

    def bulk_actions(self) -> Sequence[BulkAction]:
        """Buttons over ticked rows; they post to `bulk_url`."""
        return ()

    def bulk_url(self) -> str:
        return ""

    def page_actions(self) -> Sequence[dict[str, str]]:
        """Buttons beside the title: label, url, icon; the first is the primary one.

        ``follows``, not empty, for one about the list as it is filtered, such as an export.
        """
        return ()

    def get(self, request: Any) -> HttpResponseBase:
        filterset = self.filterset_class(
            request.GET, queryset=self.get_queryset(), request=request
        )
        active = active_filters(filterset, request)
        table = self.table(filterset.qs, is_filtered=bool(active))
        # Where nothing is yet, there is nothing to filter or to export either.
        is_bare = not (active or table.rows or self.get_queryset().exists())
        context = self.page_context(
            table=table,
            filter_form=None if is_bare else filterset.form,
            active_filters=active,
            page_actions=[
                action
                for action in self.page_actions()
                if not (is_bare and action.get("follows"))
            ],
            clear_url=request.path,
        )
        is_part = request.htmx and not request.htmx.boosted
        template = self.part_template if is_part else self.template_name
        response = render(request, template, context)
        response["Vary"] = "HX-Request, Cookie"
        return response

    def table(self, queryset: QuerySet[Any], *, is_filtered: bool) -> Table:
        empty = self.empty()
        if is_filtered:
            empty = Empty(
                icon="search-x",
                title=_("Nothing matches"),
                text=_("No entry fits what you typed and chose."),
                filtered=True,
                clear_url=self.request.path,
            )
        return build_table(
            self.request,
            queryset,
            self.columns(),
            id=self.table_id,
            caption=self.title(),
            default_sort=self.default_sort,
            row_url=self.row_url,
            empty=empty,
            bulk_actions=self.bulk_actions(),
            bulk_url=self.bulk_url(),
        )


def active_filters(
    filterset: django_filters.FilterSet, request: HttpRequest
) -> list[dict[str, str]]:
    """What narrows the list now: label, value, and the address without it."""
    chips = []
    form = filterset.form
    form.is_valid()
    for name, field in form.fields.items():
        value = form.cleaned_data.get(name)
        if value in (None, "", []):
            continue
        query = request.GET.copy()
        for key in (name, "after", "before", "at"):
            query.pop(key, None)
        chips.append(
            {
                "label": str(field.label or name),
                "value": choice_label(field, value),
                "remove_url": f"?{query.urlencode()}",
            }
        )
    return chips


def choice_label(field: forms.Field, value: Any) -> str:
    """What the chosen ``value`` is called in the select, which may have groups."""
    wanted = str(getattr(value, "pk", value))
    for key, label in getattr(field, "choices", None) or ():
        group = label if isinstance(label, (list, tuple)) else [(key, label)]
        for choice, text in group:
            if str(choice) == wanted:
                return str(text)
    return str(value)


class FormPage(PortalView):
    """A form that calls one service when it is saved.

    Nothing typed is lost: not by an error, a double click, a session that ended, or by
    somebody else who saved first.
    """

    template_name = "_form_page.html"
    # Whether one begins to type at once, as in a form for something new.
    focuses_first = False
    submit_label: Any = gettext_lazy("Save")

    def build_form(self, data: Any = None, files: Any = None) -> forms.BaseForm:
        raise NotImplementedError

    def save(self, form: Any) -> str:
        """Call one service; the address to go to. Refusals are ValidationErrors."""
        raise NotImplementedError

    def success_message(self, form: Any) -> str:
        return _("Saved.")

    def cancel_url(self) -> str:
        raise NotImplementedError

    def form_context(self, form: Any) -> dict[str, Any]:
        """What the page shows beside the form."""
        return {}

    def get(self, request: Any, **kwargs: Any) -> HttpResponse:
        kept = take_entries(request)
        if kept is None:
            return self.render_form(self.build_form(), token=submissions.new_token())
        messages.info(request, _("What you had typed is back. Check it and save."))
        token = clean_token(kept.get("form_token", ""))
        return self.render_form(self.build_form(kept), token=token, is_dirty=True)

    def post(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        form = self.build_form(request.POST, request.FILES)
        token = clean_token(request.POST.get("form_token", ""))
        key = submissions.key_of(token, request.POST)
        stale = None
        if not form.is_valid():
            # What refuses the second click may be what the first one has just saved.
            if url := submissions.result_url(key, person_id=request.user.pk):
                return self.redirect(url)
        else:
            try:
                url, is_first = self.save_once(form, key)
            except ValidationError as error:
                add_refusal(form, error)
            except StaleError as error:
                stale = error
            else:
                if is_first:
                    messages.success(request, self.success_message(form))
                return self.redirect(url)
        return self.render_form(
            form, token=token, status=422, stale=stale, is_dirty=True
        )

    def save_once(self, form: Any, key: str) -> tuple[str, bool]:
        """Save unless the same was saved before; where to go, and whether it is new."""
        person_id = self.request.user.pk
        assert person_id is not None
        with kept_whole():
            submission = submissions.claim(key, person_id=person_id)
            if submission is None:
                url = submissions.result_url(key, person_id=person_id)
                return url or self.cancel_url(), False
            url = self.save(form)
            submissions.finish(submission, url=url)
            return url, True

    def render_form(
        self,
        form: Any,
        *,
        token: str,
        status: int = 200,
        stale: StaleError | None = None,
        is_dirty: bool = False,
    ) -> HttpResponse:
        context = self.page_context(
            form=form,
            form_token=token,
            stale=stale,
            is_dirty=is_dirty,
            cancel_url=self.cancel_url(),
            submit_label=self.submit_label,
            **self.form_context(form),
        )
        return render(self.request, self.template_name, context, status=status)


class ConfirmPage(FormPage):
    """A form that first says what will happen: title, consequences, a danger button."""

    template_name = "_confirm_page.html"
    is_danger = True

    def consequences(self) -> Sequence[str]:
        return ()

    def form_context(self, form: Any) -> dict[str, Any]:
        return {"consequences": self.consequences(), "danger": self.is_danger}


def clean_token(value: str) -> str:
    """The form's token if it is one, else a new one."""
    try:
        return str(uuid.UUID(value))
    except ValueError:
        return submissions.new_token()


def add_refusal(form: forms.BaseForm, error: ValidationError) -> None:
    """Put a service's refusal where it belongs: at its field, else above the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)
