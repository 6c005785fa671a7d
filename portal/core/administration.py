"""The Django admin as the system owner's staff see it, behind the portal's sign-in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

# "admin" holds Django's own log of what was done here.
OWN_APPS = frozenset({"customers", "billing", "rateplans", "core", "admin"})
# The portal has pages for these, with rules that the admin's would not know.
PAGES_OF_THE_PORTAL = frozenset({"password_change", "password_change_done"})


class Choices(AutocompleteJsonView):
    """What autocompleting fields offer; an admin can say more than the row's name."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        label = getattr(self.model_admin, "autocomplete_label", str)
        return {"id": str(getattr(obj, to_field_name)), "text": str(label(obj))}


class Administration(AdminSite):
    """For the system owner's staff; to everybody else it is not there at all."""

    site_header = _("Trunkline administration")
    site_title = _("Trunkline administration")
    index_title = _("All data of the system")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")  # each row has its own refusals

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether to let somebody in; 404 for those signed in who are not staff."""
        if request.user.is_authenticated and not request.user.is_staff:
            raise Http404
        return bool(request.user.is_authenticated)

    def register(
        self, model_or_iterable: Any, admin_class: Any = None, **options: Any
    ) -> None:
        """Take our own models only.

        Pages that packages bring for theirs would let one read the secret of a second
        factor or sign people in past a lock-out.
        """
        models = model_or_iterable
        if not isinstance(models, Iterable):
            models = [models]
        ours = [model for model in models if model._meta.app_label in OWN_APPS]
        super().register(ours, admin_class, **options)

    def get_urls(self) -> list[Any]:
        return [
            url
            for url in super().get_urls()
            if getattr(url, "name", "") not in PAGES_OF_THE_PORTAL
        ]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Nobody signs in here: whoever comes has done so on the portal's own page."""
        self.has_permission(request)
        return redirect("admin:index")

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The portal's own page does it: it knows what else ends with a session."""
        return redirect("logout", preserve_request=True)

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return Choices.as_view(admin_site=self)(request)


class AdministrationConfig(AdminConfig):
    default_site = "portal.core.administration.Administration"
