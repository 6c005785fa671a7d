"""Copying, archiving and deleting a rate plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.core.views import Crumb, FormPage
from rateplans.forms.plans import CopyForm
from rateplans.selectors import count_customers, heir_ids
from rateplans.services import plans
from rateplans.views.parts import (
    EDIT,
    LIST,
    PlanConfirmPage,
    PlanPage,
    customers_text,
    instead_of_deletion,
)


class PlanCopy(PlanPage, FormPage):
    focuses_first = True
    submit_label = gettext_lazy("Copy")

    def title(self) -> str:
        return _("Copy %(name)s") % {"name": self.plan.name}

    def breadcrumbs(self) -> list[Crumb]:
        return [*super().breadcrumbs(), Crumb(self.plan.name, self.cancel_url())]

    def build_form(self, data: Any = None, files: Any = None) -> CopyForm:
        name = _("%(name)s (copy)") % {"name": self.plan.name}
        return CopyForm(data, initial={"name": name[:80]})

    def save(self, form: CopyForm) -> str:
        copy = plans.copy_plan(
            plan=self.plan, name=form.cleaned_data["name"], by=self.actor
        )
        return self.url(EDIT, pk=copy.pk)

    def success_message(self, form: Any) -> str:
        return _("This is the copy. Nobody is on it yet.")

    def cancel_url(self) -> str:
        return self.url(EDIT, pk=self.plan.pk)


class PlanArchive(PlanConfirmPage):
    """Archive, or bring back what is archived."""

    is_danger = False

    @property
    def is_archived(self) -> bool:
        return self.plan.archived_at is not None

    @property
    def submit_label(self) -> str:
        return _("Bring back") if self.is_archived else _("Archive")

    def title(self) -> str:
        text = _("Bring %(name)s back") if self.is_archived else _("Archive %(name)s")
        return text % {"name": self.plan.name}

    def consequences(self) -> Sequence[str]:
        if self.is_archived:
            return (_("It can be chosen for customers again."),)
        count = count_customers([self.plan.pk])[self.plan.pk]
        return (
            _("It can no longer be chosen for customers, here or by resellers."),
            _("Who is on it stays on it, at its prices: %(customers)s.")
            % {"customers": customers_text(count)},
            *([heirs_text] if (heirs_text := self.heirs_text()) else []),
            *(
                [_("It is no longer offered at sign-up, nor when it is brought back.")]
                if self.plan.offered_at_signup
                else []
            ),
        )

    def heirs_text(self) -> str:
        heirs = len(heir_ids(self.plan.pk)) - 1
        text = ngettext(
            "%(count)d rate plan goes on inheriting from it.",
            "%(count)d rate plans go on inheriting from it.",
            heirs,
        )
        return text % {"count": heirs} if heirs else ""

    def save(self, form: forms.BaseForm) -> str:
        plans.set_archived(
            plan=self.plan, is_archived=not self.is_archived, by=self.actor
        )
        return self.url(EDIT, pk=self.plan.pk)

    def success_message(self, form: Any) -> str:
        return _("Brought back.") if self.is_archived else _("Archived.")


class PlanDelete(PlanConfirmPage):
    submit_label = gettext_lazy("Delete")

    def title(self) -> str:
        return _("Delete %(name)s") % {"name": self.plan.name}

    def consequences(self) -> Sequence[str]:
        return (_("The plan and its prices, past ones too, are gone for good."),)

    def refusal(self) -> str:
        if reasons := plans.deletion_refusals(self.plan):
            return " ".join([*reasons, *instead_of_deletion(self.plan)])
        return ""

    def save(self, form: forms.BaseForm) -> str:
        plans.delete_plan(plan=self.plan, by=self.actor)
        return self.url(LIST)

    def success_message(self, form: Any) -> str:
        return _("Deleted.")
