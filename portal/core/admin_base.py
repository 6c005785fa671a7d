"""What every page of the Django admin begins with.

Lists cost the same however long the table is, and nothing can be done here that the
rules of the portal forbid: rows are read-only unless a service writes them, or unless
there are no rules beyond their own fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IS_POPUP_VAR, ShowFacets
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.actor import Actor, TenantRow

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
    BaseInline = admin.TabularInline[Any, Any]
    BaseFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    BaseAdmin = admin.ModelAdmin
    BaseInline = admin.TabularInline
    BaseFormSet = BaseInlineFormSet

# Rows are counted up to here; a page of rows beyond is found by searching.
COUNT_LIMIT = 5000
# Rows one action takes at once: each is a service call with its locks and its log.
ACTION_LIMIT = 200
# Rows shown inside another row's page.
INLINE_LIMIT = 25
# Rows of a related table that a search looks through.
RELATED_LIMIT = 200
# What nobody reads here, whatever the model: credentials, also hashed or encrypted.
HIDDEN_FIELDS = audit.SECRET_FIELDS | {"session_key", "session_data"}


def actor_of(request: Any) -> Actor:
    """The member of staff at work here, in the system owner's account."""
    person = request.user
    return Actor(
        customer=person.customer,
        person=person,
        permissions=frozenset(person.role.permissions),
        menus=frozenset(person.role.menus),
        source_ip=request.source_ip,
    )


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than `COUNT_LIMIT`, so that no table is too long."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by().values("pk")[: COUNT_LIMIT + 1].count()
        return len(rows)


class BoundedChangeList(ChangeList):
    """Says "more than 5,000" where Django would count on."""

    count_text: str

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if self.result_count > COUNT_LIMIT:
            limit = number_format(COUNT_LIMIT, force_grouping=True)
            self.count_text = _("more than %(limit)s") % {"limit": limit}
            # The search field would name a number that is none.
            self.full_result_count = self.result_count
        else:
            self.count_text = str(self.result_count)


class PortalAdmin(BaseAdmin):
    """The list; ``related_search`` names foreign keys that are searched as well."""

    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each would be a count of the whole table
    paginator = BoundedPaginator
    related_search: Sequence[str] = ()

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[BoundedChangeList]:
        return BoundedChangeList

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Where Django is told that there is something to search at all."""
        return [*super().get_search_fields(request), *self.related_search]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not (term := search_term.strip()):
            return queryset, False
        condition = self.search_condition(term)
        for name in self.related_search:
            condition |= Q(**{f"{name}__in": self._related(request, name, term)})
        return queryset.filter(condition), False

    def search_condition(self, term: str) -> Q:
        """Rows whose own fields contain ``term``."""
        condition = Q()
        for name in self.search_fields:
            condition |= Q(**{name if "__" in name else f"{name}__icontains": term})
        return condition

    def _related(self, request: HttpRequest, name: str, term: str) -> QuerySet[Any]:
        model: Any = self.opts.get_field(name).related_model
        related = self.admin_site.get_model_admin(model)
        found, _duplicates = related.get_search_results(
            request, model._default_manager.all(), term
        )
        return found.order_by().values("pk")[:RELATED_LIMIT]

    # Services.

    def do_for_each(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        work: Callable[[Any], object],
        *,
        done: str,
    ) -> None:
        """Call a service for each row; refusals are told with the row's name.

        ``done`` says what was done, in Django's log and in the message.
        """
        chosen = list(rows[: ACTION_LIMIT + 1])
        if len(chosen) > ACTION_LIMIT:
            messages.error(
                request,
                _("Choose at most %(limit)d rows at a time.") % {"limit": ACTION_LIMIT},
            )
            return
        succeeded = 0
        for row in chosen:
            try:
                with transaction.atomic():
                    work(row)
                    self.log_change(request, row, done)
            except ValidationError as error:
                messages.error(request, f"{row}: {' '.join(error.messages)}")
            except PermissionDenied:
                refusal = _("You may not do this.")
                messages.error(request, f"{row}: {refusal}")
            else:
                succeeded += 1
        if succeeded:
            messages.success(request, f"{done}: {succeeded}")

    def ask_first(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        *,
        form: forms.Form,
        title: str,
        text: str,
        submit_label: str,
    ) -> TemplateResponse:
        """The page between choosing an action and doing it, with the action's form."""
        chosen = list(rows[:ACTION_LIMIT])
        hidden = [(helpers.ACTION_CHECKBOX_NAME, row.pk) for row in chosen]
        hidden += [("action", request.POST["action"]), ("confirmed", "yes")]
        return self.form_page(
            request,
            form=form,
            title=title,
            text=text,
            submit_label=submit_label,
            chosen=chosen,
            hidden=hidden,
        )

    def form_page(
        self,
        request: HttpRequest,
        *,
        form: forms.Form,
        title: str,
        text: str,
        submit_label: str,
        chosen: Sequence[Any] = (),
        hidden: Sequence[tuple[str, object]] = (),
    ) -> TemplateResponse:
        """A page of the admin with a form that no model is behind."""
        fieldsets = [(None, {"fields": list(form.fields)})]
        admin_form = helpers.AdminForm(form, fieldsets, {}, model_admin=self)  # type: ignore[arg-type]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "text": text,
            "submit_label": submit_label,
            "chosen": chosen,
            "hidden": hidden,
            "adminform": admin_form,
            "errors": form.errors,
            "media": self.media + admin_form.media,
            "is_popup": IS_POPUP_VAR in request.GET,
        }
        return TemplateResponse(request, "admin/form_page.html", context)


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the page of `ask_first` was sent."""
    return request.POST.get("confirmed") == "yes"


class ReadOnlyAdmin(PortalAdmin):
    """Rows to look at. Fields that hold secrets are never among them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return readable_fields(self.model)


class WritableAdmin(PortalAdmin):
    """Rows with an add, a change and a delete page; the last one may have to refuse."""

    def deletion_refusals(self, obj: Any) -> list[str]:
        """Why the row cannot be deleted; empty if it can."""
        if users := ", ".join(_users_of(obj)):
            return [_("It is in use: see %(users)s.") % {"users": users}]
        return []

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What belongs to a row goes with it, also what is read-only by itself."""
        found, counts, _forbidden, protected = super().get_deleted_objects(
            objs, request
        )
        return found, counts, set(), protected

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> Any:
        obj = self.get_object(request, unquote(object_id))
        if obj is not None and (reasons := self.deletion_refusals(obj)):
            # Django would read every row that refers to this one, to list them all.
            messages.error(request, f"{obj}: {' '.join(reasons)}")
            return redirect(request.path.removesuffix("delete/") + "change/")
        return super().delete_view(request, object_id, extra_context)


class EditableAdmin(WritableAdmin):
    """Rows that staff may write as they are; every change is in our log as well.

    ``noun`` begins the names of its events: "region" gives "region.created".
    """

    noun: str

    def account_of(self, request: Any, obj: Any) -> TenantRow:
        """In whose log a change stands: the system owner's."""
        owner: TenantRow = request.user.customer
        return owner

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        fields = self._audited()
        before = {}
        if change:
            stored = self.model._default_manager.get(pk=obj.pk)
            before = audit.snapshot(stored, fields)
        super().save_model(request, obj, form, change)
        changes = audit.differences(before, audit.snapshot(obj, fields))
        if changes:
            self.record("updated" if change else "created", request, obj, changes)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.record("deleted", request, obj)
        super().delete_model(request, obj)

    def record(
        self,
        verb: str,
        request: HttpRequest,
        obj: Any,
        changes: audit.Changes | None = None,
    ) -> None:
        """Write into our log that somebody made, changed or deleted ``obj``."""
        audit.record(
            f"{self.noun}.{verb}",
            obj,
            by=actor_of(request),
            customer=self.account_of(request, obj),
            changes=changes,
        )

    def _audited(self) -> list[str]:
        return [
            field.name
            for field in self.opts.concrete_fields
            if field.editable and not field.primary_key
        ]


class ServiceAdmin(WritableAdmin):
    """Rows that a service writes: ``save_model`` and ``delete_model`` call it.

    The form has asked for refusals already; one that comes all the same, since somebody
    was faster, is told on the page.
    """

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            with transaction.atomic():
                return super().changeform_view(request, *args, **kwargs)
        except ValidationError as error:
            return self._refuse(request, error)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> Any:
        try:
            with transaction.atomic():
                return super().delete_view(request, object_id, extra_context)
        except ValidationError as error:
            return self._refuse(request, error)

    def _refuse(self, request: HttpRequest, error: ValidationError) -> HttpResponse:
        messages.error(request, " ".join(error.messages))
        return redirect(request.get_full_path())


class FirstRows(BaseFormSet):
    """The first rows of a long list; the rest is in a list of its own."""

    @cached_property
    def _first(self) -> Any:
        return super().get_queryset()[:INLINE_LIMIT]

    def get_queryset(self) -> Any:
        """Asked once for each row: the same object, whose rows are read once."""
        return self._first


class ReadOnlyInline(BaseInline):
    """Rows that belong to the page's row, to look at."""

    extra = 0
    can_delete = False
    show_change_link = True
    formset = FirstRows

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(self.fields or ())

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _users_of(row: models.Model) -> Iterator[str]:
    """What other rows refer to this one and would be left with nothing."""
    for relation in row._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        if relation.on_delete is models.PROTECT:
            users: Any = relation.related_model
            rows = users._base_manager.filter(**{relation.field.name: row})
            if rows.exists():
                yield str(users._meta.verbose_name_plural)


def readable_fields(model: type[models.Model]) -> list[str]:
    """The columns of a row that may be shown: not generated, not binary, no secrets."""
    return [
        field.name
        for field in model._meta.concrete_fields
        if not field.generated
        and not field.primary_key
        and not isinstance(field, models.BinaryField)
        and field.name not in HIDDEN_FIELDS
    ]
